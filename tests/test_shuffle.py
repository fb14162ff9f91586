"""The order of an epoch's rows, compared with what NumPy draws."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from pynn import _core
from pynn.utils.random import shuffle


@pytest.mark.parametrize("bits", [np.random.MT19937, np.random.PCG64, np.random.Philox])
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 5, 63, 64, 65, 1000, 65535, 65536, 65537])
def test_orders_are_those_of_numpy(rows: int, bits: Any) -> None:
    ours, theirs = np.random.RandomState(bits(rows)), np.random.RandomState(bits(rows))
    order, expected = np.arange(rows), np.arange(rows)
    for _ in range(3):  # each epoch shuffles the order of the last
        shuffle(order, ours._bit_generator)
        theirs.shuffle(expected)
        assert order.tolist() == expected.tolist()
    assert ours.randint(1 << 30) == theirs.randint(1 << 30)  # the stream goes on alike


def test_generators_may_be_used_by_several_threads() -> None:
    bits = np.random.PCG64(0)
    orders = [np.arange(5000) for _ in range(8)]
    threads = [threading.Thread(target=shuffle, args=(order, bits)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(sorted(order) == list(range(5000)) for order in orders)
    assert len({order.tobytes() for order in orders}) == 8


def test_only_orders_and_generators_are_taken() -> None:
    floats: Any = np.arange(4.0)
    bits = np.random.MT19937(0)
    with pytest.raises(TypeError):
        _core.shuffle(floats, bits.capsule)
    with pytest.raises(TypeError):
        _core.shuffle(np.arange(8)[::2], bits.capsule)
    with pytest.raises(ValueError, match="capsule of a"):
        _core.shuffle(np.arange(4), np.arange(3).__dlpack__())
