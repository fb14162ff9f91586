"""Models with every kind of layer, written to files and read from them by pynn and by real Keras.

``python tests/saved_layers.py folder``, by an interpreter that has Keras, is the side of Keras: it
reads what pynn wrote into the folder and writes its own. Both sides run the same functions here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from golden.layers import FLAT, SEQUENCE
from golden.merging import LAYERS, ON_SEQUENCES
from golden.penalties import CONSTRAINTS, INITIALIZERS, REGULARIZERS
from golden.runs import Array, Keras, integers, stack, uniform

Make = Callable[[Keras], Any]

ENDINGS = ("keras", "h5", "weights.h5")


def doubled_plus(t: Any, shift: float = 1.0) -> Any:
    """A function for Lambda, which files keep by its name."""
    return t + t + shift


OWN = {"doubled_plus": doubled_plus}


# The layers, besides those of the golden cases with all their options


def dense(argument: str, parts: Mapping[str, Make]) -> dict[str, Make]:
    """A dense layer for each value of an argument."""

    def case(make: Make) -> Make:
        return lambda k: k.layers.Dense(3, **{argument: make(k)})

    return {f"Dense/{argument}/{name}": case(make) for name, make in parts.items()}


def by_name(name: str) -> Make:
    return lambda k: getattr(k.initializers, name)()


def noise(name: str) -> Make:
    return lambda k: getattr(k.layers, name)(0.5)


NOISE = "AlphaDropout Dropout GaussianDropout GaussianNoise"
RANDOM = """
    GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform Orthogonal RandomNormal
    RandomUniform TruncatedNormal VarianceScaling
"""
OF_VECTORS: dict[str, Make] = {
    **{name: make for name, make in FLAT.items() if not name.startswith("Lambda")},
    **dense("kernel_regularizer", REGULARIZERS),
    **dense("kernel_constraint", CONSTRAINTS),
    # Keras 3.15 does not write the gain of Identity.
    **dense("kernel_initializer", {k: v for k, v in INITIALIZERS.items() if "gain" not in k}),
    **dense("kernel_initializer", {name: by_name(name) for name in RANDOM.split()}),
    **{f"{name}/acts": noise(name) for name in NOISE.split()},
    "RepeatVector": lambda k: k.layers.RepeatVector(3),
    "Lambda": lambda k: k.layers.Lambda(doubled_plus),
    "Lambda/arguments": lambda k: k.layers.Lambda(
        doubled_plus, output_shape=(4,), arguments={"shift": 0.5}
    ),
}


def adapted(**options: Any) -> Make:
    def make(keras: Keras) -> Any:
        layer = keras.layers.Normalization(**options)
        layer.build((None, 3, 4))
        layer.adapt(uniform(20, 3, 4, low=-2.0, high=5.0))
        return layer

    return make


def chain(*makes: Make) -> Make:
    def make(keras: Keras) -> Any:
        layers = [one(keras) for one in makes]

        def call(x: Any) -> Any:
            for layer in layers:
                x = layer(x)
            return x

        return call

    return make


def averaged(keras: Keras) -> Any:
    return keras.layers.GlobalAveragePooling1D()


OF_SEQUENCES: dict[str, Make] = {
    **SEQUENCE,
    "SpatialDropout1D/acts": noise("SpatialDropout1D"),
    "Normalization": adapted(),
    "Normalization/axis": adapted(axis=(1, 2)),
    "Normalization/no_axis": adapted(axis=None),
    "Normalization/invert": adapted(invert=True),
    "Normalization/given": lambda k: k.layers.Normalization(
        mean=[0.5, 0, 1, 2], variance=[4.0, 1.0, 0.25, 9.0]
    ),
    "Normalization/two_numbers": lambda k: k.layers.Normalization(
        axis=None, mean=0.5, variance=4.0
    ),
    "Masking": chain(lambda k: k.layers.Masking(), averaged),
    "Masking/mask_value": chain(
        lambda k: k.layers.Rescaling(1.0, offset=-1.0),
        lambda k: k.layers.Masking(mask_value=-1.0),
        lambda k: k.layers.TimeDistributed(k.layers.Dense(3)),
        averaged,
    ),
    "TimeDistributed/model": lambda k: k.layers.TimeDistributed(
        stack(k, k.layers.Dense(3), k.layers.BatchNormalization(), shape=(4,))
    ),
}
OF_NUMBERS: dict[str, Make] = {
    "CategoryEncoding": lambda k: k.layers.CategoryEncoding(num_tokens=4),
    "CategoryEncoding/one_hot": lambda k: k.layers.CategoryEncoding(
        num_tokens=4, output_mode="one_hot"
    ),
    "CategoryEncoding/count": lambda k: k.layers.CategoryEncoding(
        num_tokens=4, output_mode="count"
    ),
    "Embedding": lambda k: k.layers.Embedding(5, 3),
    "Embedding/options": lambda k: k.layers.Embedding(
        5, 3, embeddings_regularizer="l2", embeddings_constraint=k.constraints.UnitNorm(axis=1)
    ),
    "Embedding/mask_zero": chain(lambda k: k.layers.Embedding(5, 3, mask_zero=True), averaged),
}
JOINS = {name: join for name, join in LAYERS.items() if name[0].isupper()}  # no functions


# The models: each layer is called on the input and has an output of its own name


def fan(shape: tuple[int, ...], makes: Mapping[str, Make], dtype: str = "float32") -> Make:
    def make(keras: Keras) -> Any:
        x = keras.Input(shape, dtype=dtype, name="x")
        return keras.Model(x, {name: one(keras)(x) for name, one in makes.items()})

    return make


def joined(shape: tuple[int, ...], makes: Mapping[str, Make]) -> Make:
    def make(keras: Keras) -> Any:
        pair = [keras.Input(shape, name=name) for name in ("x", "y")]
        return keras.Model(pair, {name: one(keras)(pair) for name, one in makes.items()})

    return make


def with_arguments(keras: Keras) -> Any:
    """A layer called with more than its input."""
    numbers = keras.Input((4,), dtype="int32", name="numbers")
    weights = keras.Input((4,), name="weights")
    encoding = keras.layers.CategoryEncoding(num_tokens=4, output_mode="count")
    return keras.Model(
        [numbers, weights], {"count_weights": encoding(numbers, count_weights=weights)}
    )


def sequential(keras: Keras) -> Any:
    """One layer after the other, with an input layer made by hand."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.InputLayer(batch_shape=(None, 4)),
            layers.Dense(6, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5, seed=3),
            layers.Reshape((3, 2)),
            layers.TimeDistributed(layers.Dense(2)),
            layers.LayerNormalization(),
            layers.Flatten(),
        ]
    )


