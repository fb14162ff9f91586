"""What the engine offers, by name: the rows of ``_core.catalog()`` and what is made from them.

No list of activations, losses, metrics or optimizers is kept in Python. A row gives a function or a
class its name, its aliases, its signature, its defaults and its documentation.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import _core, config

Array = npt.NDArray[Any]

_POSITIVE = 1e-300  # a bound this small but not 0 reads "above 0"


@dataclass(frozen=True)
class Field:
    """A parameter of a row."""

    name: str
    default: Any  # a number, a bool, None for "no limit", or ``inspect.Parameter.empty``
    doc: str
    low: float = -math.inf
    high: float = math.inf
    is_flag: bool = False

    def number(self, owner: str, value: Any) -> float:
        """Returns the value as the engine takes it, after checking it.

        Raises:
            TypeError: not a number.
            ValueError: outside the accepted range.
        """
        if value is None and self.default is None:
            return math.inf
        if value is inspect.Parameter.empty:
            raise TypeError(f"{owner}: `{self.name}` has no default and must be given")
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise TypeError(
                f"{owner}: `{self.name}` must be a number. Received: {self.name}={value!r}"
            ) from None
        if not self.low <= number <= self.high:
            raise ValueError(
                f"{owner}: `{self.name}` must be {self.range}. Received: {self.name}={value!r}"
            )
        return number

    @property
    def range(self) -> str:
        """The accepted values in words."""
        if self.is_flag:
            return "True or False"
        low = "above 0" if 0 < self.low < _POSITIVE else f"at least {self.low:g}"
        if math.isinf(self.high):
            return "a finite number" if math.isinf(self.low) else low
        return f"between {0 if self.low < _POSITIVE else self.low:g} and {self.high:g}"

    @property
    def parameter(self) -> inspect.Parameter:
        """The parameter of a Python signature."""
        kind = "bool" if self.is_flag else "float | None" if self.default is None else "float"
        return parameter(self.name, self.default, kind)


@dataclass(frozen=True)
class Row:
    """A row of the catalog."""

    kind: str
    name: str
    aliases: tuple[str, ...]
    class_name: str
    fields: tuple[Field, ...]
    formula: str
    doc: str
    reference: str
    facts: Mapping[str, Any]

    def params(self, owner: str, given: Mapping[str, Any]) -> tuple[float, ...]:
        """The parameters in the engine's order, defaults where none is given."""
        return tuple(f.number(owner, given.get(f.name, f.default)) for f in self.fields)

    def document(self, sections: Mapping[str, Sequence[str]]) -> str:
        """A docstring: sentence, formula, the sections given, references."""
        parts = [self.doc, f"Formula: ``{self.formula}``"]
        parts += [
            "\n".join([f"{title}:", *(f"    {line}" for line in lines)])
            for title, lines in sections.items()
        ]
        if self.reference:
            parts.append(f"References:\n    {self.reference}")
        return "\n\n".join(parts) + "\n"

    def argument_docs(self) -> list[str]:
        """A line for each parameter."""
        return [f"{f.name}: {f.doc[0].lower()}{f.doc[1:]}" for f in self.fields]


def _field(raw: Mapping[str, Any]) -> Field:
    default = raw["default"]
    if isinstance(default, float):
        if math.isinf(default):
            default = None
        elif math.isnan(default):
            default = inspect.Parameter.empty
    return Field(raw["name"], default, raw["doc"], raw["low"], raw["high"], raw["is_flag"])


_TEXT = ("kind", "name", "aliases", "class_name", "fields", "formula", "doc", "reference")


@cache
def rows(*kinds: str) -> dict[str, Row]:
    """The catalog's rows of these kinds by name, in the engine's order."""
    return {
        raw["name"]: Row(
            raw["kind"],
            raw["name"],
            tuple(raw["aliases"].split()),
            raw["class_name"],
            tuple(_field(field) for field in raw["fields"]),
            raw["formula"],
            raw["doc"],
            raw["reference"],
            {key: value for key, value in raw.items() if key not in _TEXT},
        )
        for raw in _core.catalog()
        if raw["kind"] in kinds
    }


def parameter(
    name: str, default: Any = inspect.Parameter.empty, kind: str = "Any"
) -> inspect.Parameter:
    """A parameter that can be given by position or by name."""
    return inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind
    )


def keyword(name: str, default: Any, kind: str) -> inspect.Parameter:
    """A parameter that can only be given by name."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def make_function(
    module: str,
    name: str,
    parameters: Sequence[inspect.Parameter],
    result: str,
    doc: str,
    body: Callable[[dict[str, Any]], Any],
) -> Any:
    """A function with this name, signature and documentation.

    ``body`` gets the arguments by name, defaults filled in.
    """
    signature = inspect.Signature(parameters, return_annotation=result)

    def function(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name}() {error}") from None
        bound.apply_defaults()
        return body(bound.arguments)

    function.__name__ = name
    function.__qualname__ = name.rpartition(".")[2]
    function.__module__ = module
    function.__doc__ = doc
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


def make_class(
    module: str, name: str, base: type, parameters: Sequence[Any], doc: str, facts: dict[str, Any]
) -> Any:
    """A subclass of ``base`` whose constructor has these parameters.

    The arguments become attributes of the same names; then ``base._setup`` checks them.
    """

    def body(given: dict[str, Any]) -> None:
        self = given.pop("self")
        for key, value in given.items():
            setattr(self, key, value)
        self._setup()

    head = parameter("self")
    init = make_function(module, name, [head, *parameters], "None", "", body)
    init.__name__, init.__qualname__ = "__init__", f"{name}.__init__"
    return type(base)(
        name, (base,), {"__init__": init, "__doc__": doc, "__module__": module, **facts}
    )


def float_array(name: str, value: Any) -> Array:
    """The value as an array of float32 or float64; other number types become ``floatx()``.

    Raises:
        TypeError: not an array of real numbers.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"`{name}` must hold real numbers. Received: {name}.dtype={array.dtype}")
    if array.dtype.name in ("float32", "float64"):
        return array
    return array.astype(config.floatx())
