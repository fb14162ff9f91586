"""Samples, targets and weights of a model with any number of inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn._graph.structure import flatten
from pynn.models import checks
from pynn.utils.sparse import SparseRows

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Data:
    """Arrays whose first axis counts the samples.

    Attributes:
        x: one for each input; compressed rows for one that is sparse.
        y: one for each output, None where nothing is compared with it.
        weight: one for each output, None where all samples count alike.
    """

    x: Sequence[Array | SparseRows]
    y: Sequence[Array | None]
    weight: Sequence[Array | None]

    @property
    def rows(self) -> int:
        return len(self.x[0])

    def slice(self, start: int, stop: int) -> Data:
        """Returns some of the rows, without a copy."""
        return Data(*(_rows(part, slice(start, stop)) for part in (self.x, self.y, self.weight)))

    def take(self, rows: npt.NDArray[np.int64]) -> Data:
        """Returns copies of some rows, in the order given."""
        return Data(*(_rows(part, rows) for part in (self.x, self.y, self.weight)))


def _rows(arrays: Sequence[Any], rows: Any) -> list[Any]:
    return [None if array is None else array[rows] for array in arrays]


def inputs(x: Any, symbols: Any, names: Sequence[str]) -> list[Array | SparseRows]:
    """Returns one array of samples, or sparse rows of them, for each input of a model.

    Args:
        x: an array; or several in the structure of ``symbols``, or by name.
        symbols: the model's inputs.
        names: of the inputs.

    Raises:
        ValueError: inputs are missing, unknown or of the wrong shape.
    """
    expected = flatten(symbols)
    if isinstance(x, Mapping):
        parts = [x[name] for name in _known("x", x, names)]
    elif isinstance(symbols, Mapping) and len(expected) > 1:
        raise ValueError(
            f"`x` must be a dictionary with the keys {list(names)}, as the model's inputs are. "
            f"Received: x of type {type(x).__name__}"
        )
    elif len(expected) == 1:
        parts = [x[0] if isinstance(x, (list, tuple)) and _is_wrapped(x, expected[0]) else x]
    elif isinstance(x, (list, tuple)) and len(x) == len(expected):
        parts = list(x)
    else:
        raise ValueError(
            f"`x` must hold an array for each of the {len(expected)} inputs {list(names)}, as a "
            f"list or by name. Received: x of type {type(x).__name__}"
            + (f" and length {len(x)}" if isinstance(x, (list, tuple)) else "")
        )
    several = len(expected) > 1
    return [
        checks.samples(f"x[{name!r}]" if several else "x", part, symbol.sample, symbol.sparse)
        for name, part, symbol in zip(names, parts, expected, strict=True)
    ]


def _is_wrapped(x: Sequence[Any], symbol: Any) -> bool:
    """Whether a list holds the one array of samples, rather than being it."""
    return len(x) == 1 and np.ndim(x[0]) == len(symbol.shape)


def by_output(argument: str, value: Any, names: Sequence[str]) -> list[Any]:
    """Returns one value for each output, None where there is none.

    Args:
        argument: its name, for messages.
        value: one for the only output; or a list or tuple of them, or a dictionary by name.
        names: of the outputs.

    Raises:
        ValueError: too many or too few, or an unknown name.
    """
    if isinstance(value, Mapping):
        _known(argument, value, names, complete=False)
        return [value.get(name) for name in names]
    if len(names) == 1:
        wrapped = isinstance(value, (list, tuple)) and len(value) == 1 and np.ndim(value[0]) > 0
        return [value[0] if wrapped else value]
    if not isinstance(value, (list, tuple)) or len(value) != len(names):
        raise ValueError(
            f"`{argument}` must hold one entry for each of the {len(names)} outputs "
            f"{list(names)}, as a list or by name. Received: {type(value).__name__}"
            + (f" of length {len(value)}" if isinstance(value, (list, tuple)) else "")
        )
    return list(value)


def _known(
    argument: str, given: Mapping[str, Any], names: Sequence[str], complete: bool = True
) -> Sequence[str]:
    unknown = [name for name in given if name not in names]
    missing = [name for name in names if name not in given] if complete else []
    if unknown or missing:
        raise ValueError(f"`{argument}` must have the keys {list(names)}. Received: {list(given)}")
    return names


def weights_by_output(
    value: Any, names: Sequence[str], rows: int, outputs: Sequence[tuple[int, ...]]
) -> list[Array | None]:
    """Returns the sample weights of each output; one array is for all of them.

    Args:
        value: an array, or a list or dictionary of arrays.
        names: of the outputs.
        rows: how many samples there are.
        outputs: the shapes of one sample of each output.

    Raises:
        ValueError: shapes that do not fit, negative weights or NaN.
    """
    if value is None or not isinstance(value, (Mapping, list, tuple)) or _is_numbers(value):
        given = [value] * len(names)
    else:
        given = by_output("sample_weight", value, names)
    return [
        checks.sample_weights(part, rows, shape[:-1])
        for part, shape in zip(given, outputs, strict=True)
    ]


def _is_numbers(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and np.ndim(value[0]) == 0
        and (value[0] is not None)
    )


def class_weights_by_output(
    value: Any, names: Sequence[str], y: Sequence[Array | None], sparse: Sequence[bool]
) -> list[Array | None]:
    """Returns the weight of each row's class for each output.

    Args:
        value: ``{class: weight}`` for the only output, or ``{output: {class: weight}}``.
        names: of the outputs.
        y: the targets.
        sparse: whether targets are class indices.

    Raises:
        ValueError: no classes, or weights that are negative or no numbers.
    """
    by_name = isinstance(value, Mapping) and value and all(key in names for key in value)
    if len(names) > 1 and not by_name:
        raise ValueError(
            "`class_weight` needs the name of an output where a model has several: "
            f"{{output: {{class: weight}}}}. Received: class_weight={value!r}"
        )
    given = by_output("class_weight", value, names) if by_name else [value]
    return [
        None if part is None or target is None else checks.class_weights(part, target, is_sparse)
        for part, target, is_sparse in zip(given, y, sparse, strict=True)
    ]


def split(data: Data, validation_split: float) -> tuple[Data, Data]:
    """Splits off the last part of the rows, as they stand, for validation.

    Raises:
        ValueError: the part is not in [0, 1), or one side would be empty.
    """
    at = math.floor(data.rows * (1.0 - validation_split))
    if at in (0, data.rows):
        raise ValueError(
            f"`validation_split` leaves no rows for {'training' if at == 0 else 'validation'}. "
            f"Received: validation_split={validation_split} with {data.rows} rows"
        )
    for y in data.y:
        if y is not None:
            checks.warn_if_sorted(y)
    return data.slice(0, at), data.slice(at, data.rows)


def product(a: Array | None, b: Array | None) -> Array | None:
    """The product of two weights per sample, where None counts as one."""
    if a is None or b is None:
        return a if b is None else b
    return a * b.reshape(b.shape + (1,) * (a.ndim - b.ndim))
