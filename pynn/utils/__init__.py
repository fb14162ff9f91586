"""Small helpers: seeds, labels, data sets, names, drawings of models."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pynn import _compat
from pynn.utils.dataset import PyDataset, Sequence
from pynn.utils.dtypes import standardize_dtype
from pynn.utils.naming import reset_names
from pynn.utils.preprocessing import (
    normalize,
    pack_x_y_sample_weight,
    pad_sequences,
    split_dataset,
    to_categorical,
    unpack_x_y_sample_weight,
)
from pynn.utils.progress import Progbar
from pynn.utils.random import set_random_seed
from pynn.utils.registration import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

if TYPE_CHECKING:
    from pynn._graph.inspection import get_source_inputs as get_source_inputs
    from pynn._graph.inspection import is_keras_tensor as is_keras_tensor
    from pynn.diagrams import model_to_dot as model_to_dot
    from pynn.diagrams import plot_model as plot_model
    from pynn.ops._check import check_gradients as check_gradients
    from pynn.saving import deserialize_keras_object as deserialize_keras_object
    from pynn.saving import serialize_keras_object as serialize_keras_object

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "register_keras_serializable",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

# Names of keras.utils whose code stands on a higher floor: loaded when first used.
_ABOVE = {
    "deserialize_keras_object": "pynn.saving",
    "serialize_keras_object": "pynn.saving",
    "check_gradients": "pynn.ops._check",
    "get_source_inputs": "pynn._graph.inspection",
    "is_keras_tensor": "pynn._graph.inspection",
    "model_to_dot": "pynn.diagrams",
    "plot_model": "pynn.diagrams",
}


def clear_session(free_memory: bool = True) -> None:
    """Starts the numbering of automatic layer names anew (``dense``, ``dense_1``, ...).

    Args:
        free_memory: also collect what Python holds in cycles.
    """
    reset_names()
    if free_memory:
        import gc

        gc.collect()


def __getattr__(name: str) -> Any:
    if name in _ABOVE:
        return getattr(importlib.import_module(_ABOVE[name]), name)
    _compat.raise_absent(__name__, name)
