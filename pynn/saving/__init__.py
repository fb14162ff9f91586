"""Models in files: ``.keras``, ``.h5``, ``.weights.h5`` and JSON, in both directions with Keras.

Example:
    >>> @register_keras_serializable(package="doc")
    ... class Doubled:
    ...     def get_config(self):
    ...         return {}
    >>> get_registered_object("doc>Doubled") is Doubled
    True
"""

from __future__ import annotations

from pynn._compat import explain_absent
from pynn.saving.saving import load_model, load_weights, model_from_json, save_model, save_weights
from pynn.saving.serialization import deserialize_keras_object, serialize_keras_object
from pynn.utils.registration import (
    CustomObjectScope,
    custom_object_scope,
    enable_unsafe_deserialization,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "enable_unsafe_deserialization",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "model_from_json",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

explain_absent(globals())
