"""The functions of pynn.ops that are rows of the engine's tables.

Names, parameters, formulas and documentation come from the tables; only what Keras spells otherwise
is written elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pynn import _catalog
from pynn.ops import _primitives
from pynn.ops._dispatch import public

# Rows whose public forms are written in elementwise.py and nn.py, or that keras.ops does not have.
_WRITTEN = {"rint", "power", "softmax", "log_softmax"}
_NOT_OPS = {"exponential", "heaviside", "linear", "mish"}
_DEFAULTS = {"gelu": {"approximate": True}}


def _make(
    row: _catalog.Row, names: Sequence[str], body: Callable[[dict[str, Any]], Any], shape: str
) -> Any:
    fields = [
        _catalog.parameter(
            f.name,
            _DEFAULTS.get(row.name, {}).get(f.name, f.default),
            "bool" if f.is_flag else "Any",
        )
        for f in row.fields
    ]
    parameters = [*(_catalog.parameter(name) for name in names), *fields]
    sections = {
        "Args": [*(f"{name}: array or symbol." for name in names), *row.argument_docs()],
        "Returns": [shape],
    }
    if row.kind == "row_activation":
        parameters.append(_catalog.parameter("axis", -1, "int"))
        sections["Args"].append("axis: the axis that sums run along.")
    function = _catalog.make_function(
        "pynn.ops", row.name, parameters, "Any", row.document(sections), body
    )
    return public(function)


def _unary(row: _catalog.Row) -> Any:
    def body(given: dict[str, Any]) -> Any:
        return _primitives.unary(row.name, given["x"], row.params(row.name, given))

    return _make(row, ["x"], body, "An array of the shape of ``x``.")


def _binary(row: _catalog.Row) -> Any:
    def body(given: dict[str, Any]) -> Any:
        return _primitives.binary(row.name, given["x1"], given["x2"])

    shape = "An array of the common shape; axes of length 1 are repeated as in NumPy."
    return _make(row, ["x1", "x2"], body, shape)


def _by_axis(row: _catalog.Row) -> Any:
    def body(given: dict[str, Any]) -> Any:
        return _primitives.row_activation(row.name, given["x"], given["axis"])

    return _make(row, ["x"], body, "An array of the shape of ``x``.")


_MAKERS = {"math": _unary, "activation": _unary, "row_activation": _by_axis, "binary": _binary}
FUNCTIONS: dict[str, Any] = {}  # by public name
for _kind, _maker in _MAKERS.items():
    for _row in _catalog.rows(_kind).values():
        if _row.name not in _WRITTEN and (_kind in ("math", "binary") or _row.name not in _NOT_OPS):
            FUNCTIONS |= dict.fromkeys((_row.name, *_row.aliases), _maker(_row))
globals().update(FUNCTIONS)

__all__ = ["FUNCTIONS", *sorted(FUNCTIONS)]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
