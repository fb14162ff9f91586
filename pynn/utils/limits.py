"""How large the weights may become while a file is read that may say anything."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

_most: ContextVar[int | None] = ContextVar("most_elements", default=None)


@contextmanager
def weights_within(elements: int) -> Iterator[None]:
    """Inside a ``with`` block no weight array may have more elements."""
    token = _most.set(elements)
    try:
        yield
    finally:
        _most.reset(token)


def check_weight_size(name: str, shape: Sequence[int]) -> None:
    """Raises ValueError for a weight array that is larger than the file it is read from allows."""
    most = _most.get()
    if most is not None and math.prod(shape) > most:
        raise ValueError(
            f"{name}: the file describes an array far larger than the file itself. "
            f"Received: shape={tuple(shape)}"
        )
