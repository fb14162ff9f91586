"""Functions on arrays and symbols: the vocabulary of ``keras.ops`` for dense networks.

Every function takes NumPy arrays, and returns them; inside a layer, loss or metric that is traced,
and on the symbols of the functional API, the same functions describe what the engine computes and
differentiates. What the engine lacks is computed by NumPy as a node of the graph.

Example:
    >>> import pynn
    >>> pynn.ops.maximum([-1.0, 2.0], 0.0).tolist()
    [0.0, 2.0]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pynn._compat import explain_absent
from pynn._graph import tensor as _tensor
from pynn.ops import (
    _tables,
    arrangement,
    control,
    creation,
    crossentropies,
    elementwise,
    integers,
    joining,
    linalg,
    nanreductions,
    nn,
    products,
    reductions,
    sorting,
    statistics,
)

_MODULES = (
    elementwise, reductions, nanreductions, arrangement, joining, products, linalg, nn,
    crossentropies, sorting, statistics, integers, creation, control,
)  # fmt: skip
_PUBLIC: dict[str, Any] = dict(_tables.FUNCTIONS)
for _module in _MODULES:
    _PUBLIC |= {
        _name: _value
        for _name, _value in vars(_module).items()
        if callable(_value)
        and not _name.startswith("_")
        and getattr(_value, "__module__", None) == _module.__name__
    }
for _value in _PUBLIC.values():
    _value.__module__ = __name__
globals().update(_PUBLIC)

__all__ = sorted(_PUBLIC)

# The operators of symbols and variables.
_tensor.FUNCTIONS.update(_PUBLIC, getitem=arrangement.get_item)


if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


explain_absent(globals())
