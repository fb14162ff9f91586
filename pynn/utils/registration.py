"""Names for classes and functions of one's own, under which files refer to them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TypeVar

T = TypeVar("T", bound=Callable[..., Any])

_registered: dict[str, Any] = {}  # set by the decorator or through get_custom_objects()
_names: dict[Any, str] = {}  # from object to registered name
_scope: ContextVar[Mapping[str, Any]] = ContextVar("custom_objects", default=MappingProxyType({}))
_unsafe: ContextVar[bool] = ContextVar("unsafe_deserialization", default=False)


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Decorator that makes a class or function known to ``load_model`` as ``package>name``.

    Args:
        package: the first part of the name.
        name: the second part; by default the name of the class or function.

    Raises:
        ValueError: a class without ``get_config``.

    Example:
        >>> @register_keras_serializable(package="doc")
        ... def double(x):
        ...     return 2 * x
        >>> get_registered_name(double)
        'doc>double'
    """

    def register(thing: T) -> T:
        if inspect.isclass(thing) and not hasattr(thing, "get_config"):
            raise ValueError(
                "register_keras_serializable: a class needs a `get_config` method. "
                f"Received: {thing.__name__}"
            )
        full = f"{package}>{name if name is not None else thing.__name__}"
        _registered[full] = thing
        _names[thing] = full
        return thing

    return register


def get_registered_name(obj: Any) -> str:
    """Returns the name an object was registered under, else its own name."""
    try:
        return _names.get(obj) or str(obj.__name__)
    except TypeError:  # cannot be hashed
        return str(obj.__name__)


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Returns the class or function of this name, or None.

    Args:
        name: a registered name (``package>name``) or a name in a scope or dictionary.
        custom_objects: looked at after the enclosing scopes and the registered names.
        module_objects: looked at last.
    """
    for table in (_scope.get(), _registered, custom_objects or {}, module_objects or {}):
        if name in table:
            return table[name]
    return None


def find_custom(*names: Any, own: Container[str] = ()) -> Any:
    """Returns the first object registered or in scope under one of these names, or None.

    A name without a package also finds what was registered with one: other versions of Keras
    write the one or the other. Names in ``own`` do not: they mean what pynn itself has.
    """
    known = {**_registered, **_scope.get()}
    for name in names:
        if isinstance(name, str) and name in known:
            return known[name]
    for name in names:
        if isinstance(name, str) and name not in own:
            last = name.rpartition(">")[2]
            for full, thing in known.items():
                if full.rpartition(">")[2] == last:
                    return thing
    return None


def get_custom_objects() -> dict[str, Any]:
    """Returns the live dictionary of registered names; entries may be added and removed."""
    return _registered


class CustomObjectScope:
    """Makes names known to everything that is deserialized inside a ``with`` block.

    Args:
        custom_objects: classes and functions by name.

    Example:
        >>> import pynn
        >>> def flat(shape, dtype=None):
        ...     return pynn.initializers.Zeros()(shape, dtype)
        >>> with CustomObjectScope({"flat": flat}):
        ...     pynn.initializers.get("flat") is flat
        True
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        self.custom_objects = dict(custom_objects or {})
        self._outer: list[Mapping[str, Any]] = []

    def __enter__(self) -> CustomObjectScope:
        self._outer.append(_scope.get())
        _scope.set({**self._outer[-1], **self.custom_objects})
        return self

    def __exit__(self, *exception: object) -> None:
        _scope.set(self._outer.pop())


custom_object_scope = CustomObjectScope


def enable_unsafe_deserialization() -> None:
    """Allows Lambda layers in files from now on, as ``safe_mode=False`` does for one call.

    Code in files is not run even then: the function must be given in ``custom_objects``.
    """
    _unsafe.set(True)


def is_unsafe() -> bool:
    """Whether Lambda layers may be loaded."""
    return _unsafe.get()


@contextmanager
def unsafe(allowed: bool) -> Iterator[None]:
    """Allows Lambda layers inside a ``with`` block."""
    before = _unsafe.get()
    _unsafe.set(before or allowed)
    try:
        yield
    finally:
        _unsafe.set(before)
