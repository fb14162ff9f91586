"""One mechanism for ``get_config``, ``from_config`` and ``get``: the constructor's signature.

A class that keeps each constructor argument under the same attribute name needs nothing else.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from inspect import isclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn._legacy import keras_class_name
from pynn.utils.registration import find_custom, get_registered_name

if TYPE_CHECKING:
    from typing_extensions import Self


_MOST_LISTED = 100  # names in an error; more help nobody


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
    return [parameter.name for parameter in _parameters(cls)]


def required_names(cls: type) -> list[str]:
    """Names of the constructor's arguments that have no default."""
    return [p.name for p in _parameters(cls) if p.default is inspect.Parameter.empty]


def _parameters(cls: type) -> list[inspect.Parameter]:
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    star = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p for p in parameters if p.kind not in star]


def serialize(value: Any) -> Any:
    """Turns an argument into plain data; an object becomes its class name and its configuration."""
    if isinstance(value, Configurable) or (hasattr(value, "get_config") and not isclass(value)):
        return describe(type(value), type(value).__name__, value.get_config())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        config = {"value": value.tolist(), "dtype": value.dtype.name}
        return {"class_name": "__numpy__", "config": config} if value.ndim else value.item()
    if isinstance(value, Mapping):
        return {key: serialize(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [serialize(item) for item in value]
    if isinstance(value, slice):
        parts = {name: serialize(getattr(value, name)) for name in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": parts}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if callable(value):
        return _function(value)
    return value


def describe(cls: Any, class_name: str, config: Any) -> dict[str, Any]:
    """The entry of a class or function in a file, with the module Keras looks for it in."""
    own = _own_module(cls)
    public = own is not None and not own.startswith("keras.src")
    if own is not None:
        class_name = keras_class_name(own.rpartition(".")[2].rstrip("s"), class_name)
    return {
        "module": own or cls.__module__,
        "class_name": class_name,
        "config": config,
        "registered_name": None if public else get_registered_name(cls),
    }


def _own_module(thing: Any) -> str | None:
    """The module of Keras that has what ``thing`` is in pynn; None for a class of the user's."""
    parts = str(thing.__module__).split(".")
    if parts[0] != "pynn" or len(parts) < 2:
        return None
    if parts[1] == "models":  # Keras has no public name for the class of functional models
        return "keras.src.models.functional" if thing.__name__ == "Functional" else "keras"
    return "keras.optimizers.schedules" if "schedules" in parts else f"keras.{parts[1]}"


def _function(function: Any) -> Any:
    """A function of pynn is written as its name; of one's own with its registered name."""
    name = str(getattr(function, "__name__", type(function).__name__))
    if hasattr(function, "row") or _own_module(function):
        return name
    if name == "<lambda>":
        return {"class_name": "__lambda__", "config": {"value": None}}  # code is not stored
    return describe(function, "function", get_registered_name(function))


def plain_dtype(config: Mapping[str, Any]) -> dict[str, Any]:
    """A layer's configuration with the name of its type in place of Keras's description of it."""
    dtype = config.get("dtype")
    if isinstance(dtype, Mapping):
        return {**config, "dtype": (dtype.get("config") or {}).get("name")}
    return dict(config)


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
    known_names = f" Known: {', '.join(names)}." if len(names) <= _MOST_LISTED else ""
    hint = f" Did you mean {near[0]!r}?" if near else known_names
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
        found = find_custom(identifier, own=table) or lookup(kind, identifier, table)
        return found() if found in table.values() or isclass(found) else found
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        if identifier["class_name"] == "function":
            return get_object(kind, identifier.get("config"), table, base)
        name = str(identifier["class_name"])
        custom = find_custom(identifier.get("registered_name"), name, own=table)
        cls = custom or lookup(kind, name, table)
        config = identifier.get("config") or {}
        return cls.from_config(config) if hasattr(cls, "from_config") else cls(**config)
    if isclass(identifier) and issubclass(identifier, base):
        return identifier()
    if callable(identifier):
        return identifier
    raise TypeError(
        f"Expected the {kind} as a name, an object, a class, or a function. "
        f"Received: {kind}={identifier!r} (of type {type(identifier).__name__})"
    )
