"""One mechanism for ``get_config``, ``from_config`` and ``get``: the constructor's signature.

A class that keeps each constructor argument under the same attribute name needs nothing else.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import Self


class Configurable:
    """An object described by its constructor's arguments."""

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data (for JSON)."""
        return {name: serialize(getattr(self, name)) for name in argument_names(type(self))}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes the object that ``get_config`` described."""
        return cls(**{key: _plain(value) for key, value in config.items()})

    def __repr__(self) -> str:
        arguments = (f"{name}={getattr(self, name)!r}" for name in argument_names(type(self)))
        return f"{type(self).__name__}({', '.join(arguments)})"


def argument_names(cls: type) -> list[str]:
    """Names of the constructor's arguments, without ``self``, ``*args`` and ``**kwargs``."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    star = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.kind not in star]


def serialize(value: Any) -> Any:
    """Turns an argument into plain data; an object becomes its class name and its configuration."""
    if isinstance(value, Configurable) or hasattr(value, "get_config"):
        package = ".".join(type(value).__module__.split(".")[1:2])
        return {
            "module": f"keras.{package}",  # the name Keras files use, so that both can read them
            "class_name": type(value).__name__,
            "config": value.get_config(),
            "registered_name": None,
        }
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [serialize(item) for item in value]
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    return value


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def lookup(kind: str, name: str, table: Mapping[str, Any]) -> Any:
    """Returns ``table[name]``; an unknown name is reported with the nearest one.

    Raises:
        ValueError: there is no such name.
    """
    if name in table:
        return table[name]
    raise ValueError(unknown_name(kind, name, table))


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """The error text for a name that does not exist."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1) or difflib.get_close_matches(
        name.lower(), names, n=1
    )
    hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(names)}."
    return f"Unknown {kind}.{hint} Received: {kind}={name!r}"


def unknown_argument(owner: str, name: str, known: Iterable[str]) -> str:
    """The error text for an argument that does not exist."""
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return f"{owner}: unknown argument `{name}`.{hint}"


def get_object(
    kind: str, identifier: Any, table: Mapping[str, Callable[..., Any]], base: type
) -> Any:
    """The common part of ``initializers.get``, ``regularizers.get``, ...

    Accepts None, an object, a class, a name (any alias in ``table``), or the dictionary made by
    ``serialize``; any other callable is returned as it is.

    Raises:
        ValueError: an unknown name.
        TypeError: something that cannot describe an object of this kind.
    """
    if identifier is None or isinstance(identifier, base):
        return identifier
    if isinstance(identifier, str):
        return lookup(kind, identifier, table)()
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        cls = lookup(kind, str(identifier["class_name"]), table)
        return cls(**identifier.get("config", {}))
    if inspect.isclass(identifier) and issubclass(identifier, base):
        return identifier()
    if callable(identifier):
        return identifier
    raise TypeError(
        f"Expected the {kind} as a name, an object, a class, or a function. "
        f"Received: {kind}={identifier!r} (of type {type(identifier).__name__})"
    )
