"""Configurations of Keras 1 and 2 in the words of Keras 3: one table for each generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn.utils.configurable import unknown_name

Config = dict[str, Any]

# By class of layer ("*": all): the older argument and its name in the next generation; None where
# the argument has no effect any more.
_KERAS_1: Mapping[str, Mapping[str, str | None]] = {
    "*": {
        "W_constraint": "kernel_constraint",
        "W_regularizer": "kernel_regularizer",
        "b_constraint": "bias_constraint",
        "b_regularizer": "bias_regularizer",
        "bias": "use_bias",
        "init": "kernel_initializer",
        "input_dtype": None,
        "weights": None,
    },
    "BatchNormalization": {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
    "Dense": {"output_dim": "units"},
    "Dropout": {"p": "rate"},
    "Embedding": {
        "W_constraint": "embeddings_constraint",
        "W_regularizer": "embeddings_regularizer",
        "dropout": None,
        "init": "embeddings_initializer",
    },
    "GaussianDropout": {"p": "rate"},
    "GaussianNoise": {"sigma": "stddev"},
    "PReLU": {"init": "alpha_initializer"},
}
_KERAS_2: Mapping[str, Mapping[str, str | None]] = {
    "*": {"batch_input_shape": "batch_shape"},
    "BatchNormalization": {"fused": None, "virtual_batch_size": None, "adjustment": None},
    "InputLayer": {"ragged": None, "type_spec": None},
    "LeakyReLU": {"alpha": "negative_slope"},
}

# The layer Merge of Keras 1, by its mode.
_MERGE = {
    "ave": "Average",
    "concat": "Concatenate",
    "dot": "Dot",
    "max": "Maximum",
    "mul": "Multiply",
    "sum": "Add",
}
_CLASSES = {"Container": "Functional", "Model": "Functional"}

# Arguments of optimizers that are called otherwise, or (None) have no effect any more.
_OPTIMIZER: Mapping[str, str | None] = {
    "initial_decay": None,
    "is_legacy_optimizer": None,
    "jit_compile": None,
    "lr": "learning_rate",
    "schedule_decay": None,
}
_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")


def generation_of(version: Any) -> int:
    """The generation of Keras (1, 2 or 3) that a version belongs to; files without one are old.

    Example:
        >>> generation_of("2.11.0"), generation_of("3.10.0"), generation_of(None)
        (2, 3, 1)
    """
    first = str(version or "1").partition(".")[0]
    return min(3, max(1, int(first))) if first.isdigit() else 3


def by_kind(version: Any) -> bool:
    """Whether optimizers of this version save one kind of array after the other, before 2.11.

    Example:
        >>> by_kind("2.10.0"), by_kind("2.15.0"), by_kind("3.0.0")
        (True, False, False)
    """
    minor = [*str(version).split("."), "0"][1]
    generation = generation_of(version)
    return generation == 1 or (generation == 2 and minor.isdigit() and int(minor) < 11)


def modern_model(entry: Any, generation: int) -> Any:
    """Returns the description of a model, or of a layer, as Keras 3 would write it.

    Args:
        entry: ``{"class_name": ..., "config": ...}``.
        generation: that of the Keras which wrote it.

    Raises:
        ValueError: it is no description of a layer.
    """
    if not isinstance(entry, Mapping) or "class_name" not in entry:
        raise ValueError(f"Expected the description of a layer in the file. Received: {entry!r}")
    if generation >= 3:
        return entry
    name, config = str(entry["class_name"]), entry.get("config")
    if isinstance(config, list):  # Sequential, before Keras 2.3
        config = {"layers": config}
    if not isinstance(config, Mapping):
        raise ValueError(f"{name}: expected a configuration. Received: config={config!r}")
    config = dict(config)
    if name == "Merge":
        name, config = _merge(config)
    if "layers" in config:
        config = _modern_stack(config, generation)
    if isinstance(config.get("layer"), Mapping):  # TimeDistributed
        config["layer"] = modern_model(config["layer"], generation)
    if generation == 1:
        config = _first_generation(name, config)
    config = _rename(config, {**_KERAS_2["*"], **_KERAS_2.get(name, {})})
    if isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
        config["axis"] = config["axis"][0]
    config = {key: _argument(value) for key, value in config.items()}
    kept = {key: entry[key] for key in ("build_config", "registered_name") if key in entry}
    modern = {**kept, "class_name": _CLASSES.get(name, name), "config": config}
    if "inbound_nodes" in entry:
        modern["name"] = entry.get("name", config.get("name"))
        modern["inbound_nodes"] = [_node(node) for node in entry["inbound_nodes"] or ()]
    return modern


def _modern_stack(config: Config, generation: int) -> Config:
    """The layers of a model, and which are its inputs and outputs."""
    layers = [modern_model(layer, generation) for layer in config["layers"]]
    ends = {
        key: config[key][0] if len(config[key]) == 1 else config[key]
        for key in ("input_layers", "output_layers")
        if isinstance(config.get(key), list)
    }
    return {**config, **ends, "layers": layers}


def _first_generation(name: str, config: Config) -> Config:
    config = _rename(config, {**_KERAS_1["*"], **_KERAS_1.get(name, {})})
    if name != "Embedding":  # a first layer has batch_input_shape; elsewhere it says nothing new
        config.pop("input_dim", None)
    if name == "BatchNormalization" and config.pop("mode", 0) != 0:
        raise ValueError(f"{config.get('name')}: BatchNormalization is supported with mode=0 only.")
    for key, value in config.items():
        if key.endswith("regularizer") and isinstance(value, Mapping) and "name" in value:
            factors = {k: float(value.get(k, 0.0)) for k in ("l1", "l2")}
            config[key] = {"class_name": "L1L2", "config": factors}
        if key.endswith("constraint") and isinstance(value, Mapping) and "name" in value:
            given = {k: v for k, v in value.items() if k != "name"}
            config[key] = {
                "class_name": str(value["name"]),
                "config": _rename(given, {"m": "max_value"}),
            }
    return config


def _rename(config: Config, names: Mapping[str, str | None]) -> Config:
    renamed = {names.get(key, key): value for key, value in config.items()}
    renamed.pop(None, None)
    return {str(key): value for key, value in renamed.items()}


def _argument(value: Any) -> Any:
    """An initializer's description without the element type it had in Keras 2."""
    if isinstance(value, Mapping) and isinstance(value.get("config"), Mapping):
        inner = {k: v for k, v in value["config"].items() if k != "dtype"}
        return {**value, "config": inner} if "layers" not in inner else value
    return value


