"""What ``compile`` was given, in files."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from pynn import losses
from pynn.saving.legacy import modern_training
from pynn.saving.serialization import revive
from pynn.utils.configurable import serialize

_KINDS = {
    "optimizer": "optimizers",
    "loss": "losses",
    "metrics": "metrics",
    "weighted_metrics": "metrics",
}


def compile_config(model: Any) -> dict[str, Any]:
    """Returns the arguments of ``compile`` as plain data; none if it was not called."""
    if not model.compiled:
        return {}
    given = model._compile_arguments
    described = {name: serialize(given.get(name)) for name in (*_KINDS, "loss_weights")}
    return {**described, "optimizer": serialize(model.optimizer)}


def full_names(loss: Any) -> Any:
    """A loss, or a structure of them, with "mse" and the like spelled out: Keras does not find the
    short names in ``.h5`` files."""
    if isinstance(loss, Mapping) and "class_name" not in loss:
        return {key: full_names(part) for key, part in loss.items()}
    if isinstance(loss, list):
        return [full_names(part) for part in loss]
    row = getattr(getattr(losses, loss, None), "row", None) if isinstance(loss, str) else None
    return loss if row is None else row.name


def compile_from_config(model: Any, config: Mapping[str, Any]) -> None:
    """Compiles a model as ``compile_config`` or a file says.

    Warns:
        UserWarning: something in it is unknown; the model is then not compiled.
    """
    try:
        modern = modern_training(config)
        arguments = {name: revive(value, _KINDS.get(name)) for name, value in modern.items()}
        if arguments["optimizer"] is not None:
            model.compile(**arguments)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        warnings.warn(
            f"{model.name}: the model was not compiled: {error} Predicting works; to train, "
            "call compile, or load the file with custom_objects.",
            stacklevel=2,
        )
