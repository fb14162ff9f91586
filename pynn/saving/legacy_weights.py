"""The layout of weights in ``.h5`` files of Keras 1 and 2, which Keras 3 still writes.

One group for each layer, named like the layer, with its arrays by name; the attributes
``layer_names`` and ``weight_names`` give the order.
"""

from __future__ import annotations

import warnings
from typing import Any

from pynn._graph.structure import distinct
from pynn.saving import hdf5
from pynn.saving.files import KERAS_VERSION

_TOP = "top_level_model_weights"


def write(holder: Any, model: Any) -> None:
    """Writes the weights of a model's layers."""
    layers = distinct(model.layers)
    hdf5.write_names(holder, "layer_names", [layer.name for layer in layers])
    holder.attrs["backend"] = "pynn"
    holder.attrs["keras_version"] = KERAS_VERSION
    for layer in layers:
        _write_layer(holder.create_group(layer.name), _in_order(layer))
    _write_layer(holder.create_group(_TOP), model.own_variables)


def _write_layer(holder: Any, variables: list[Any]) -> None:
    names = _distinct([variable.path for variable in variables])
    hdf5.write_names(holder, "weight_names", names)
    hdf5.write_arrays(holder, dict(zip(names, (v.numpy() for v in variables), strict=True)))


def read(holder: Any, model: Any, skip_mismatch: bool = False, by_name: bool = False) -> None:
    """Sets the weights of a model's layers; nothing is changed unless all fit.

    Args:
        holder: the group with the attribute ``layer_names``.
        model: a built model.
        skip_mismatch: whether to leave layers as they are that the file does not fit, with a
            warning.
        by_name: whether to match layers by name (those without a namesake are left as they are)
            rather than by order.

    Raises:
        ValueError: other layers, or arrays that are missing or have other shapes.
    """
    pairs = _by_name(holder, model) if by_name else _by_order(holder, model)
    assignments: list[tuple[Any, Any]] = []
    problems: list[str] = []
    for layer, name in pairs:
        try:
            assignments += _layer_values(holder, name, _in_order(layer))
        except ValueError as error:
            problems.append(f"{layer.name}: {error}")
    if _TOP in holder and model.own_variables:
        assignments += _layer_values(holder, _TOP, model.own_variables)
    if problems and not skip_mismatch:
        raise ValueError("The weights in the file do not fit the model. " + " ".join(problems))
    for problem in problems:
        warnings.warn(f"Weights were left as they are. {problem}", stacklevel=4)
    for variable, values in assignments:
        variable.assign(values)


def _by_order(holder: Any, model: Any) -> list[tuple[Any, str]]:
    layers = [layer for layer in distinct(model.layers) if layer.weights]
    saved = [name for name in hdf5.names(holder, "layer_names") if _weight_names(holder, name)]
    if len(saved) != len(layers):
        raise ValueError(
            f"Expected {len(layers)} layers with weights, as in the model "
            f"({', '.join(layer.name for layer in layers)}). "
            f"Received: {len(saved)} in the file ({', '.join(saved)})"
        )
    return list(zip(layers, saved, strict=True))


def _by_name(holder: Any, model: Any) -> list[tuple[Any, str]]:
    saved = set(hdf5.names(holder, "layer_names"))
    return [(layer, layer.name) for layer in model.layers if layer.name in saved]


def _weight_names(holder: Any, name: str) -> list[str]:
    found = hdf5.group(holder, name)
    if found is None:
        raise ValueError(f"The file lacks the group of the layer {name!r}.")
    return hdf5.names(found, "weight_names")


def _layer_values(holder: Any, name: str, variables: list[Any]) -> list[tuple[Any, Any]]:
    saved = _weight_names(holder, name)
    if len(saved) != len(variables):
        raise ValueError(
            f"expected {len(variables)} arrays. Received: {len(saved)} arrays in the file."
        )
    found = hdf5.group(holder, name)
    return [
        (variable, hdf5.array(found, path, variable.shape))
        for variable, path in zip(variables, saved, strict=True)
    ]


def _in_order(layer: Any) -> list[Any]:
    """The layer's weights: those that are trained, then the others."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _distinct(names: list[str]) -> list[str]:
    """The names, with a number where one comes again."""
    found: list[str] = []
    for name in names:
        number, new = 0, name
        while new in found:
            number += 1
            new = f"{name}_{number}"
        found.append(new)
    return found