def _merge(config: Config) -> tuple[str, Config]:
    mode = str(config.get("mode"))
    if mode not in _MERGE:
        raise ValueError(unknown_name("mode of the layer Merge", mode, _MERGE))
    kept: Config = {key: config[key] for key in ("name", "trainable") if key in config}
    if mode == "concat":
        kept["axis"] = config.get("concat_axis", -1)
    if mode == "dot":
        kept["axes"] = config.get("dot_axes", -1)
    return _MERGE[mode], kept


def _node(node: Any) -> Any:
    """A call of a layer: lists of [layer, call, output, arguments] become symbols."""
    if isinstance(node, Mapping):
        return node
    try:
        symbols = [
            {"class_name": "__keras_tensor__", "config": {"keras_history": list(source[:3])}}
            for source in node
        ]
        kwargs = dict(node[0][3]) if node and len(node[0]) > 3 else {}
    except (TypeError, IndexError, ValueError, KeyError):
        raise ValueError(f"Expected the inputs of a layer. Received: {node!r}") from None
    kwargs.pop("mask", None)
    return {"args": [symbols[0] if len(symbols) == 1 else symbols], "kwargs": kwargs}


def modern_training(config: Mapping[str, Any]) -> Config:
    """Returns the arguments of ``compile`` as Keras 3 would write them (any generation)."""
    optimizer = config.get("optimizer", config.get("optimizer_config"))
    arguments = {
        name: config.get(name) for name in ("loss", "loss_weights", "metrics", "weighted_metrics")
    }
    for name in ("loss", "metrics", "weighted_metrics"):
        arguments[name] = _reduction(arguments[name])
    return {"optimizer": _optimizer(optimizer), **arguments}


def _optimizer(entry: Any) -> Any:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("config"), Mapping):
        return entry
    config = _rename(dict(entry["config"]), _OPTIMIZER)
    if not config.get("decay"):
        config.pop("decay", None)
    if config.get("epsilon", 0) is None:
        del config["epsilon"]
    if config.get("name", "") is not None and entry.get("class_name", "").startswith("Custom>"):
        config.pop("name", None)
    return {**entry, "class_name": entry["class_name"].rpartition(">")[2], "config": config}


def _reduction(value: Any) -> Any:
    """Losses and metrics without the wrappers of Keras 2."""
    if isinstance(value, list):
        return [_reduction(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    config = value.get("config")
    if "class_name" not in value or not isinstance(config, Mapping):
        return {key: _reduction(item) for key, item in value.items()}
    config = dict(config)
    function = config.pop("fn", None)
    if value["class_name"] in ("MeanMetricWrapper", "LossFunctionWrapper") and function:
        return config["name"] if config.get("name") in _BY_SHAPE else function
    if config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    return {**value, "config": config}
