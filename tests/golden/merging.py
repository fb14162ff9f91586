"""Golden cases of the layers with several inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from golden.runs import TARGETS, Case, Cases, Keras, X, compiled, train

Join = Callable[[Keras], Any]

LAYERS: dict[str, Join] = {
    "Add": lambda k: k.layers.Add(),
    "Subtract": lambda k: k.layers.Subtract(),
    "Multiply": lambda k: k.layers.Multiply(),
    "Average": lambda k: k.layers.Average(),
    "Maximum": lambda k: k.layers.Maximum(),
    "Minimum": lambda k: k.layers.Minimum(),
    "Concatenate": lambda k: k.layers.Concatenate(),
    "Concatenate/axis": lambda k: k.layers.Concatenate(axis=1),
    "Dot": lambda k: k.layers.Dot(axes=1),
    "Dot/normalize": lambda k: k.layers.Dot(axes=-1, normalize=True),
    "add": lambda k: k.layers.add,
    "subtract": lambda k: k.layers.subtract,
    "multiply": lambda k: k.layers.multiply,
    "average": lambda k: k.layers.average,
    "maximum": lambda k: k.layers.maximum,
    "minimum": lambda k: k.layers.minimum,
    "concatenate": lambda k: k.layers.concatenate,
    "dot": lambda k: lambda inputs: k.layers.dot(inputs, axes=1),
}
ON_SEQUENCES: dict[str, Join] = {
    "Concatenate/sequences": lambda k: k.layers.Concatenate(axis=1),
    "Concatenate/last_of_sequences": lambda k: k.layers.Concatenate(axis=-1),
    "Dot/sequences": lambda k: k.layers.Dot(axes=2),
    "Dot/two_axes": lambda k: k.layers.Dot(axes=(2, 2), normalize=True),
    "Add/sequences": lambda k: k.layers.Add(),
}
BROADCAST: dict[str, Join] = {
    "Add/broadcast": lambda k: k.layers.Add(),
    "Multiply/broadcast": lambda k: k.layers.Multiply(),
    "Maximum/broadcast": lambda k: k.layers.Maximum(),
}
THREE = ("Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")


def joined(join: Join, *units: int, sequences: bool = False) -> Case:
    """Dense layers of these units side by side, joined, and a dense layer on top."""

    def case(keras: Keras) -> Any:
        layers = keras.layers
        first = keras.Input((5,), name="first")
        second = keras.Input((3,), name="second")
        parts = []
        for number, width in enumerate(units):
            part = layers.Dense(width)(second if number % 2 else first)
            parts.append(layers.Reshape((2, width // 2))(part) if sequences else part)
        together = join(keras)(parts)
        if sequences:
            together = layers.Flatten()(together)
        model = keras.Model([first, second], layers.Dense(2)(together))
        return train(compiled(model), [X, X[:, :3]], TARGETS)

    return case


CASES: Cases = {
    **{f"layers.{name}": joined(join, 4, 4) for name, join in LAYERS.items()},
    **{f"layers.{name}/three": joined(LAYERS[name], 3, 3, 3) for name in THREE},
    **{f"layers.{name}": joined(join, 4, 4, sequences=True) for name, join in ON_SEQUENCES.items()},
    **{f"layers.{name}": joined(join, 4, 1) for name, join in BROADCAST.items()},
}
