"""Products of matrices as nodes of the engine."""

from __future__ import annotations

import numpy as np

from pynn._graph.tensor import Tensor
from pynn.ops._primitives import reshape


def product(a: Tensor, b: Tensor) -> Tensor:
    """The product in the last two axes; one axis stands for a row of ``a``, a column of ``b``.

    Raises:
        ValueError: the shapes do not go together.
    """
    refused = _not_matrices(a, b)
    if not a.shape or not b.shape or a.shape == (None,) or b.shape == (None,):
        raise refused
    if len(a.shape) == 1:
        y = product(reshape(a, (1, *a.sample)), b)
        return reshape(y, (*y.sample[:-2], y.sample[-1]))
    if len(b.shape) == 1:
        y = product(a, reshape(b, (*b.sample, 1)))
        return reshape(y, y.sample[:-1])
    if b.shape[-2] is None or a.shape[-1] != b.shape[-2]:
        raise refused
    if b.batched or len(b.sample) > 2:
        a, b = _stacks(a, b)
        try:
            lead = np.broadcast_shapes(a.sample[:-2], b.sample[:-2])
        except ValueError:
            raise refused from None
        return a.graph.add("matmul", [a, b], (*lead, a.sample[-2], b.sample[-1]))
    return a.graph.add("matmul", [a, b], (*a.sample[:-1], b.sample[-1]))


def _stacks(a: Tensor, b: Tensor) -> list[Tensor]:
    """Both with a matrix at least in each sample, and an axis of length 1 that stands for the batch
    taken away from a value without samples."""
    ranks = {len(t.sample) for t in (a, b) if t.batched}
    if len(ranks) > 1 or any(t.batched and len(t.sample) < 2 for t in (a, b)):
        raise _not_matrices(a, b)
    stacks = []
    for t in (a, b):
        extra = len(t.sample) - max(ranks, default=len(t.sample))
        if extra > 1 or (extra == 1 and t.sample[0] != 1):
            raise _not_matrices(a, b)
        stacks.append(reshape(t, t.sample[1:]) if extra == 1 else t)
    return stacks


def _not_matrices(a: Tensor, b: Tensor) -> ValueError:
    return ValueError(
        "matmul: the last axis of x1 and the last but one of x2 must have the same length, those "
        "before the last two must be the same up to axes of length 1, and the axis of the samples "
        f"(None) must not be summed over. Received: x1.shape={a.shape}, x2.shape={b.shape}"
    )
