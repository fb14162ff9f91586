"""Automatic names, ``dense``, ``dense_1``, ``leaky_re_lu``; and paths, ``model/dense/kernel``."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_lock = threading.Lock()
_used: Counter[str] = Counter()
_outer: ContextVar[tuple[Any, ...]] = ContextVar("outer", default=())


def to_snake_case(name: str) -> str:
    """Turns a class name into a layer name.

    Example:
        >>> to_snake_case("LeakyReLU"), to_snake_case("BatchNormalization")
        ('leaky_re_lu', 'batch_normalization')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(prefix: str) -> str:
    """Returns ``prefix`` the first time it is asked for, then ``prefix_1``, ``prefix_2``, ..."""
    count = number_of_name(prefix)
    return f"{prefix}_{count}" if count else prefix


def number_of_name(prefix: str) -> int:
    """Returns how often ``prefix`` was asked for before."""
    with _lock:
        _used[prefix] += 1
        return _used[prefix] - 1


def reset_names() -> None:
    """Starts the numbering anew."""
    with _lock:
        _used.clear()


@contextmanager
def building(layer: Any) -> Iterator[str]:
    """What is built inside belongs to this layer; gives the layer's path."""
    outer = _outer.get()
    layers = outer if outer and outer[-1] is layer else (*outer, layer)
    token = _outer.set(layers)
    try:
        yield "/".join(each.name for each in layers)
    finally:
        _outer.reset(token)
