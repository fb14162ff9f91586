"""Questions about symbols."""

from __future__ import annotations

from typing import Any

from pynn._graph.symbol import KerasTensor


def is_keras_tensor(x: Any) -> bool:
    """Whether a value is a symbol, as ``pynn.Input`` and layers called on symbols return them.

    Example:
        >>> import pynn
        >>> is_keras_tensor(pynn.Input((3,))), is_keras_tensor([1.0])
        (True, False)
    """
    return isinstance(x, KerasTensor)


def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """Returns the symbols of ``pynn.Input`` that a symbol is computed from.

    Example:
        >>> import pynn
        >>> a, b = pynn.Input((3,)), pynn.Input((3,))
        >>> [x is y for x, y in zip(get_source_inputs(pynn.layers.add([a, b])), [a, b])]
        [True, True]
    """
    found: list[KerasTensor] = []
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        symbol = waiting.pop(0)
        if id(symbol) in seen:
            continue
        seen.add(id(symbol))
        if symbol.history is None:
            continue
        sources = symbol.history.node.inputs
        if not sources:
            found.append(symbol)
        waiting.extend(sources)
    return found
