r"""Initial values of weights.

Every initializer is called with a shape and returns an array. Numbers come from the engine's
counter-based generator: the same seed gives the same values on every machine and for any number of
threads.

References:
    - Glorot, Bengio 2010, "Understanding the difficulty of training deep feedforward neural
      networks", https://proceedings.mlr.press/v9/glorot10a.html
    - He et al. 2015, "Delving deep into rectifiers", https://arxiv.org/abs/1502.01852
    - LeCun et al. 1998, "Efficient BackProp", https://doi.org/10.1007/3-540-49430-8_2
    - Saxe et al. 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
      networks", https://arxiv.org/abs/1312.6120
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from pynn._compat import explain_absent
from pynn.config import floatx
from pynn.utils.arrays import Array
from pynn.utils.checks import number
from pynn.utils.configurable import Configurable, get_object
from pynn.utils.configurable import serialize as _serialize
from pynn.utils.naming import to_snake_case
from pynn.utils.random import SeedGenerator, check_seed, draw_seed

Seed: TypeAlias = int | SeedGenerator | None

# Standard deviation of a unit normal cut at two sigma: what is cut off is put back by dividing.
_TRUNCATED_STDDEV = 0.87962566103423978


class Initializer(Configurable):
    """Base of all initializers: ``initializer(shape, dtype=None) -> array``."""

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        """Returns an array of this shape; ``dtype`` defaults to ``pynn.config.floatx()``."""
        raise NotImplementedError(f"{type(self).__name__}: an initializer defines __call__")

    def clone(self) -> Initializer:
        """Returns an initializer with the same configuration."""
        return self.from_config(self.get_config())


class Zeros(Initializer):
    """All zeros: the usual start of biases.

    Example:
        >>> Zeros()((2,)).tolist()
        [0.0, 0.0]
    """

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        return np.zeros(tuple(shape), dtype or floatx())


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        return np.ones(tuple(shape), dtype or floatx())


class Constant(Initializer):
    """One value everywhere.

    Args:
        value: a number, or an array that broadcasts to the shape asked for.
    """

    def __init__(self, value: Any = 0.0) -> None:
        if np.asarray(value).dtype.kind not in "biuf":
            raise TypeError(f"Constant: `value` must hold numbers. Received: value={value!r}")
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        return np.array(np.broadcast_to(self.value, tuple(shape)), dtype or floatx())


class Identity(Initializer):
    """``gain`` on the diagonal, zero elsewhere; two dimensions only.

    Args:
        gain: the value on the diagonal.

    Raises:
        ValueError: the shape has not two dimensions.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = number("Identity", "gain", gain)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        if len(shape) != 2:
            raise ValueError(f"Identity: expected two dimensions. Received: shape={tuple(shape)}")
        return np.asarray(self.gain * np.eye(shape[0], shape[1]), dtype or floatx())


class _Seeded(Initializer):
    """An initializer that draws; without a seed every call draws other values."""

    @property
    def seed(self) -> Seed:
        return self._seed

    @seed.setter
    def seed(self, value: Any) -> None:
        if isinstance(value, Mapping) and "config" in value:  # of a generator
            value = SeedGenerator.from_config(value["config"])
        kept = isinstance(value, SeedGenerator)
        self._seed: Seed = value if kept else check_seed(type(self).__name__, value)

    def _draw(self, kind: str, shape: Sequence[int], dtype: str | None) -> Array:
        from pynn import _core

        draw = getattr(_core, kind)
        return np.asarray(draw(tuple(shape), dtype or floatx(), self._next_seed(), 0))

    def _truncated_normal(self, shape: Sequence[int], dtype: str | None) -> Array:
        """Normal values, those beyond two sigma drawn again until none is left."""
        from pynn import _core

        seed, kind = self._next_seed(), dtype or floatx()
        values = np.asarray(_core.random_normal(tuple(shape), kind, seed, 0)).reshape(-1)
        outside = np.flatnonzero(np.abs(values) > 2)
        step = 0
        while outside.size:
            step += 1  # another part of the stream
            values[outside] = _core.random_normal((outside.size,), kind, seed, 0, step)
            outside = outside[np.abs(values[outside]) > 2]
        return values.reshape(tuple(shape))

    def _next_seed(self) -> int:
        seed = check_seed(type(self).__name__, self.seed)
        return draw_seed() if seed is None else seed


