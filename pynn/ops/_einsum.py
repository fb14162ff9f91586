"""Einstein sums of tensors by transposing, reshaping and products of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from pynn._graph.tensor import Tensor
from pynn.ops._matmul import product
from pynn.ops._primitives import binary, rearrange, reduce, reshape

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def parse(subscripts: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The labels of the operands' axes and of the result's, without ``...`` and ``->``.

    Raises:
        ValueError: the text does not fit the operands.
    """
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    labels = left.split(",")
    if len(labels) != len(ranks):
        raise ValueError(
            f"einsum: expected {len(labels)} operands. Received: {len(ranks)} for {subscripts!r}"
        )
    free = [c for c in _LETTERS if c not in text]
    extra = max(
        (n - len(part) + 3 for part, n in zip(labels, ranks, strict=True) if "..." in part),
        default=0,
    )
    spare = "".join(free[:extra])
    for i, (part, n) in enumerate(zip(labels, ranks, strict=True)):
        if "..." in part:
            hidden = n - (len(part) - 3)
            labels[i] = part.replace("...", spare[extra - hidden :])
        if len(labels[i]) != n:
            raise ValueError(
                f"einsum: the number of labels must be the number of axes. Received: {part!r} for "
                f"{n} axes in {subscripts!r}"
            )
    if arrow:
        return labels, right.replace("...", spare)
    every = "".join(labels)
    once = sorted(c for c in set(every) if every.count(c) == 1 and c not in spare)
    return labels, spare + "".join(once)


def contract(tensors: Sequence[Tensor], labels: Sequence[str], result: str) -> Any:
    """The sum of products of all operands, two at a time from the left."""
    y, names = _single(tensors[0], labels[0], set(result).union(*labels[1:]))
    for i in range(1, len(tensors)):
        later = set(result).union(*labels[i + 1 :])
        other, other_names = _single(tensors[i], labels[i], later | set(names))
        y, names = _pair(y, names, other, other_names, later)
    y, names = _single(y, names, set(result))
    return _transposed(y, names, result)


def _single(x: Any, names: str, wanted: set[str]) -> tuple[Any, str]:
    """Diagonals of repeated labels, and sums over the axes nobody wants."""
    for label in dict.fromkeys(names):
        while names.count(label) > 1:
            first = names.index(label)
            second = names.index(label, first + 1)
            x = rearrange("einsum", partial(np.diagonal, axis1=first, axis2=second), x)
            names = names[:first] + names[first + 1 : second] + names[second + 1 :] + label
    lost = [i for i, label in enumerate(names) if label not in wanted]
    if lost:
        x = reduce("sum", x, lost)
        names = "".join(label for label in names if label in wanted)
    return x, names


def _pair(a: Any, a_names: str, b: Any, b_names: str, later: set[str]) -> tuple[Any, str]:
    """The product of two operands, summed over what is not needed later."""
    both = [c for c in a_names if c in b_names]
    kept, summed = [c for c in both if c in later], [c for c in both if c not in later]
    a_free = [c for c in a_names if c not in b_names]
    b_free = [c for c in b_names if c not in a_names]
    sizes = dict(zip(a_names, a.shape, strict=True)) | dict(zip(b_names, b.shape, strict=True))
    batch = [c for c in sizes if sizes[c] is None]
    order = [*batch, *(c for c in kept if c not in batch)]
    if batch and (batch[0] in summed or not summed):
        # A sum over the samples, or no sum at all: multiply with all axes side by side.
        names = [*batch, *(c for c in (*kept, *a_free, *b_free, *summed) if c not in batch)]
        y = binary("multiply", _spread(a, a_names, names), _spread(b, b_names, names))
        lost = [i for i, c in enumerate(names) if c in summed]
        y = reduce("sum", y, lost) if lost else y
        return y, "".join(c for c in names if c not in summed)
    rest_a, rest_b = ([c for c in free if c not in batch] for free in (a_free, b_free))
    left = _matrix(a, a_names, [c for c in order if c in a_names], rest_a, summed, sizes)
    right = _matrix(b, b_names, [c for c in order if c in b_names], summed, rest_b, sizes)
    names = [*order, *rest_a, *rest_b]
    y = _shaped(product(left, right), [sizes[c] for c in names])
    return y, "".join(names)


def _matrix(
    x: Any, names: str, stack: list[str], rows: list[str], columns: list[str], sizes: dict[str, Any]
) -> Any:
    """A stack of matrices: its axes, then the rows' in one, then the columns' in one."""
    x = _transposed(x, names, [*stack, *rows, *columns])
    ends = [math.prod(sizes[c] for c in group) for group in (rows, columns)]
    return _shaped(x, [*(sizes[c] for c in stack), *ends])


def _spread(x: Any, names: str, order: Sequence[str]) -> Any:
    """Axes in a given order, with length 1 for those the operand lacks."""
    sizes = dict(zip(names, x.shape, strict=True))
    x = _transposed(x, names, [c for c in order if c in names])
    return _shaped(x, [sizes.get(c, 1) for c in order])


def _transposed(x: Any, names: str, order: Sequence[str]) -> Any:
    places = [names.index(c) for c in order]
    if places == sorted(places):
        return x
    return rearrange("einsum", lambda a: np.transpose(a, places), x)


def _shaped(x: Any, shape: Sequence[int | None]) -> Any:
    return reshape(x, tuple(n for n in shape if n is not None))
