"""Errors about names of Keras that pynn leaves out: they say why, and what to use instead."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from pynn._absent import ABSENT, Absent


def reason(name: str) -> Absent | None:
    """The row about a name such as ``layers.Conv2D`` or about the namespace it is in."""
    from fnmatch import fnmatchcase

    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        path = ".".join(parts[:end])
        for row in ABSENT:
            if any(fnmatchcase(path, pattern) for pattern in row.names.split()):
                return row
    return None


def message(name: str) -> str | None:
    """The error text about a name that pynn leaves out on purpose, or None."""
    row = reason(name)
    return f"keras.{name} is not in pynn: {row.why}. {row.instead}" if row else None


def raise_absent(module: str, name: str) -> NoReturn:
    """What the ``__getattr__`` of a module of pynn does with a name it does not have.

    Raises:
        AttributeError: always; the text says what to use instead if the name is one of Keras's.
    """
    path = f"{module}.{name}".removeprefix("pynn.")  # pynn.x.y: keras.x.y
    text = None if name.startswith("_") else message(path)
    raise AttributeError(
        text or f"module {module!r} has no attribute {name!r}", name=name, obj=sys.modules[module]
    )


def explain_absent(namespace: dict[str, Any]) -> None:
    """Gives a module (its ``globals()``) the errors of ``raise_absent``.

    Set from here and not written as a function of the module, because type checkers take a module
    with ``__getattr__`` for one that has every name.
    """
    module = namespace["__name__"]
    namespace["__getattr__"] = lambda name: raise_absent(module, name)


def explain_absent_members(cls: type) -> None:
    """Gives a class such as Model, and those derived from it, errors that explain absent members.

    Set from here for the sake of type checkers, as in ``explain_absent``.
    """

    def missing(self: Any, name: str) -> Any:
        own = getattr(type(self), name, None)
        if isinstance(own, property):  # it raised AttributeError itself: with its own text
            return own.__get__(self)
        text = f"{type(self).__name__!r} object has no attribute {name!r}"
        if not name.startswith("_"):
            classes = [c.__name__ for c in type(self).__mro__ if c.__module__.startswith("pynn.")]
            explained = (message(f"{known}.{name}") for known in classes)
            text = next((f"{text}: {found}" for found in explained if found), text)
        raise AttributeError(text, name=name, obj=self)

    setattr(cls, "__getattr__", missing)  # noqa: B010


class AbsentModules:
    """The last of Python's module finders: ``import pynn.applications`` says why it is not there.

    ``from pynn.layers import Conv2D`` comes this way too, since Python looks for a module when a
    package has no such attribute.
    """

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> None:
        if fullname.startswith("pynn.") and (text := message(fullname.removeprefix("pynn."))):
            raise ImportError(text, name=fullname)


def install() -> None:
    """Puts ``AbsentModules`` after Python's own finders."""
    if AbsentModules not in sys.meta_path:
        sys.meta_path.append(AbsentModules)
