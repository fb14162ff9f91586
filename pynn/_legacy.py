"""Spellings of Keras that the engine's catalog does not have, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# By kind of object: the older keyword and today's.
KEYWORDS: Mapping[str, Mapping[str, str]] = {
    "optimizer": {"lr": "learning_rate", "eps": "epsilon"},
}

# By kind of object: Keras's class name and ours.
CLASSES: Mapping[str, Mapping[str, str]] = {
    "metric": {"LogCoshError": "LogCosh"},
}


def keras_class_name(kind: str, name: str) -> str:
    """Keras's name of a class of pynn."""
    return {ours: theirs for theirs, ours in CLASSES.get(kind, {}).items()}.get(name, name)


def modern(kind: str, owner: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the keyword arguments under today's names.

    Raises:
        TypeError: an argument given under both names.
    """
    names = KEYWORDS.get(kind, {})
    out: dict[str, Any] = {}
    for key, value in given.items():
        name = names.get(key, key)
        if name in out or (name != key and name in given):
            raise TypeError(f"{owner}: `{key}` is the older name of `{name}`: give one of them.")
        out[name] = value
    return out
