"""keras.random: distributions, seeds, shapes and types."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import layers, random
from pynn.utils.random import draw_seed, seeds_from

N = 100_000

# Each function with arguments, and mean and variance of what it draws.
DRAWS: dict[str, tuple[Callable[..., Any], float, float]] = {
    "normal": (lambda **kw: random.normal((N,), 2.0, 3.0, **kw), 2, 9),
    "truncated_normal": (
        lambda **kw: random.truncated_normal((N,), 1.0, 2.0, **kw),
        1,
        4 * (1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2))),
    ),
    "uniform": (lambda **kw: random.uniform((N,), -1.0, 5.0, **kw), 2, 36 / 12),
    "gamma": (lambda **kw: random.gamma((N,), 3.0, **kw), 3, 3),
    "beta": (lambda **kw: random.beta((N,), 2.0, 3.0, **kw), 0.4, 6 / (25 * 6)),
    "binomial": (lambda **kw: random.binomial((N,), 10, 0.3, **kw), 3, 2.1),
}
every_draw = pytest.mark.parametrize("name", DRAWS)


@every_draw
def test_moments(name: str) -> None:
    draw, mean, variance = DRAWS[name]
    values = draw(dtype="float64", seed=3)
    assert values.dtype == np.float64
    assert values.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance / N))
    assert values.var() == pytest.approx(variance, rel=0.03)


@every_draw
def test_seeds(name: str) -> None:
    draw = DRAWS[name][0]
    assert draw().dtype == np.float32
    assert np.array_equal(draw(seed=1), draw(seed=1))
    assert not np.array_equal(draw(seed=1), draw(seed=2))
    first, second = random.SeedGenerator(5), random.SeedGenerator(5)
    a, b = draw(seed=first), draw(seed=first)
    assert not np.array_equal(a, b)
    assert np.array_equal(a, draw(seed=second))
    assert np.array_equal(b, draw(seed=second))
    pynn.utils.set_random_seed(4)
    c = draw()
    pynn.utils.set_random_seed(4)
    assert np.array_equal(c, draw())


def test_bounds() -> None:
    assert np.abs(random.truncated_normal((N,), seed=1)).max() <= 2
    values = random.uniform((N,), 3, 9, dtype="int32", seed=1)
    assert values.dtype == np.int32
    assert np.unique(values).tolist() == [3, 4, 5, 6, 7, 8]


def test_randint() -> None:
    values = random.randint((N, 1), -2, 3, seed=1)
    assert values.shape == (N, 1)
    assert values.dtype == np.int32
    found, counts = np.unique(values, return_counts=True)
    assert found.tolist() == [-2, -1, 0, 1, 2]
    assert np.sum((counts - N / 5) ** 2 / (N / 5)) < 23.5  # chi-square, 4 degrees of freedom
    with pytest.raises(ValueError, match=r"integer type. Received: dtype='float32'"):
        random.randint((2,), 0, 3, dtype="float32")


def test_categorical() -> None:
    logits = np.log([[0.1, 0.2, 0.7], [0.5, 0.5, 1e-30]])
    values = random.categorical(logits, N, seed=2)
    assert values.shape == (2, N)
    assert values.dtype == np.int32
    for row, expected in zip(values, ([0.1, 0.2, 0.7], [0.5, 0.5, 0]), strict=True):
        shares = np.bincount(row, minlength=3) / N
        np.testing.assert_allclose(shares, expected, atol=5 / math.sqrt(N))
    with pytest.raises(ValueError, match=r"shape \(rows, classes\)"):
        random.categorical([1.0, 2.0], 3)


def test_dropout() -> None:
    x = np.full((300, 300), 2.0, np.float32)
    y = random.dropout(x, 0.25, seed=1)
    assert y.dtype == np.float32
    assert set(np.unique(y).tolist()) == {0.0, float(np.float32(2) / np.float32(0.75))}
    assert np.mean(y == 0) == pytest.approx(0.25, abs=0.01)
    rows = random.dropout(x, 0.5, noise_shape=(300, 1), seed=1)
    assert np.array_equal(rows.min(axis=1), rows.max(axis=1))
    assert np.array_equal(random.dropout(x, 0.0), x)
    with pytest.raises(ValueError, match=r"in \[0, 1\). Received: rate=1"):
        random.dropout(x, 1)


def test_shuffle() -> None:
    x = np.arange(60).reshape(20, 3)
    y = random.shuffle(x, seed=1)
    assert not np.array_equal(x, y)
    assert np.array_equal(np.sort(y[:, 0]), x[:, 0])
    assert np.array_equal(y, y[:, :1] + np.arange(3))  # rows stay together
    z = random.shuffle(x.T, axis=1, seed=1)
    assert np.array_equal(np.sort(z[0]), x[:, 0])


def test_seed_generator() -> None:
    generator = random.SeedGenerator(3)
    copy = random.SeedGenerator.from_config(generator.get_config())
    assert [generator.next() for _ in range(3)] == [copy.next() for _ in range(3)]
    with pytest.raises(ValueError, match=r"Received: seed=-1"):
        random.SeedGenerator(-1)


class Disturbed(pynn.layers.Layer):
    """x + scale * e with new random numbers e for every sample and batch."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(shape=(), initializer="ones")

    def call(self, inputs: Any) -> Any:
        shape = pynn.ops.shape(inputs)
        return inputs + self.scale * pynn.random.normal((shape[0], shape[1]), stddev=2.0)


