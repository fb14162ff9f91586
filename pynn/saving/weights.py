"""The layout of ``model.weights.h5`` and ``.weights.h5`` files of Keras 3.

Every layer has a group with its own arrays ``vars/0``, ``vars/1``, ... A model's layers stand under
``layers/``, named by class and number (``dense``, ``dense_1``), whatever they are called; layers
kept as attributes stand under the attribute's name.

References:
    https://keras.io/guides/serialization_and_saving/
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from pynn.layers import Layer
from pynn.models import Functional, Model, Sequential
from pynn.saving import hdf5
from pynn.utils.naming import to_snake_case


def write(file: Any, model: Layer) -> None:
    """Writes the weights of a model and of all layers in it."""
    for path, layer in walk(model):
        holder = file.create_group(f"{path}/vars" if path else "vars")
        holder.attrs["name"] = layer.name
        store: dict[str, Any] = {}
        layer.save_own_variables(store)
        hdf5.write_arrays(holder, store)


def read(file: Any, model: Layer, skip_mismatch: bool = False) -> None:
    """Sets the weights of a model; nothing is changed unless all fit.

    Args:
        file: an open HDF5 file.
        model: a built model.
        skip_mismatch: whether to leave layers as they are that the file does not fit, with a
            warning.

    Raises:
        ValueError: a layer's arrays are missing or have other shapes.
    """
    jobs: list[Callable[[], Any]] = []
    problems: list[str] = []
    for path, layer in walk(model):
        try:
            jobs += _layer_jobs(_own_group(file, path), layer)
        except ValueError as error:
            problems.append(f"{layer.name} ({type(layer).__name__}): {error}")
    if problems and not skip_mismatch:
        raise ValueError("The weights in the file do not fit the model. " + " ".join(problems))
    for problem in problems:
        warnings.warn(f"Weights were left as they are. {problem}", stacklevel=4)
    for job in jobs:
        job()


def _own_group(file: Any, path: str) -> Any:
    found = hdf5.group(file, f"{path}/vars" if path else "vars")
    if found is None and "_layer_checkpoint_dependencies" in file:  # before Keras 3
        older = path.replace("layers", "_layer_checkpoint_dependencies")
        found = hdf5.group(file, f"{older}/vars")
    return found


def _layer_jobs(holder: Any, layer: Layer) -> list[Callable[[], Any]]:
    """What is to be done to set a layer's own weights, once everything has been checked."""
    if type(layer).load_own_variables is not Layer.load_own_variables:
        store = {} if holder is None else {key: hdf5.array(holder, key) for key in holder}
        return [lambda: layer.load_own_variables(store)]
    variables = layer.own_variables
    count = 0 if holder is None else len(holder)
    if count != len(variables):
        built = "" if layer.built else " (it is not built: give the model its input's shape)"
        raise ValueError(
            f"expected {len(variables)} arrays{built}. Received: {count} arrays in the file."
        )
    return [
        _assignment(variable, hdf5.array(holder, str(i), variable.shape))
        for i, variable in enumerate(variables)
    ]


def _assignment(variable: Any, values: Any) -> Callable[[], Any]:
    return lambda: variable.assign(values)


# ---- the order of layers ---------------------------------------------------------------------


def walk(layer: Layer, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Layer]]:
    """All layers of a model, itself first, with their paths in the file."""
    seen = set() if seen is None else seen
    if id(layer) in seen:
        return
    seen.add(id(layer))
    yield path, layer
    for name, value in _parts(layer):
        yield from _walk_value(value, f"{path}/{name}" if path else name, seen)


def _walk_value(value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Layer]]:
    if isinstance(value, Layer):
        yield from walk(value, path, seen)
    elif isinstance(value, (list, tuple, Mapping)):
        used: dict[str, int] = {}
        for item in value.values() if isinstance(value, Mapping) else value:
            nested = isinstance(item, (list, tuple, Mapping))
            if nested or isinstance(item, Layer):
                name = "container" if nested else to_snake_case(type(item).__name__)
                number = used[name] = used.get(name, -1) + 1
                place = f"{path}/{name}_{number}" if number else f"{path}/{name}"
                yield from _walk_value(item, place, seen)


def _parts(layer: Layer) -> Iterator[tuple[str, Any]]:
    """Attributes that may hold layers, in the order of Keras: by name, private ones last."""
    attributes = {k: v for k, v in vars(layer).items() if k not in _house_attributes()}
    if isinstance(layer, Model):
        if isinstance(layer, (Functional, Sequential)):
            yield "layers", layer.layers
        else:
            attributes["layers"] = layer.layers
    for name in sorted(attributes, key=lambda name: (name.startswith("_"), name)):
        yield name, attributes[name]


@cache
def _house_attributes() -> frozenset[str]:
    """What pynn itself keeps on layers and models: not part of the file's layout."""
    house = {"_input", "_layers", "_outputs", "_topology"}
    return frozenset(house | set(vars(Model(name="model"))))
