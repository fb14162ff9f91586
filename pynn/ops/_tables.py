"""The functions of one and of two arguments that are rows of the engine's tables.

Names, formulas and documentation come from the tables ``math`` and ``binary``; only what Keras
spells otherwise is written elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pynn import _catalog
from pynn.ops import _primitives
from pynn.ops._dispatch import public

# ``round`` and ``power`` have public forms of their own.
_NOT_PUBLIC = {"rint", "power"}


def _make(row: _catalog.Row) -> Any:
    one = row.kind != "binary"
    names = ["x"] if one else ["x1", "x2"]
    arguments = {
        "Args": [f"{name}: array or symbol." for name in names],
        "Returns": [
            "An array of the shape of ``x``." if one else "An array of the common shape.",
            *([] if one else ["Axes of length 1 are repeated as in NumPy."]),
        ],
    }

    def body(given: dict[str, Any]) -> Any:
        if one:
            return _primitives.unary(row.name, given["x"])
        return _primitives.binary(row.name, given["x1"], given["x2"])

    parameters = [_catalog.parameter(name) for name in names]
    doc = row.document(arguments)
    return public(_catalog.make_function("pynn.ops", row.name, parameters, "Any", doc, body))


_ROWS = {
    name: row for name, row in _catalog.rows("math", "binary").items() if name not in _NOT_PUBLIC
}
_ROWS["tanh"] = _catalog.rows("activation")["tanh"]
FUNCTIONS: dict[str, Any] = {}  # by public name
for _row in _ROWS.values():
    FUNCTIONS |= dict.fromkeys((_row.name, *_row.aliases), _make(_row))
globals().update(FUNCTIONS)

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