def test_copies_of_a_seed_generator_go_on() -> None:
    generator = random.SeedGenerator(5)
    generator.next()
    copies = [copy.deepcopy(generator), pickle.loads(pickle.dumps(generator))]
    expected = [generator.next() for _ in range(3)]
    for copied in copies:
        assert [copied.next() for _ in range(3)] == expected


def test_seeds_from_a_generator_of_ones_own() -> None:
    own = random.SeedGenerator(5)
    pynn.utils.set_random_seed(1)
    with seeds_from(own), ThreadPoolExecutor(1) as other:
        inside = draw_seed()
        outside = other.submit(draw_seed).result()
        with seeds_from(None):
            again = draw_seed()
    expected = random.SeedGenerator(5)
    assert [inside, again] == [expected.next(), expected.next()]
    library = random.SeedGenerator(1)
    assert [outside, draw_seed()] == [library.next(), library.next()]


def test_random_numbers_in_a_layer() -> None:
    layer = Disturbed(dtype="float64")
    x = np.full((2000, 3), 5.0)
    first, second = layer(x), layer(x)
    assert not np.array_equal(first, second)
    for y in (first, second):  # 6000 numbers: the errors' standard deviations are 0.026 and 0.018
        assert y.mean() == pytest.approx(5.0, abs=0.15)
        assert y.std() == pytest.approx(2.0, abs=0.1)
    assert len(np.unique(first)) == first.size  # no number stands for two samples


def test_gradient_beside_random_numbers() -> None:
    """The loss's slope in the noise's scale is 2 scale mean(e^2), e of variance 4."""
    model = pynn.Sequential([pynn.Input((3,)), Disturbed()])
    model.compile(loss="mse")
    gradient = model.gradients(np.zeros((4000, 3)), np.zeros((4000, 3)), training=True)[0]
    assert float(gradient) == pytest.approx(2 * 4.0, rel=0.1)


def test_an_open_shape_needs_a_layer() -> None:
    with pytest.raises(ValueError, match="only while the `call` of a layer is recorded"):
        pynn.random.uniform((None, 3))


class Dropping(layers.Layer):
    def call(self, x: Any, training: bool | None = None) -> Any:
        return pynn.random.dropout(x, 0.25, seed=pynn.random.SeedGenerator(1)) if training else x


def test_dropout_in_a_layer() -> None:
    x = np.ones((2000, 3))
    layer = Dropping(dtype="float64")
    np.testing.assert_array_equal(layer(x), x)
    y = layer(x, training=True)
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert np.mean(y == 0) == pytest.approx(0.25, abs=0.03)  # five standard deviations of 6000
    with pytest.raises(TypeError, match=r"use layers\.Dropout"):
        pynn.random.dropout(pynn.Input((3,)), 0.5)
