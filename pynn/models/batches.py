"""Sources that hand out one batch after another: generators, datasets, data loaders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.models.data import Data, inputs
from pynn.utils.arrays import as_arrays
from pynn.utils.dataset import PyDataset
from pynn.utils.random import draw_seed

if TYPE_CHECKING:
    from pynn.models.evaluation import Evaluation


def is_source(x: Any) -> bool:
    """Whether ``x`` hands out batches, rather than being an array or a structure of arrays."""
    if isinstance(x, (list, tuple, Mapping, np.ndarray, str)) or hasattr(x, "__array__"):
        return False
    is_table = hasattr(x, "shape") or hasattr(x, "columns")
    return not is_table and (hasattr(x, "__next__") or hasattr(x, "__iter__") or _is_indexed(x))


def _is_indexed(x: Any) -> bool:
    """Whether it is a dataset whose batches have numbers."""
    return hasattr(x, "__getitem__") and (hasattr(x, "__len__") or hasattr(x, "num_batches"))


class Batches:
    """The batches of a source, as arrays that fit a model.

    Args:
        source: a ``PyDataset`` or another object with ``__getitem__`` and ``__len__``; an iterator;
            an iterable. It hands out ``x``, ``(x, y)`` or ``(x, y, sample_weight)``.
        model: what the batches are for.
        shuffle: whether a dataset's batches come in another order in each epoch.
        class_weight: as in ``fit``.
        targets: whether targets are needed.
        repeat: whether every epoch has the same batches: those of an iterator are kept for that.
    """

    def __init__(
        self,
        source: Any,
        model: Evaluation,
        shuffle: bool = False,
        class_weight: Any = None,
        targets: bool = True,
        repeat: bool = False,
    ) -> None:
        self._source, self._model = source, model
        self._class_weight, self._targets = class_weight, targets
        self._generator = np.random.default_rng(draw_seed()) if shuffle else None
        self._first: Data | None = None
        self.is_endless = hasattr(source, "__next__")  # an iterator is not begun anew each epoch
        self._repeats = repeat and self.is_endless
        self._kept: list[Data] = []

    @property
    def steps(self) -> int | None:
        """How many batches an epoch has, None where only the source knows."""
        count = getattr(self._source, "num_batches", None)
        if count is None and hasattr(self._source, "__len__"):
            count = len(self._source)
        return None if count is None else int(count)

    def first(self) -> Data | None:
        """The first batch, which an epoch begun afterwards starts with; None if there is none."""
        if self._first is None and self.is_endless:
            self._first = next(self.epoch(), None)
        if self._first is None:
            return next(self.epoch(), None)
        return self._first

    def epoch(self) -> Iterator[Data]:
        """The batches of one epoch."""
        if self._repeats:
            yield from self._kept
            for batch in map(self._arrange, self._source):
                self._kept.append(batch)
                yield batch
            return
        if self._first is not None:
            yield self._first
            self._first = None
        if not _is_indexed(self._source) or self.steps is None:
            yield from map(self._arrange, self._source)
            return
        _tell(self._source, "on_epoch_begin")
        order = np.arange(self.steps)
        if self._generator is not None:
            self._generator.shuffle(order)
        indices = [int(index) for index in order]
        if isinstance(self._source, PyDataset):
            batches = self._source.batches(indices)  # by its workers
        else:
            batches = map(self._source.__getitem__, indices)
        yield from map(self._arrange, batches)
        _tell(self._source, "on_epoch_end")

    def _arrange(self, batch: Any) -> Data:
        parts = batch if isinstance(batch, tuple) else (batch,)
        if not 1 <= len(parts) <= 3:
            raise ValueError(
                "A source of batches must hand out (x, y) or (x, y, sample_weight). "
                f"Received: a tuple of length {len(parts)}"
            )
        if self._targets:
            x, y, weight = (*parts, None, None)[:3]
            return self._model.arrange(x, y, weight, self._class_weight)
        x = as_arrays("x", parts[0])
        self._model.ensure_built(x)
        return Data(inputs(x, self._model.symbols, self._model.input_names), [], [])


def _tell(source: Any, hook: str) -> None:
    function = getattr(source, hook, None)
    if function is not None:
        function()
