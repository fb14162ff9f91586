"""pynn beside real Keras: same start weights, same rows, same numbers after training."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

import golden_cases
import pynn
from golden.runs import Array, flat
from golden_cases import CASES, FLOAT32

CLOSE = {"float64": 1e-10, "float32": 1e-5}  # relative to the largest number of an array

load = cache(golden_cases.load)


@pytest.fixture(params=["float64", "float32"])
def dtype(request: pytest.FixtureRequest) -> Iterator[str]:
    before = pynn.config.floatx()
    pynn.config.set_floatx(request.param)
    yield request.param
    pynn.config.set_floatx(before)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_as_keras(name: str, dtype: str) -> None:
    expected = load(golden_cases.group_of(name))[name]
    pynn.utils.clear_session()
    found = flat(CASES[name](pynn))
    assert list(found) == list(expected)
    close = CLOSE[dtype] if dtype == "float64" else FLOAT32.get(name, (CLOSE[dtype], ""))[0]
    for key, ours in found.items():
        assert ours.shape == expected[key].shape, key
        np.testing.assert_allclose(
            ours, expected[key], rtol=0, atol=close * scale(expected[key]), err_msg=key
        )


def scale(array: Array) -> float:
    """The largest finite number of an array; 1 where all are zero."""
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max(initial=0.0)) or 1.0
