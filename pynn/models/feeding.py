"""Where the batches of an epoch of training come from."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn.models.batches import Batches
from pynn.models.data import Data
from pynn.utils.random import draw_seed, shuffle


@dataclass(frozen=True)
class Chunk:
    """Some consecutive batches: rows ``order[first * batch_size : ...]`` of ``data``."""

    data: Data
    order: npt.NDArray[np.int64]
    batch_size: int
    first: int
    count: int

    def batch(self) -> Data:
        """Copies of the rows of the first batch."""
        start = self.first * self.batch_size
        return self.data.take(self.order[start : start + self.batch_size])


class RowOrder:
    """The rows of each epoch in order: all of them once, or as many as the epoch's steps take.

    An epoch is a piece of an endless sequence of passes over the rows. What it contains depends on
    the seed and on its number only, so that a training can be continued anywhere.

    Args:
        rows: how many rows there are.
        wanted: how many an epoch takes; None for all. The next epoch uses what one leaves over.
        seed: of the random order that every pass has of its own; None for the rows as they stand.
    """

    def __init__(self, rows: int, wanted: int | None, seed: int | None) -> None:
        self._rows, self._wanted, self.seed = rows, wanted or rows, seed

    def _pass(self, number: int) -> npt.NDArray[np.int64]:
        order = np.arange(self._rows, dtype=np.int64)
        if self.seed is not None:
            shuffle(order, np.random.PCG64((self.seed, number)))
        return order

    def epoch(self, number: int) -> npt.NDArray[np.int64]:
        """The rows of an epoch, counted from 0."""
        first, start = divmod(number * self._wanted, self._rows)
        passes = range(first, first + -(-(start + self._wanted) // self._rows))
        orders = [self._pass(n) for n in passes]
        order = orders[0] if len(orders) == 1 else np.concatenate(orders)
        return order[start : start + self._wanted]


class ArrayFeed:
    """Batches cut from arrays; the engine trains on many of them in one call."""

    by_batch = False

    def __init__(self, data: Data, batch_size: int, steps: int | None, shuffle: Any) -> None:
        if not isinstance(shuffle, (bool, np.bool_)):
            raise ValueError(f"fit: `shuffle` must be True or False. Received: shuffle={shuffle!r}")
        batch_size = min(batch_size, data.rows)
        self._data, self._batch_size = data, batch_size
        self.steps: int | None = math.ceil(data.rows / batch_size) if steps is None else steps
        wanted = None if steps is None else steps * batch_size
        self._order = RowOrder(data.rows, wanted, draw_seed() if shuffle else None)

    def begin_epoch(self, epoch: int, first: int) -> None:
        """Draws the order of the rows."""
        self._rows = self._order.epoch(epoch)

    @property
    def state(self) -> int | None:
        """The seed of the order; a feed that is given it hands out the same batches."""
        return self._order.seed

    @state.setter
    def state(self, seed: int | None) -> None:
        self._order.seed = seed

    def chunk(self, done: int, limit: int) -> Chunk | None:
        """At most ``limit`` batches behind those done; None at the end of the epoch."""
        assert self.steps is not None
        count = min(self.steps - done, limit)
        return Chunk(self._data, self._rows, self._batch_size, done, count) if count else None


class BatchFeed:
    """Batches as a source hands them out."""

    by_batch = True
    state: int | None = None  # the source has its own

    def __init__(self, batches: Batches, steps: int | None) -> None:
        self._batches = batches
        self._fixed = steps
        self.steps = steps or batches.steps
        self._epoch: Iterator[Data] | None = None
        if batches.first() is None:
            raise ValueError("fit: there must be at least one batch. Received: none")

    def begin_epoch(self, epoch: int, first: int) -> None:
        """Begins the source anew, unless an epoch is only a part of it; skips batches."""
        if self._epoch is None or not (self._fixed or self._batches.is_endless):
            self._epoch = self._batches.epoch()
        for _ in range(first):
            next(self._epoch, None)

    def chunk(self, done: int, limit: int) -> Chunk | None:
        """The next batch; None at the end of the epoch."""
        if self._fixed is not None and done >= self._fixed:
            return None
        assert self._epoch is not None
        data = next(self._epoch, None)
        if data is None and self._fixed is not None and not self._batches.is_endless:
            self._epoch = self._batches.epoch()  # an epoch of more steps than the source has
            data = next(self._epoch, None)
        if data is None:
            self._warn(done)
            return None
        return Chunk(data, np.arange(data.rows, dtype=np.int64), data.rows, 0, 1)

    def _warn(self, done: int) -> None:
        if (self._fixed is not None and done < self._fixed) or done == 0:
            warnings.warn(
                "fit: the source of batches ran out before the epoch was over. It must hand out "
                f"steps_per_epoch * epochs batches. Received: {done} batches in this epoch",
                stacklevel=5,
            )
        if self.steps is None:
            self.steps = done  # now it is known