class RandomNormal(_Seeded):
    """Normal values.

    Args:
        mean: their mean.
        stddev: their standard deviation.
        seed: an integer for the same values at every call; None or a SeedGenerator for new ones.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        owner, self.seed = type(self).__name__, seed
        self.mean, self.stddev = number(owner, "mean", mean), number(owner, "stddev", stddev)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        return _affine(self._draw("random_normal", shape, dtype), self.stddev, self.mean)


class TruncatedNormal(RandomNormal):
    """Normal values, drawn again where they are more than two standard deviations from the mean.

    Args:
        mean: mean of the normal distribution.
        stddev: its standard deviation before it is cut.
        seed: an integer for the same values at every call; None or a SeedGenerator for new ones.
    """

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        return _affine(self._truncated_normal(shape, dtype), self.stddev, self.mean)


class RandomUniform(_Seeded):
    """Uniform values in [minval, maxval).

    Args:
        minval: the lower bound.
        maxval: the upper bound.
        seed: an integer for the same values at every call; None or a SeedGenerator for new ones.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None) -> None:
        self.minval = number("RandomUniform", "minval", minval)
        self.maxval = number("RandomUniform", "maxval", maxval)
        self.seed = seed

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        return _affine(
            self._draw("random_uniform", shape, dtype), self.maxval - self.minval, self.minval
        )


