"""The library's source of seeds: every unseeded draw in pynn starts from here."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import _core
from pynn.utils.checks import is_integer


class SeedGenerator:
    """An endless sequence of 63-bit seeds, determined by its own seed (None: by the system).

    Args:
        seed: an integer in [0, 2**63), or None.
        name: by default ``seed_generator``.

    Raises:
        ValueError: ``seed`` is not such an integer.

    Example:
        >>> SeedGenerator(1).next() == SeedGenerator(1).next()
        True
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self._lock = threading.Lock()
        self.name = name or "seed_generator"
        self.reset(check_seed("SeedGenerator", seed))

    def reset(self, seed: int | None = None) -> None:
        """Starts the sequence of ``seed`` from its beginning."""
        with self._lock:
            self._generator: np.random.Generator | None = None
            self._seed = seed

    def next(self) -> int:
        """Returns the next seed of the sequence."""
        with self._lock:
            if self._generator is None:  # made on first use: importing numpy.random takes a while
                self._generator = np.random.default_rng(self._seed)
            return int(self._generator.integers(2**63))

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles consist of: all but the lock; they go on from here."""
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock())

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments; the copy starts from the beginning."""
        return {"seed": self._seed, "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> SeedGenerator:
        """Makes the generator that ``get_config`` described."""
        return cls(**config)


def check_seed(owner: str, seed: Any) -> int | None:
    """Returns a layer's or an initializer's seed as an int, or None.

    Raises:
        ValueError: not an integer in [0, 2**63).
    """
    if seed is None:
        return None
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if not is_integer(seed) or not 0 <= seed < 2**63:
        raise ValueError(
            f"{owner}: `seed` must be None or an integer in [0, 2**63). Received: seed={seed!r}"
        )
    return int(seed)


_global = SeedGenerator()
_instead: ContextVar[SeedGenerator | None] = ContextVar("seeds", default=None)


def _source() -> SeedGenerator:
    return _instead.get() or _global


def draw_seed() -> int:
    """Returns the next seed of the library's own generator (see ``set_random_seed``)."""
    return _source().next()


@contextmanager
def seeds_from(generator: SeedGenerator | None) -> Iterator[None]:
    """Takes the seeds drawn inside a ``with`` block from ``generator``; None changes nothing.

    Only this thread is concerned; the library's own generator stays where it is.

    Example:
        >>> import pynn
        >>> with seeds_from(SeedGenerator(7)):
        ...     a = pynn.initializers.HeNormal()((2, 2))
        >>> pynn.utils.set_random_seed(7)
        >>> bool((a == pynn.initializers.HeNormal()((2, 2))).all())
        True
    """
    token = _instead.set(generator or _instead.get())
    try:
        yield
    finally:
        _instead.reset(token)


def shuffle(order: npt.NDArray[np.int64], bits: Any) -> None:
    """Shuffles in place, as ``numpy.random.RandomState(bits).shuffle`` does, in half the time.

    Args:
        order: without gaps.
        bits: a ``numpy.random.BitGenerator``.
    """
    with bits.lock:
        _core.shuffle(order, bits.capsule)


def set_random_seed(seed: int) -> None:
    """Makes everything random in pynn repeatable: initial weights, shuffling, dropout, noise.

    Seeds Python's ``random`` and ``numpy.random`` too, as Keras does.

    Args:
        seed: an integer in [0, 2**32).

    Raises:
        ValueError: ``seed`` is not such an integer.

    Example:
        >>> import pynn
        >>> pynn.utils.set_random_seed(7)
        >>> a = pynn.initializers.HeNormal()((2, 2))
        >>> pynn.utils.set_random_seed(7)
        >>> bool((a == pynn.initializers.HeNormal()((2, 2))).all())
        True
    """
    import random

    if not is_integer(seed) or not 0 <= seed < 2**32:
        raise ValueError(
            "set_random_seed: `seed` must be an integer in [0, 2**32). "
            f"Received: seed={seed!r} (of type {type(seed).__name__})"
        )
    random.seed(int(seed))
    np.random.seed(int(seed))
    _source().reset(int(seed))
