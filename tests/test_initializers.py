"""Initial values: moments, bounds, determinism, names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import initializers

SHAPE = (400, 500)
N = SHAPE[0] * SHAPE[1]

# name, expected standard deviation, bound: from the definitions with fan_in 400 and fan_out 500
SCALED = [
    ("glorot_uniform", math.sqrt(2 / 900), math.sqrt(6 / 900)),
    ("glorot_normal", math.sqrt(2 / 900), 2 * math.sqrt(2 / 900) / 0.87962566103423978),
    ("he_uniform", math.sqrt(2 / 400), math.sqrt(6 / 400)),
    ("he_normal", math.sqrt(2 / 400), 2 * math.sqrt(2 / 400) / 0.87962566103423978),
    ("lecun_uniform", math.sqrt(1 / 400), math.sqrt(3 / 400)),
    ("lecun_normal", math.sqrt(1 / 400), 2 * math.sqrt(1 / 400) / 0.87962566103423978),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "stddev", "bound"), SCALED)
def test_scaled(name: str, stddev: float, bound: float, dtype: str) -> None:
    pynn.utils.set_random_seed(3)
    values = initializers.get(name)(SHAPE, dtype)
    assert values.shape == SHAPE
    assert values.dtype == dtype
    assert abs(values.mean()) < 5 * stddev / math.sqrt(N)
    assert values.std() == pytest.approx(stddev, rel=0.01)
    assert np.abs(values).max() <= bound * (1 + 1e-6)
    assert np.abs(values).max() > 0.99 * bound  # nothing is cut short of the bound


def test_normal_distribution_function() -> None:
    values = initializers.RandomNormal(mean=1.0, stddev=2.0, seed=5)((N,), "float64")
    for z in (-2.0, -1.0, 0.0, 0.5, 1.5):
        expected = 0.5 * math.erfc(-z / math.sqrt(2))
        assert np.mean(values < 1.0 + 2.0 * z) == pytest.approx(expected, abs=5 / math.sqrt(N))
    assert np.abs(values).max() > 1 + 2 * 3.5  # not truncated


def test_truncated_normal() -> None:
    values = initializers.TruncatedNormal(mean=0.0, stddev=1.0, seed=5)((N,), "float64")
    assert np.abs(values).max() <= 2
    mass = math.erf(math.sqrt(2))  # of a normal distribution within two sigma
    for z in (-1.5, -0.5, 1.0):
        below = 0.5 * (math.erf(z / math.sqrt(2)) + mass) / mass
        assert np.mean(values < z) == pytest.approx(below, abs=5 / math.sqrt(N))


def test_uniform() -> None:
    values = initializers.RandomUniform(-3.0, 5.0, seed=2)((N,), "float64")
    assert values.min() >= -3
    assert values.max() < 5
    counts, _ = np.histogram(values, bins=16, range=(-3, 5))
    expected = N / 16
    assert np.sum((counts - expected) ** 2 / expected) < 45  # chi-square, 15 degrees of freedom


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (2, 3, 4)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    q = initializers.Orthogonal(gain=2.0, seed=1)(shape, "float64").reshape(-1, shape[-1])
    gram = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_constants() -> None:
    assert initializers.get("zeros")((2, 3)).tolist() == [[0] * 3] * 2
    assert initializers.get("ones")((3,)).tolist() == [1, 1, 1]
    assert initializers.Constant(2.5)((2,)).tolist() == [2.5, 2.5]
    assert initializers.Constant([1, 2])((3, 2)).tolist() == [[1, 2]] * 3
    assert initializers.Identity(gain=3)((2, 3)).tolist() == [[3, 0, 0], [0, 3, 0]]


def test_keras_defaults() -> None:
    """Facts of Keras 3."""
    normal, uniform = initializers.RandomNormal(), initializers.RandomUniform()
    assert (normal.mean, normal.stddev, normal.seed) == (0.0, 0.05, None)
    assert (uniform.minval, uniform.maxval) == (-0.05, 0.05)
    scaling = initializers.VarianceScaling()
    assert (scaling.scale, scaling.mode, scaling.distribution) == (
        1.0,
        "fan_in",
        "truncated_normal",
    )
    assert initializers.TruncatedNormal().stddev == 0.05
    assert initializers.Orthogonal().gain == 1.0


RANDOM = [
    "random_normal", "truncated_normal", "random_uniform", "variance_scaling", "orthogonal",
    *(name for name, _, _ in SCALED),
]  # fmt: skip


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name: str) -> None:
    cls = type(initializers.get(name))
    first = cls(seed=7)((6, 5))
    assert np.array_equal(first, cls(seed=7)((6, 5)))
    assert not np.array_equal(first, cls(seed=8)((6, 5)))
    pynn.utils.set_random_seed(1)
    unseeded = cls()
    a, b = unseeded((6, 5)), unseeded((6, 5))
    assert not np.array_equal(a, b)
    pynn.utils.set_random_seed(1)
    assert np.array_equal(a, cls()((6, 5)))


@pytest.mark.parametrize("name", RANDOM)
def test_config(name: str) -> None:
    original = type(initializers.get(name))(seed=3)
    copy = type(original).from_config(original.get_config())
    assert np.array_equal(original((4, 4)), copy((4, 4)))
    serialized = {"class_name": type(original).__name__, "config": original.get_config()}
    assert np.array_equal(original((4, 4)), initializers.get(serialized)((4, 4)))


def test_get() -> None:
    assert isinstance(initializers.get("HeNormal"), initializers.HeNormal)
    assert isinstance(initializers.get(initializers.HeNormal), initializers.HeNormal)
    given = initializers.Zeros()
    assert initializers.get(given) is given
    assert initializers.get(None) is None

    def own(shape: Any, dtype: Any = None) -> Any:
        return np.full(shape, 3.0, dtype)

    assert initializers.get(own) is own
    layer = pynn.layers.Dense(2, kernel_initializer=own)
    layer.build((None, 3))
    assert layer.kernel.numpy().tolist() == [[3, 3]] * 3
    assert initializers.he_normal is initializers.HeNormal


def test_axes_that_count() -> None:
    """A kernel for heads: inputs on axis 0, outputs on the others."""
    values = initializers.HeNormal(seed=1, input_axes=[0], output_axes=[1, 2])((500, 20, 10))
    assert values.std() == pytest.approx(math.sqrt(2 / 500), rel=0.02)
    values = initializers.VarianceScaling(
        mode="fan_out", distribution="uniform", seed=1, input_axes=[0], output_axes=[1, 2]
    )((500, 20, 10))
    assert values.std() == pytest.approx(math.sqrt(1 / 200), rel=0.02)
    with pytest.raises(ValueError, match="given together"):
        initializers.HeNormal(input_axes=[0])


def test_seed_generator() -> None:
    one, two = (initializers.GlorotUniform(pynn.random.SeedGenerator(3)) for _ in range(2))
    first, second = one((3, 4)), one((3, 4))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, two((3, 4)))
    assert np.array_equal(first, one.clone()((3, 4)))  # a copy starts from the beginning


def test_own_initializer() -> None:
    class Halves(initializers.Initializer):
        def __call__(self, shape: Any, dtype: Any = None) -> Any:
            return np.full(shape, 0.5, dtype)

    assert initializers.deserialize("Halves", {"Halves": Halves})((2,)).tolist() == [0.5, 0.5]
    assert isinstance(Halves().clone(), Halves)
    with pytest.raises(NotImplementedError, match="defines __call__"):
        initializers.Initializer()((2,))


def test_arrays() -> None:
    given = np.arange(6.0).reshape(2, 3)
    assert initializers.get(given)((2, 3)).tolist() == given.tolist()
    with pytest.raises(ValueError, match=r"shape of the weight, \(3, 2\)"):
        initializers.get(given)((3, 2))


def test_serialization() -> None:
    """The dictionaries of Keras 3."""
    data = initializers.serialize(initializers.HeNormal(seed=3))
    assert data == {
        "module": "keras.initializers",
        "class_name": "HeNormal",
        "config": {"seed": 3, "input_axes": None, "output_axes": None},
        "registered_name": None,
    }
    assert initializers.deserialize(data).seed == 3


def test_wrong() -> None:
    with pytest.raises(ValueError, match="Did you mean 'he_normal'"):
        initializers.get("he_norml")
    with pytest.raises(TypeError, match="Received: initializer=3"):
        initializers.get(3)
    with pytest.raises(ValueError, match="`scale` must be finite and > 0"):
        initializers.VarianceScaling(scale=0)
    with pytest.raises(ValueError, match="`mode` must be one of"):
        initializers.VarianceScaling(mode="fan")
    with pytest.raises(ValueError, match="two dimensions"):
        initializers.Orthogonal()((3,))
    with pytest.raises(ValueError, match="two dimensions"):
        initializers.Identity()((3,))
