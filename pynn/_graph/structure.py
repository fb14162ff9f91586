"""Nested lists, tuples and dictionaries of values, as models take and return them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any


def flatten(structure: Any) -> list[Any]:
    """Returns the values of a structure in order; dictionaries are read by sorted key.

    Example:
        >>> flatten({"b": 2, "a": [0, 1]})
        [0, 1, 2]
    """
    if isinstance(structure, Mapping):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flatten(part)]
    return [structure]


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """Returns the same structure with ``function`` applied to each value."""
    if isinstance(structure, Mapping):
        return {key: map_structure(function, structure[key]) for key in sorted(structure)}
    if isinstance(structure, (list, tuple)):
        parts = [map_structure(function, part) for part in structure]
        if hasattr(structure, "_fields"):
            return type(structure)(*parts)
        return tuple(parts) if isinstance(structure, tuple) else parts
    return function(structure)


def pack(structure: Any, values: Sequence[Any]) -> Any:
    """Returns the same structure with other values, given in the order of ``flatten``.

    Example:
        >>> pack({"b": 2, "a": [0, 1]}, "xyz")
        {'a': ['x', 'y'], 'b': 'z'}
    """
    rest: Iterator[Any] = iter(values)
    return map_structure(lambda _: next(rest), structure)


def map_shapes(function: Callable[[Any], Any], shapes: Any) -> Any:
    """Applies a function to each shape of a structure, in which a tuple of sizes is one shape."""
    if isinstance(shapes, Mapping):
        return {key: map_shapes(function, shapes[key]) for key in sorted(shapes)}
    if shapes and isinstance(shapes[0], (list, tuple)):
        return [map_shapes(function, shape) for shape in shapes]
    return function(tuple(shapes))


def kept(owner: object, kind: type) -> list[Any]:
    """The objects of a kind among an object's attributes, also in lists and dictionaries there."""
    return distinct([leaf for value in vars(owner).values() for leaf in _of_kind(value, kind)])


def _of_kind(value: Any, kind: type) -> list[Any]:
    if isinstance(value, kind):
        return [value]
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in _of_kind(part, kind)]
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _of_kind(part, kind)]
    return []


def distinct(objects: Iterable[Any]) -> list[Any]:
    """The objects in order, each once."""
    return list({id(item): item for item in objects}.values())
