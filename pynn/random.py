"""Random numbers: ``keras.random``, on arrays and in code that is traced.

A seed is an integer (the same numbers at every call), a ``SeedGenerator`` (other numbers at every
call, the same sequence in every run) or None (from the library's own generator, see
``pynn.utils.set_random_seed``).

Example:
    >>> generator = SeedGenerator(7)
    >>> normal((2, 3), seed=generator).shape
    (2, 3)
    >>> bool((uniform((4,), seed=1) == uniform((4,), seed=1)).all())
    True
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pynn import initializers
from pynn._compat import explain_absent
from pynn._graph.graph import tracing
from pynn._graph.tensor import Symbol, Tensor
from pynn.config import floatx
from pynn.utils.random import SeedGenerator, check_seed, draw_seed

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]

Array: TypeAlias = npt.NDArray[Any]
Seed: TypeAlias = int | SeedGenerator | None


def normal(
    shape: Sequence[Any],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: str | None = None,
    seed: Seed = None,
) -> Any:
    """Returns normal values.

    Args:
        shape: shape of the result. In code that is traced (``call`` of a layer) its first size may
            be that of the batch, ``ops.shape(x)[0]``: then every batch gets new numbers.
        mean: mean of the distribution.
        stddev: its standard deviation.
        dtype: ``"float32"`` or ``"float64"``; by default ``pynn.config.floatx()``.
        seed: an integer, a ``SeedGenerator`` or None.
    """
    if _is_open(shape):
        return _traced("normal", shape, stddev, mean, seed)
    return initializers.RandomNormal(mean, stddev, seed)(shape, dtype)


def truncated_normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: str | None = None,
    seed: Seed = None,
) -> Array:
    """Returns normal values, drawn again where they are beyond two standard deviations.

    Args:
        shape: shape of the result.
        mean: mean of the normal distribution.
        stddev: its standard deviation before it is cut.
        dtype: ``"float32"`` or ``"float64"``; by default ``pynn.config.floatx()``.
        seed: an integer, a ``SeedGenerator`` or None.
    """
    return initializers.TruncatedNormal(mean, stddev, seed)(shape, dtype)


def uniform(
    shape: Sequence[Any],
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: str | None = None,
    seed: Seed = None,
) -> Any:
    """Returns values spread evenly over [minval, maxval).

    Args:
        shape: shape of the result; as in ``normal``.
        minval: the lower bound.
        maxval: the upper bound, which is not reached.
        dtype: ``"float32"``, ``"float64"`` (by default ``pynn.config.floatx()``), or an integer
            type for whole numbers.
        seed: an integer, a ``SeedGenerator`` or None.
    """
    if dtype is not None and np.dtype(dtype).kind in "iu":
        return randint(shape, int(minval), int(maxval), dtype, seed)
    if _is_open(shape):
        return _traced("uniform", shape, maxval - minval, minval, seed)
    return initializers.RandomUniform(minval, maxval, seed)(shape, dtype)


def randint(
    shape: Sequence[int], minval: int, maxval: int, dtype: str = "int32", seed: Seed = None
) -> Array:
    """Returns whole numbers spread evenly over [minval, maxval).

    Args:
        shape: shape of the result.
        minval: the smallest value.
        maxval: one more than the largest value.
        dtype: an integer type.
        seed: an integer, a ``SeedGenerator`` or None.

    Raises:
        ValueError: ``dtype`` is not an integer type.

    Example:
        >>> values = randint((100,), 1, 7, seed=3)
        >>> int(values.min()), int(values.max())
        (1, 6)
    """
    if np.dtype(dtype).kind not in "iu":
        raise ValueError(f"randint: `dtype` must be an integer type. Received: dtype={dtype!r}")
    return _generator("randint", seed).integers(minval, maxval, tuple(shape), dtype=np.dtype(dtype))


def categorical(
    logits: npt.ArrayLike, num_samples: int, dtype: str = "int32", seed: Seed = None
) -> Array:
    """Returns class indices, drawn with the probabilities softmax(logits).

    The largest of ``logits + g`` has that distribution, g being Gumbel noise.

    Args:
        logits: shape ``(rows, classes)``.
        num_samples: draws per row.
        dtype: type of the result, of shape ``(rows, num_samples)``.
        seed: an integer, a ``SeedGenerator`` or None.

    Raises:
        ValueError: ``logits`` has not two dimensions.

    References:
        - Maddison, Tarlow, Minka 2014, "A* sampling", https://arxiv.org/abs/1411.0030

    Example:
        >>> categorical([[0.0, 50.0]], num_samples=3).tolist()
        [[1, 1, 1]]
    """
    scores = np.asarray(logits, np.float64)
    if scores.ndim != 2:
        raise ValueError(
            "categorical: `logits` must have shape (rows, classes). "
            f"Received: logits.shape={scores.shape}"
        )
    rows, classes = scores.shape
    noise = _generator("categorical", seed).gumbel(size=(rows, num_samples, classes))
    return np.asarray(np.argmax(scores[:, None, :] + noise, axis=-1), dtype)


def dropout(
    inputs: Any, rate: float, noise_shape: Sequence[int] | None = None, seed: Seed = None
) -> Any:
    """Sets a share of the values to zero and divides the others by what is kept.

    Formula: ``x * m / (1 - rate)`` with m = 0 with probability ``rate``, else 1.

    Args:
        inputs: array, or a tensor in code that is traced.
        rate: the share, in [0, 1).
        noise_shape: shape of m, broadcast to that of ``inputs``; by default the same. For arrays.
        seed: an integer, a ``SeedGenerator`` or None.

    Raises:
        ValueError: ``rate`` is outside the range.
        TypeError: a symbol of the functional API, or one with ``noise_shape``.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: `rate` must be in [0, 1). Received: rate={rate!r}")
    if isinstance(inputs, Symbol):
        if not isinstance(inputs, Tensor) or noise_shape is not None:
            raise TypeError(
                "dropout: use layers.Dropout for symbols of the functional API, and for a "
                f"`noise_shape`. Received: inputs={inputs!r}, noise_shape={noise_shape}"
            )
        return inputs.graph.add(
            "dropout", [inputs], inputs.sample, random=True, rate=float(rate), **_own_seed(seed)
        )
    x = np.asarray(inputs)
    x = x if x.dtype.kind == "f" else x.astype(floatx())
    kept = _generator("dropout", seed).random(tuple(noise_shape or x.shape)) >= rate
    return np.asarray(np.where(kept, x / x.dtype.type(1 - rate), x.dtype.type(0)))


