"""Losses: functions with a value per row, and classes that reduce them to one number.

Names, parameters and documentation come from the engine's table (``pynn._core.catalog()``);
formulas and defaults are Keras's. ``model.compile(loss=...)`` takes a name, an object, or a
function of one's own.

Example:
    >>> import numpy as np
    >>> y_true, y_pred = np.array([[0.0, 1.0], [0.0, 0.0]]), np.array([[1.0, 1.0], [1.0, 0.0]])
    >>> get("mse")(y_true, y_pred).tolist()
    [0.5, 0.5]
    >>> Huber(delta=0.5)(y_true, y_pred)
    0.1875
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pynn._compat import explain_absent
from pynn.losses import _rows
from pynn.losses._base import Loss, LossFunctionWrapper
from pynn.losses._overlap import Dice, Tversky, dice, tversky
from pynn.utils.configurable import lookup
from pynn.utils.configurable import serialize as _serialize

_FUNCTIONS: dict[str, Any] = {**_rows.BY_NAME, "dice": dice, "tversky": tversky}
_CLASSES: dict[str, Any] = {
    **_rows.CLASSES,
    "Dice": Dice,
    "Tversky": Tversky,
    "LossFunctionWrapper": LossFunctionWrapper,
    "Loss": Loss,
}
_BY_NAME: dict[str, Any] = {**_FUNCTIONS, **_CLASSES}
FUNCTION_NAMES = [*_rows.FUNCTIONS, "dice", "tversky"]  # without aliases
globals().update(_BY_NAME)

__all__ = ["check", "deserialize", "get", "resolve", "serialize", *_BY_NAME]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


# Names that mean one of several losses: see ``kind_of_target``.
_BY_SHAPE = ("crossentropy", "ce")
# One column of predictions, class numbers, rows of the predictions' shape.
_CROSSENTROPIES = (
    "binary_crossentropy",
    "sparse_categorical_crossentropy",
    "categorical_crossentropy",
)


def get(identifier: Any) -> Any:
    """Returns a loss function or object.

    Args:
        identifier: the name of a function ("mse"), which is returned, or of a class
            ("MeanSquaredError"), of which an object is made; a class; the dictionary made by
            ``serialize``; any function or object, or None, is returned as it is.

    Raises:
        ValueError: an unknown name, or something that is not a loss.

    Example:
        >>> get("mae").__name__, get("MeanAbsoluteError").name
        ('mean_absolute_error', 'mean_absolute_error')
    """
    if identifier is None:
        return None
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, str):
        identifier = lookup("loss", identifier, _BY_NAME)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(
        "A loss is a name, a function or an object of pynn.losses. "
        f"Received: loss={identifier!r} (of type {type(identifier).__name__})"
    )


def check(identifier: Any) -> Any:
    """Returns the loss, or a name whose meaning depends on shapes; see ``resolve``.

    Raises:
        ValueError: what ``resolve`` would raise for a name that does not exist.
    """
    by_shape = isinstance(identifier, str) and identifier.lower() in _BY_SHAPE
    return identifier if by_shape else resolve(identifier)


def resolve(
    identifier: Any,
    output_shape: Sequence[int] | None = None,
    target_shape: Sequence[int] | None = None,
) -> Any:
    """Returns the ``Loss`` object that ``compile`` means by something.

    Functions become objects that are called what the function, or the name given, is called.
    "crossentropy" ("ce") means the binary loss for outputs of one column, the sparse categorical
    one for targets that are class numbers, else the categorical one.

    Args:
        identifier: what ``get`` takes, or one of those two names.
        output_shape: the shape of one sample of the output.
        target_shape: the shape of one sample of the targets.

    Raises:
        ValueError: an unknown name, or one whose meaning needs the shapes.

    Example:
        >>> resolve("mse"), resolve("ce", (10,), ()).name
        (MeanSquaredError(reduction='sum_over_batch_size', name='mse', dtype='float32'), 'ce')
    """
    name = identifier if isinstance(identifier, str) else None
    if name is not None and name.lower() in _BY_SHAPE:
        if output_shape is None or target_shape is None:
            raise ValueError(f"The meaning of the loss depends on shapes. Received: loss={name!r}")
        identifier = _CROSSENTROPIES[kind_of_target(output_shape, target_shape)]
    found = get(identifier)
    if found is None or isinstance(found, Loss):
        return found
    name = name or getattr(found, "__name__", None) or getattr(found, "name", None)
    row = getattr(found, "row", None)
    if row is not None:
        return _rows.CLASSES[row.class_name](name=name)
    return LossFunctionWrapper(found, name=name)


def kind_of_target(output_shape: Sequence[int], target_shape: Sequence[int]) -> int:
    """0 for outputs of one column, 1 for targets that are class numbers, 2 for rows of numbers.

    Example:
        >>> kind_of_target((1,), ()), kind_of_target((10,), (1,)), kind_of_target((10,), (10,))
        (0, 1, 2)
    """
    output, target = tuple(output_shape), tuple(target_shape)
    if not output or output[-1] == 1:
        return 0
    return 1 if len(target) < len(output) or target[-1] == 1 else 2


def serialize(loss: Any) -> Any:
    """Returns plain data from which ``deserialize`` makes an equal loss; a name for a function."""
    return _serialize(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the loss that ``serialize`` described.

    Args:
        name: a name, or a dictionary of ``class_name`` and ``config``.
        custom_objects: classes and functions of one's own by name.

    Raises:
        ValueError: an unknown name.

    Example:
        >>> deserialize({"class_name": "Huber", "config": {"delta": 0.5}}).delta
        0.5
    """
    known = {**_BY_NAME, **(custom_objects or {})}
    if isinstance(name, str):
        return lookup("loss", name, known)
    if not isinstance(name, Mapping) or "class_name" not in name:
        raise ValueError(
            "A description of a loss is a name or a dictionary with `class_name` and `config`. "
            f"Received: {name!r}"
        )
    if name["class_name"] == "function":
        return lookup("loss", str(name["config"]), known)
    config = dict(name.get("config", {}))
    if isinstance(config.get("fn"), (str, Mapping)):
        config["fn"] = deserialize(config["fn"], custom_objects)
    return lookup("loss", str(name["class_name"]), known).from_config(config)


explain_absent(globals())
