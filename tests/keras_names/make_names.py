"""Writes names.txt: the public names of the installed Keras, a line each, with their arguments.

    KERAS_BACKEND=numpy python tests/keras_names/make_names.py

A default that is not a literal is written as ``...``. Attributes of the base classes people write
subclasses of, or hold in their hands, are listed after the class.
"""

from __future__ import annotations

import ast
import functools
import inspect
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

# Classes whose methods and properties are part of what people's code calls.
OPEN = (
    "Initializer", "KerasTensor", "Layer", "Loss", "Metric", "Model", "Optimizer", "Regularizer",
    "Sequential", "Variable", "callbacks.Callback", "callbacks.CallbackList",
    "constraints.Constraint", "layers.Dense", "layers.Normalization",
    "optimizers.schedules.LearningRateSchedule", "random.SeedGenerator", "utils.Progbar",
    "utils.PyDataset",
)  # fmt: skip


def signature(function: Any) -> str:
    """The arguments as source text, without ``self``."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ""
    if parameters and parameters[0].name in ("self", "cls"):
        del parameters[0]
    text: list[str] = []
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and not any(part.startswith("*") for part in text):
            text.append("*")
        star = "*" * (p.kind is p.VAR_POSITIONAL) + "**" * (p.kind is p.VAR_KEYWORD)
        text.append(star + p.name + ("" if p.default is p.empty else f"={literal(p.default)}"))
    return f"({', '.join(text)})"


def literal(value: Any) -> str:
    try:
        ast.literal_eval(repr(value))
    except (SyntaxError, ValueError):
        return "..."
    return repr(value)


def inherited(cls: type, name: str) -> bool:
    """Whether a member is listed already, with a class this one derives from."""
    bases = (attribute(path) for path in OPEN)
    return any(
        base is not cls and issubclass(cls, base) and name in dir(base)
        and inspect.getattr_static(cls, name) is inspect.getattr_static(base, name)
        for base in bases
    )  # fmt: skip


def attribute(path: str) -> Any:
    return functools.reduce(getattr, path.split("."), keras)


def described(path: str, value: Any) -> Iterator[str]:
    if inspect.isclass(value):
        yield path + (signature(value.__init__) if value.__init__ is not object.__init__ else "()")
        if path in OPEN:
            for name in sorted(dir(value)):
                member = inspect.getattr_static(value, name)
                if name.startswith("_") or inherited(value, name):
                    continue
                function = getattr(member, "__func__", member)
                yield f"{path}.{name}{signature(function) if callable(function) else ''}"
    else:
        yield path + (signature(value) if callable(value) else "")


def walk(module: types.ModuleType, prefix: str, seen: set[str]) -> Iterator[str]:
    """The names of a module and of the public modules in it."""
    names = [name for name in sorted(dir(module)) if not name.startswith("_")]
    inner = {name: value for name in names if inspect.ismodule(value := getattr(module, name))}
    for name in names:
        if name not in inner:
            yield from described(prefix + name, getattr(module, name))
    for name, value in inner.items():
        path = value.__name__
        if path.startswith("keras.") and not path.startswith("keras.src") and path not in seen:
            seen.add(path)
            yield f"{prefix}{name}."
            yield from walk(value, f"{prefix}{name}.", seen)


if __name__ == "__main__":
    lines = [f"# The public names of Keras {keras.__version__}: written by make_names.py"]
    lines += walk(keras, "", {"keras"})
    Path(__file__).with_name("names.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
