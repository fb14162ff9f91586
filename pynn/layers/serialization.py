"""Layers as plain data. The code is that of ``pynn.saving``, which stands on a higher floor."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from pynn.layers._base import Layer


def serialize(layer: Layer) -> Any:
    """Returns a layer's class and configuration as a dictionary, without its weights.

    Example:
        >>> from pynn.layers import Dense
        >>> serialize(Dense(3, name="hidden"))["class_name"]
        'Dense'
    """
    return importlib.import_module("pynn.saving").serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """Makes the layer that ``serialize`` described.

    Args:
        config: the dictionary.
        custom_objects: classes and functions of your own by name.

    Raises:
        ValueError: an unknown class.
        TypeError: the dictionary describes something else than a layer.

    Example:
        >>> from pynn.layers import Dense
        >>> deserialize(serialize(Dense(3, name="hidden"))).units
        3
    """
    load = importlib.import_module("pynn.saving").deserialize_keras_object
    layer = load(config, custom_objects=custom_objects)
    if not isinstance(layer, Layer):
        raise TypeError(
            f"layers.deserialize: expected the dictionary of a layer. Received: {config!r}"
        )
    return layer
