"""Automatic names: ``dense``, ``dense_1``, ``leaky_re_lu``, ..."""

from __future__ import annotations

import re
import threading
from collections import Counter

_lock = threading.Lock()
_used: Counter[str] = Counter()


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
