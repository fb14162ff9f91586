"""Calls of functions of ``pynn.ops`` in functional models, as Keras 3 writes them.

Keras has a class for every function: ``ops.leaky_relu(x, 0.1)`` is a call of ``LeakyRelu`` on
``x``, whose configuration is ``{"negative_slope": 0.1}``.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pynn._graph.structure import flatten
from pynn._graph.symbol import FunctionCall, KerasTensor, record_call
from pynn.utils.configurable import serialize, unknown_name
from pynn.utils.naming import to_snake_case
from pynn.utils.registration import find_custom

# Where Keras keeps the class of a function; the others are in keras.src.ops.numpy.
_ELSEWHERE: Mapping[str, frozenset[str]] = {
    "keras.src.ops.core": frozenset({"cast", "stop_gradient"}),
    "keras.src.ops.linalg": frozenset({"det", "inv", "norm", "solve"}),
    "keras.src.ops.math": frozenset(
        {"erf", "erfinv", "in_top_k", "logsumexp", "rsqrt", "segment_max", "segment_sum", "top_k"}
    ),
    "keras.src.ops.nn": frozenset(
        {
            "binary_crossentropy", "categorical_crossentropy", "celu", "elu", "gelu", "glu",
            "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid",
            "log_softmax", "moments", "multi_hot", "normalize", "one_hot", "relu", "relu6", "selu",
            "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
            "sparse_categorical_crossentropy", "sparse_plus", "sparse_sigmoid", "sparsemax",
            "squareplus", "tanh_shrink", "threshold",
        }
    ),
}  # fmt: skip
_ALIASES = {
    "abs": "absolute",
    "amax": "max",
    "amin": "min",
    "hard_swish": "hard_silu",
    "swish": "silu",
}
# Arguments that belong to the call even where they are plain numbers.
_OF_THE_CALL = frozenset({"condition", "key", "x", "x1", "x2"})


def describe_call(call: FunctionCall) -> tuple[dict[str, Any], list[Any]]:
    """Returns the entry of a function's call in a file, and the arguments of the call."""
    node = call.nodes[0]
    name = str(call.function.__name__).strip("_")
    name = _ALIASES.get(name, name)
    signature = inspect.signature(call.function)
    bound = signature.bind(*node.args, **node.kwargs)
    config: dict[str, Any] = {"name": call.name}
    args: list[Any] = []
    for key, value in bound.arguments.items():
        if key in _OF_THE_CALL or _has_values(value):
            args.append(value)
        elif value is not signature.parameters[key].default:
            config[key] = serialize(value)
    module = next((m for m, names in _ELSEWHERE.items() if name in names), "keras.src.ops.numpy")
    class_name = "".join(part.capitalize() for part in name.split("_"))
    entry = {"module": module, "class_name": class_name, "config": config}
    return {**entry, "registered_name": class_name}, args


def _has_values(structure: Any) -> bool:
    return any(isinstance(leaf, (KerasTensor, np.ndarray)) for leaf in flatten(structure))


def is_operation(entry: Mapping[str, Any]) -> bool:
    """Whether an entry is a function's call rather than a layer."""
    module = str(entry.get("module") or "")
    if module:
        return module.startswith(("keras.src.ops", "keras.ops", "keras.operations"))
    config = entry.get("config")  # .h5 files of Keras name no modules; only layers can be frozen
    if not isinstance(config, Mapping) or {"batch_shape", "dtype", "layers", "trainable"} & {
        *config
    }:
        return False
    class_name = str(entry.get("class_name"))
    return _function(class_name) is not None and find_custom(class_name, own=[class_name]) is None


def _function(class_name: str) -> Callable[..., Any] | None:
    """The function of pynn.ops that a class of Keras stands for."""
    name = to_snake_case(class_name)
    function = vars(importlib.import_module("pynn.ops")).get(name)
    return function if inspect.isfunction(function) and name[0] != "_" else None


def revive_call(entry: Mapping[str, Any]) -> Callable[[Sequence[Any], Mapping[str, Any]], Any]:
    """Returns what makes the call that an entry describes: ``make(args, kwargs) -> symbols``.

    Raises:
        ValueError: pynn.ops has no such function.
    """
    class_name = str(entry["class_name"])
    function = _function(class_name)
    if function is None:
        ops = importlib.import_module("pynn.ops")
        raise ValueError(
            unknown_name("function of pynn.ops", to_snake_case(class_name), ops.__all__)
        )
    is_item = class_name == "GetItem"
    config = dict(entry.get("config") or {})
    call_name = config.pop("name", None)
    takes = inspect.signature(function).parameters
    fixed = {key: value for key, value in config.items() if key in takes}

    def make(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if is_item:  # JSON knows lists only
            args = [args[0], *(tuple(key) if isinstance(key, list) else key for key in args[1:])]
        return record_call(FunctionCall(function, call_name), args, {**fixed, **kwargs})

    return make