CASES: dict[str, Make] = {
    "vectors": fan((4,), OF_VECTORS),
    "sequences": fan((3, 4), OF_SEQUENCES),
    "numbers": fan((4,), OF_NUMBERS, "int32"),
    "joined": joined((4,), JOINS),
    "joined_sequences": joined((3, 4), ON_SEQUENCES),
    "with_arguments": with_arguments,
    "sequential": sequential,
}


# Files


def started(model: Any) -> Any:
    """Gives a model weights that no initializer makes; those that ``adapt`` made stay."""
    for number, weight in enumerate(model.weights):
        if weight.trainable or "moving" in weight.name:
            weight.assign(uniform(*weight.shape, low=0.1, seed=100 + number))
    return model


def rows(model: Any) -> list[Array]:
    """Samples for the inputs of a model, with steps that Masking leaves out."""
    found = []
    for symbol in model.inputs:
        shape = (6, *symbol.shape[1:])
        whole = "int" in symbol.dtype
        x = integers(*shape, high=4) if whole else uniform(*shape)
        if not whole:
            x[..., ::2] += (
                2.0  # dividing by the deviation of near neighbours would magnify rounding
            )
        if x.ndim == 3:
            x[::2, -1] = 0.0
        found.append(x.astype(symbol.dtype))
    return found


def outputs(model: Any) -> dict[str, Any]:
    x = rows(model)
    y = model.predict(x if len(x) > 1 else x[0], verbose=0)
    named = y if isinstance(y, dict) else {"y": y}
    return {name: np.asarray(one).tolist() for name, one in named.items()}


def write(keras: Keras, folder: Path) -> dict[str, Any]:
    """Writes every model in every kind of file and returns what the models compute."""
    folder.mkdir()
    found = {}
    for name, make in CASES.items():
        keras.utils.clear_session()
        model = started(make(keras))
        for ending in ENDINGS:
            save = model.save_weights if ending == "weights.h5" else model.save
            save(folder / f"{name}.{ending}")
        found[name] = outputs(model)
    return found


def read(keras: Keras, folder: Path, name: str, ending: str) -> dict[str, Any]:
    """What a model in a file computes; its layers' configurations, and those of a new model."""
    keras.utils.clear_session()
    made, path = CASES[name](keras), folder / f"{name}.{ending}"
    if ending == "weights.h5":
        made.load_weights(path)
        return {"output": outputs(made)}
    opened = keras.models.load_model(path, custom_objects=OWN, safe_mode=False)
    configs = [
        json.dumps({layer.name: layer.get_config() for layer in model.layers}, default=str)
        for model in (opened, made)
    ]
    return {"output": outputs(opened), "configs": configs}


def main(folder: Path) -> None:
    import keras

    written = write(keras, folder / "keras")
    found: dict[str, Any] = {}
    for name in CASES:
        for ending in ENDINGS:
            try:
                found[f"{name}.{ending}"] = read(keras, folder / "pynn", name, ending)
            except Exception as error:  # the other files are still worth reading
                found[f"{name}.{ending}"] = {"error": str(error)}
    (folder / "keras.json").write_text(json.dumps({"written": written, "read": found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
