"""Batches made by Python code, ahead of the training that takes them."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future


class PyDataset:
    """Base of data sets that make batch number i when they are asked for it.

    Derive from it and define ``__len__``, the number of batches, and ``__getitem__``, which returns
    ``(x, y)`` or ``(x, y, sample_weight)``. Batches are then loaded by several workers at once,
    and arrive in order.

    Args:
        workers: how many batches are made at the same time.
        use_multiprocessing: workers are processes, which need not wait for one another; the data
            set is then pickled. By default they are threads.
        max_queue_size: how many finished batches may wait.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.arange(4.0)[:, None] + 4 * index
        ...         return x, x**2
        >>> [float(y.max()) for x, y in Squares(workers=2)]
        [9.0, 49.0, 121.0]
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    # Subclasses that forget super().__init__() get the defaults, and a warning from `batches`.
    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __getitem__(self, index: int) -> Any:
        """Returns batch ``index``."""
        raise NotImplementedError(f"{type(self).__name__}: a PyDataset defines __getitem__")

    @property
    def num_batches(self) -> int | None:
        """Number of batches; None, by overriding it, for a data set without end."""
        if not hasattr(self, "__len__"):
            raise NotImplementedError(f"{type(self).__name__}: a PyDataset defines __len__")
        return len(self)

    def on_epoch_begin(self) -> None:
        """Called before an epoch."""

    def on_epoch_end(self) -> None:
        """Called after an epoch, for example to shuffle."""

    def __iter__(self) -> Iterator[Any]:
        return self.batches(_indices(self.num_batches))

    def batches(self, indices: Iterable[int]) -> Iterator[Any]:
        """Yields these batches in this order, made ahead by the workers."""
        if "workers" not in self.__dict__:
            warnings.warn(
                f"{type(self).__name__}: call super().__init__(**kwargs) in the constructor, so "
                "that `workers`, `use_multiprocessing` and `max_queue_size` can be set.",
                stacklevel=2,
            )
        if self.workers < 1 or (self.workers == 1 and not self.use_multiprocessing):
            yield from (self[index] for index in indices)
            return
        # Imported here: it would be a tenth of the time that `import pynn.layers` takes.
        from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

        if self.use_multiprocessing:
            with ProcessPoolExecutor(self.workers, initializer=_keep, initargs=(self,)) as pool:
                yield from self._ahead(pool, _kept_batch, indices)
        else:
            with ThreadPoolExecutor(self.workers) as threads:
                yield from self._ahead(threads, self.__getitem__, indices)

    def _ahead(
        self, pool: Executor, load: Callable[[int], Any], indices: Iterable[int]
    ) -> Iterator[Any]:
        waiting: deque[Future[Any]] = deque()
        try:
            for index in indices:
                waiting.append(pool.submit(load, index))
                if len(waiting) >= max(1, self.max_queue_size):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # the loop may be left before the end
            for future in waiting:
                future.cancel()


Sequence = PyDataset  # Keras 2's name

_of_this_worker: list[PyDataset] = []  # a process gets the data set once, then only indices


def _keep(dataset: PyDataset) -> None:
    _of_this_worker[:] = [dataset]


def _kept_batch(index: int) -> Any:
    return _of_this_worker[0][index]


def _indices(count: int | None) -> Iterator[int]:
    index = 0
    while count is None or index < count:
        yield index
        index += 1