class VarianceScaling(_Seeded):
    r"""Values whose variance is ``scale / n``, n being the layer's number of inputs or outputs.

    Formula: variance :math:`\sigma^2 = scale / n`; uniform values lie in
    :math:`[-\sqrt{3}\sigma, \sqrt{3}\sigma]`, truncated normal values within two standard
    deviations of a normal distribution widened so that the variance is right after the cut.

    Args:
        scale: a positive number.
        mode: n is ``"fan_in"``, ``"fan_out"`` or their mean ``"fan_avg"``.
        distribution: ``"truncated_normal"``, ``"untruncated_normal"`` or ``"uniform"``.
        seed: an integer for the same values at every call; None or a SeedGenerator for new ones.
        input_axes: the axes whose sizes multiply to the number of inputs; by default all but the
            last.
        output_axes: likewise for the outputs; both are given or none.

    Raises:
        ValueError: one of the arguments is not as described.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        self.scale = number("VarianceScaling", "scale", scale, above=0)
        distribution = {"normal": "truncated_normal"}.get(distribution, distribution)
        for name, value, known in (
            ("mode", mode, ("fan_in", "fan_out", "fan_avg")),
            ("distribution", distribution, ("truncated_normal", "untruncated_normal", "uniform")),
        ):
            if value not in known:
                raise ValueError(
                    f"VarianceScaling: `{name}` must be one of {known}. Received: {name}={value!r}"
                )
        if (input_axes is None) != (output_axes is None):
            raise ValueError(
                "VarianceScaling: `input_axes` and `output_axes` are given together. "
                f"Received: input_axes={input_axes}, output_axes={output_axes}"
            )
        self.mode, self.distribution, self.seed = mode, distribution, seed
        self.input_axes, self.output_axes = input_axes, output_axes

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        if self.input_axes is None or self.output_axes is None:
            fan_in, fan_out = _fans(shape)
        else:
            fan_in, fan_out = (
                float(math.prod(shape[axis] for axis in axes))
                for axes in (self.input_axes, self.output_axes)
            )
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, fan))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * stddev
            return _affine(self._draw("random_uniform", shape, dtype), 2 * limit, -limit)
        if self.distribution == "untruncated_normal":
            return _affine(self._draw("random_normal", shape, dtype), stddev, 0.0)
        return _affine(self._truncated_normal(shape, dtype), stddev / _TRUNCATED_STDDEV, 0.0)


class Orthogonal(_Seeded):
    """A matrix with orthonormal rows or columns: Q of the QR decomposition of normal values.

    Args:
        gain: factor applied to the matrix.
        seed: an integer for the same values at every call; None or a SeedGenerator for new ones.

    Raises:
        ValueError: the shape has fewer than two dimensions.
    """

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        self.gain, self.seed = number("Orthogonal", "gain", gain), seed

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal: expected at least two dimensions. Received: shape={tuple(shape)}"
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = self._draw("random_normal", (max(rows, columns), min(rows, columns)), "float64")
        q, r = np.linalg.qr(tall)
        q *= np.sign(np.diag(r))  # makes the decomposition unique and q uniformly distributed
        q = q if rows >= columns else q.T
        return np.ascontiguousarray(self.gain * q.reshape(tuple(shape)), dtype or floatx())


def _scaled(name: str, scale: float, mode: str, distribution: str, text: str) -> type[Any]:
    """One of the named cases of VarianceScaling: only the seed and the axes are left open."""

    def __init__(
        self: Any,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        VarianceScaling.__init__(self, scale, mode, distribution, seed, input_axes, output_axes)

    doc = f"{text}\n\n    Args: see VarianceScaling.\n    "
    body = {"__init__": __init__, "__doc__": doc, "__module__": __name__}
    return type(name, (VarianceScaling,), body)


# fmt: off
GlorotUniform = _scaled("GlorotUniform", 1.0, "fan_avg", "uniform", "Uniform in [-r, r], r = sqrt(6 / (fan_in + fan_out)).")  # noqa: E501
GlorotNormal = _scaled("GlorotNormal", 1.0, "fan_avg", "truncated_normal", "Truncated normal, variance 2 / (fan_in + fan_out).")  # noqa: E501
HeUniform = _scaled("HeUniform", 2.0, "fan_in", "uniform", "Uniform in [-r, r], r = sqrt(6 / fan_in).")  # noqa: E501
HeNormal = _scaled("HeNormal", 2.0, "fan_in", "truncated_normal", "Truncated normal, variance 2 / fan_in.")  # noqa: E501
LecunUniform = _scaled("LecunUniform", 1.0, "fan_in", "uniform", "Uniform in [-r, r], r = sqrt(3 / fan_in).")  # noqa: E501
LecunNormal = _scaled("LecunNormal", 1.0, "fan_in", "truncated_normal", "Truncated normal, variance 1 / fan_in.")  # noqa: E501
# fmt: on

_CLASSES: list[type[Any]] = [
    Zeros, Ones, Constant, Identity, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling,
    GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal,
]  # fmt: skip

# Every class under its name and in snake_case, with the older spellings Keras still accepts.
_TABLE: dict[str, Callable[..., Any]] = {cls.__name__: cls for cls in _CLASSES}
_TABLE |= {to_snake_case(cls.__name__): cls for cls in _CLASSES}
_TABLE |= {
    "IdentityInitializer": Identity, "OrthogonalInitializer": Orthogonal,
    "normal": RandomNormal, "uniform": RandomUniform, "zero": Zeros, "one": Ones,
}  # fmt: skip

# The lower-case names are the classes themselves, as in Keras.
zeros, ones, constant, identity, orthogonal = Zeros, Ones, Constant, Identity, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling, glorot_uniform, glorot_normal = VarianceScaling, GlorotUniform, GlorotNormal
he_uniform, he_normal, lecun_uniform, lecun_normal = HeUniform, HeNormal, LecunUniform, LecunNormal
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal

__all__ = ["Initializer", "deserialize", "get", "serialize"]
__all__ += [name for name, value in globals().items() if value in _CLASSES]


def get(identifier: Any) -> Any:
    """Returns the initializer meant by a name, a class, an object or a configuration.

    Args:
        identifier: e.g. ``"he_normal"``, ``"HeNormal"``, ``HeNormal``, ``HeNormal(seed=1)``, a
            function ``f(shape, dtype)``, an array with the values themselves, or the dictionary
            made by ``serialize``.

    Raises:
        ValueError: an unknown name.
        TypeError: something else.

    Example:
        >>> get("he_normal")
        HeNormal(seed=None, input_axes=None, output_axes=None)
    """
    if isinstance(identifier, np.ndarray):
        return _given(identifier)
    return get_object("initializer", identifier, _TABLE, Initializer)


def serialize(initializer: Any) -> Any:
    """Returns the dictionary from which ``deserialize`` makes an equal initializer."""
    return _serialize(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the initializer of a name or of the dictionary made by ``serialize``.

    Args:
        config: the name or dictionary.
        custom_objects: classes and functions of your own by name.
    """
    return get_object("initializer", config, {**_TABLE, **(custom_objects or {})}, Initializer)


def _given(values: Array) -> Callable[..., Array]:
    """An initializer that returns these values."""

    def initialize(shape: Sequence[int], dtype: str | None = None) -> Array:
        if tuple(shape) != values.shape:
            raise ValueError(
                f"An array given as initializer must have the shape of the weight, {tuple(shape)}. "
                f"Received: an array of shape {values.shape}"
            )
        return np.array(values, dtype or floatx())

    return initialize


def _affine(values: Array, scale: float, offset: float) -> Array:
    values *= values.dtype.type(scale)
    values += values.dtype.type(offset)
    return values


def _fans(shape: Sequence[int]) -> tuple[float, float]:
    """Inputs and outputs of a unit; dimensions before the last two count as a receptive field."""
    if len(shape) < 2:
        size = float(shape[0]) if shape else 1.0
        return size, size
    field = math.prod(shape[:-2])
    return float(shape[-2] * field), float(shape[-1] * field)


explain_absent(globals())
