"""The generated data sets keep what their formulas promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pynn import datasets

GENERATORS = [datasets.xor, datasets.two_spirals, datasets.circles, datasets.moons]
generators = pytest.mark.parametrize("generate", GENERATORS, ids=lambda f: f.__name__)


@generators
@pytest.mark.parametrize("n_samples", [1, 2, 7, 100])
def test_generator_shapes_and_seeds(generate: Callable[..., Any], n_samples: int) -> None:
    x, y = generate(n_samples, noise=0.1, seed=3)
    assert (x.shape, x.dtype) == ((n_samples, 2), np.float32)
    assert (y.shape, y.dtype) == ((n_samples,), np.int64)
    assert set(y.tolist()) <= {0, 1}
    assert abs(2 * int(y.sum()) - n_samples) <= 1
    np.testing.assert_array_equal(generate(n_samples, noise=0.1, seed=3)[0], x)
    assert not np.array_equal(generate(n_samples, noise=0.1, seed=4)[0], x)
    np.testing.assert_array_equal(generate(n_samples)[0], generate(n_samples)[0])


@generators
def test_generator_noise(generate: Callable[..., Any]) -> None:
    clean, noisy = generate(20_000)[0], generate(20_000, noise=0.3, seed=1)[0]
    spread = (noisy.astype(np.float64) - clean).std(axis=0)
    np.testing.assert_allclose(spread, 0.3, rtol=0.02)


@generators
def test_generator_arguments(generate: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"n_samples must be at least 1\. Received: n_samples=0"):
        generate(0)
    for noise in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="noise must be at least 0"):
            generate(noise=noise)


def test_xor_is_the_truth_table() -> None:
    x, y = datasets.xor(40)
    np.testing.assert_array_equal(y, x[:, 0] != x[:, 1])
    assert {tuple(row) for row in x.tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_spirals_follow_their_equation() -> None:
    x, y = datasets.two_spirals()
    np.testing.assert_allclose(x[0::2], -x[1::2], atol=1e-6)  # point symmetry
    i = np.arange(97)
    radius = 6.5 * (104 - i) / 104  # Lang and Witbrock's construction
    one = radius[:, None] * np.stack([np.sin(i * np.pi / 16), np.cos(i * np.pi / 16)], axis=1)
    np.testing.assert_allclose(x[y == 1], one, atol=1e-5)


def test_circles_have_their_radii() -> None:
    x, y = datasets.circles(501, factor=0.3)
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y == 1, 0.3, 1.0), rtol=1e-6)
    np.testing.assert_allclose(x[y == 0].mean(axis=0), 0.0, atol=1e-6)
    with pytest.raises(ValueError, match="factor must be at least 0 and below 1"):
        datasets.circles(factor=1.0)


def test_moons_are_half_circles() -> None:
    x, y = datasets.moons(400)
    upper, lower = x[y == 0], x[y == 1] - np.array([1.0, 0.5], np.float32)
    for half in (upper, lower):
        np.testing.assert_allclose(np.hypot(*half.T), 1.0, rtol=1e-6)
    assert upper[:, 1].min() > -1e-6
    assert lower[:, 1].max() < 1e-6