def shuffle(x: npt.ArrayLike, axis: int = 0, seed: Seed = None) -> Array:
    """Returns the slices along an axis in random order.

    Args:
        x: array.
        axis: the axis whose slices change places.
        seed: an integer, a ``SeedGenerator`` or None.

    Example:
        >>> sorted(shuffle([3, 1, 2], seed=4).tolist())
        [1, 2, 3]
    """
    return np.asarray(_generator("shuffle", seed).permutation(np.asarray(x), axis=axis))


def gamma(
    shape: Sequence[int], alpha: npt.ArrayLike, dtype: str | None = None, seed: Seed = None
) -> Array:
    """Returns values of the gamma distribution with shape parameter alpha and rate 1.

    Args:
        shape: shape of the result.
        alpha: positive number, or array that broadcasts to ``shape``.
        dtype: by default ``pynn.config.floatx()``.
        seed: an integer, a ``SeedGenerator`` or None.
    """
    values = _generator("gamma", seed).standard_gamma(np.asarray(alpha), tuple(shape))
    return np.asarray(values, dtype or floatx())


def beta(
    shape: Sequence[int],
    alpha: npt.ArrayLike,
    beta: npt.ArrayLike,
    dtype: str | None = None,
    seed: Seed = None,
) -> Array:
    """Returns values of the beta distribution, between 0 and 1.

    Args:
        shape: shape of the result.
        alpha: positive number, or array that broadcasts to ``shape``.
        beta: likewise.
        dtype: by default ``pynn.config.floatx()``.
        seed: an integer, a ``SeedGenerator`` or None.
    """
    values = _generator("beta", seed).beta(np.asarray(alpha), np.asarray(beta), tuple(shape))
    return np.asarray(values, dtype or floatx())


def binomial(
    shape: Sequence[int],
    counts: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    dtype: str | None = None,
    seed: Seed = None,
) -> Array:
    """Returns the number of successes in independent trials.

    Args:
        shape: shape of the result.
        counts: number of trials, or array of them that broadcasts to ``shape``.
        probabilities: probability of success, or array of them.
        dtype: by default ``pynn.config.floatx()``.
        seed: an integer, a ``SeedGenerator`` or None.
    """
    trials = np.asarray(counts).astype(np.int64)
    values = _generator("binomial", seed).binomial(trials, np.asarray(probabilities), tuple(shape))
    return np.asarray(values, dtype or floatx())


def _is_open(shape: Sequence[Any]) -> bool:
    return bool(tuple(shape)) and next(iter(shape)) is None


def _traced(
    distribution: str, shape: Sequence[Any], scale: float, offset: float, seed: Seed
) -> Any:
    """A tensor of random numbers for every sample of the graph being recorded."""
    graph = tracing()
    if graph is None or not graph.inputs:
        raise ValueError(
            f"random.{distribution}: the number of samples may be open only while the `call` of a "
            f"layer is recorded. Received: shape={tuple(shape)}"
        )
    sample = tuple(int(size) for size in tuple(shape)[1:] if size is not None)
    return graph.add(
        "random",
        graph.inputs[:1],
        sample,
        random=True,
        distribution=distribution,
        shape=list(sample),
        scale=float(scale),
        offset=float(offset),
        **_own_seed(seed),
    )


def _own_seed(seed: Seed) -> dict[str, Any]:
    return {"seed": seed} if isinstance(seed, int) else {}


def _generator(owner: str, seed: Seed) -> np.random.Generator:
    chosen = check_seed(owner, seed)
    return np.random.default_rng(draw_seed() if chosen is None else chosen)


explain_absent(globals())
