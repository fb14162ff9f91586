"""Activation functions.

Each function takes an array or symbol of any shape and returns the like; names, parameters and
documentation come from the engine's table (``pynn._core.catalog()``). A layer takes a name
(``activation="relu"``) or one of these functions.

Example:
    >>> import numpy as np
    >>> get("relu")(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    >>> get("leaky_relu")(np.array([-1.0, 2.0]), negative_slope=0.5).tolist()
    [-0.5, 2.0]
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn import _catalog, _core
from pynn._compat import explain_absent
from pynn.ops._dispatch import graph_of, public
from pynn.ops._primitives import row_activation, unary
from pynn.utils.configurable import lookup, unknown_argument
from pynn.utils.configurable import serialize as _describe
from pynn.utils.registration import find_custom

_ROWS = _catalog.rows("activation", "row_activation")


def _make(row: _catalog.Row) -> Any:
    by_row = row.kind == "row_activation"
    parameters = [_catalog.parameter("x", kind="npt.ArrayLike")]
    parameters += [field.parameter for field in row.fields]
    arguments = ["x: array of any shape.", *row.argument_docs()]
    if by_row:
        parameters.append(_catalog.parameter("axis", -1, "int"))
        arguments.append("axis: the axis that sums run along.")

    def body(given: dict[str, Any]) -> Any:
        params = list(row.params(row.name, given))
        if graph_of(given["x"]) is not None:
            if by_row:
                return row_activation(row.name, given["x"], given["axis"])
            return unary(row.name, given["x"], params)
        x = _catalog.float_array("x", given["x"])
        if not by_row:
            return _core.activation(row.name, x, params)
        rows = np.moveaxis(x, given["axis"], -1)
        return np.moveaxis(_core.activation(row.name, rows, params), -1, given["axis"])

    doc = row.document({"Args": arguments, "Returns": ["An array of the shape of ``x``."]})
    made = _catalog.make_function(__name__, row.name, parameters, "npt.NDArray[Any]", doc, body)
    function: Any = public(made)
    function.name, function.row = row.name, row
    if all(field.default is not inspect.Parameter.empty for field in row.fields):
        function.params = row.params(row.name, {})
    return function


_FUNCTIONS: dict[str, Any] = {name: _make(row) for name, row in _ROWS.items()}
_BY_NAME = {
    name: _FUNCTIONS[row.name] for row in _ROWS.values() for name in (row.name, *row.aliases)
}
globals().update(_BY_NAME)

__all__ = ["deserialize", "get", "serialize", "spec", *_BY_NAME]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


def get(identifier: Any) -> Any:
    """Returns an activation function.

    Args:
        identifier: a name or alias, one of this module's functions, or None for ``linear``; a
            function of your own, written with ``pynn.ops`` or made by ``pynn.ops.with_gradient``,
            or the name it was registered under.

    Returns:
        The function. For one of this module, the attributes ``name`` and ``params`` say which row
        of the engine's table it is and with which parameters.

    Raises:
        ValueError: an unknown name.
        TypeError: an activation whose parameters have no defaults, or something that is no
            function.

    Example:
        >>> get("swish").name
        'silu'
    """
    if identifier is None:
        return _FUNCTIONS["linear"]
    if isinstance(identifier, Mapping) and "config" in identifier:
        identifier = identifier["config"]
    if isinstance(identifier, str):
        custom = find_custom(identifier, own=_BY_NAME)
        identifier = custom or lookup("activation", identifier, _BY_NAME)
    if isinstance(getattr(identifier, "row", None), _catalog.Row):
        if not hasattr(identifier, "params"):
            identifier.row.params(identifier.name, {})  # raises: it says what has no default
        return identifier
    if callable(identifier) and not inspect.isclass(identifier):
        return identifier
    raise TypeError(
        "An activation is a function written with pynn.ops, or the name of one in "
        f"pynn.activations. Received: activation={identifier!r}"
    )


def spec(name: str, **fields: Any) -> tuple[str, tuple[float, ...]]:
    """Returns the engine's name of an activation and its parameters in the engine's order.

    Raises:
        ValueError: an unknown name, or a parameter outside its range.
        TypeError: an unknown parameter.

    Example:
        >>> spec("leaky_relu", negative_slope=0.25)
        ('leaky_relu', (0.25,))
    """
    row: _catalog.Row = lookup("activation", name, _BY_NAME).row
    known = [field.name for field in row.fields]
    for given in fields:
        if given not in known:
            raise TypeError(unknown_argument(row.name, given, known))
    return row.name, row.params(row.name, fields)


def serialize(activation: Any) -> Any:
    """Returns the name of an activation function; a description of one of your own."""
    return _describe(get(activation))


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the activation function of this name.

    Args:
        config: a name or the dictionary of a file.
        custom_objects: functions of your own by name.
    """
    name = config.get("config") if isinstance(config, Mapping) else config
    return (custom_objects or {}).get(name) or get(config)


explain_absent(globals())
