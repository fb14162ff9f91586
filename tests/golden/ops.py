"""Golden cases of ``ops``: values on arrays, and gradients through a trained network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from golden.runs import TARGETS, Array, Case, Cases, Keras, X, compiled, stack, train, uniform

Ops = Any  # the module ``ops``
Function = Callable[[Ops, Any], Any]

# Numbers an operation is given, and the activation that gives such numbers within a network.
DOMAINS: dict[str, tuple[Array, str | None]] = {
    "any": (uniform(3, 4, low=-2, high=2, seed=71), None),
    "positive": (uniform(3, 4, low=0.2, high=3, seed=72), "softplus"),
    "unit": (uniform(3, 4, low=-0.9, high=0.9, seed=73), "tanh"),
}
LARGE = uniform(3, 2, 3, low=-2, high=2, seed=74)

UNARY: dict[str, tuple[str, ...]] = {
    "any": (
        "abs", "absolute", "square", "exp", "expm1", "sin", "cos", "sinh", "cosh", "tanh", "arctan",
        "arcsinh", "negative", "erf", "sign", "floor", "ceil", "round", "trunc", "sigmoid", "silu",
        "softplus", "softsign", "relu", "relu6", "elu", "selu", "celu", "gelu", "leaky_relu",
        "log_sigmoid", "hard_sigmoid", "hard_silu", "hard_tanh", "hard_shrink", "soft_shrink",
        "tanh_shrink", "squareplus", "sparse_plus", "sparse_sigmoid", "softmax",
        "log_softmax", "stop_gradient", "nan_to_num",
    ),
    "positive": ("sqrt", "rsqrt", "log", "log1p", "log2", "log10", "reciprocal", "exp2", "cbrt"),
    "unit": ("tan", "arcsin", "arccos", "arctanh", "erfinv"),
}  # fmt: skip

# The operation's name, its domain, and what is done: on four numbers per sample.
ON_ROWS: dict[str, tuple[str, Function]] = {
    "add": ("any", lambda o, t: o.add(t[:, :2], t[:, 2:])),
    "subtract": ("any", lambda o, t: o.subtract(t[:, :2], t[:, 2:])),
    "multiply": ("any", lambda o, t: o.multiply(t[:, :2], t[:, 2:])),
    "divide": ("positive", lambda o, t: o.divide(t[:, :2], t[:, 2:])),
    "true_divide": ("positive", lambda o, t: o.true_divide(1.0, t)),
    "divide_no_nan": ("any", lambda o, t: o.divide_no_nan(t, o.relu(t))),
    "floor_divide": ("positive", lambda o, t: o.floor_divide(t, 0.3) + t),
    "mod": ("positive", lambda o, t: o.mod(t, 0.7)),
    "power": ("positive", lambda o, t: o.power(t[:, :2], t[:, 2:])),
    "maximum": ("any", lambda o, t: o.maximum(t[:, :2], t[:, 2:])),
    "minimum": ("any", lambda o, t: o.minimum(t, 0.1)),
    "arctan2": ("positive", lambda o, t: o.arctan2(t[:, :2], t[:, 2:])),
    "hypot": ("any", lambda o, t: o.hypot(t[:, :2], t[:, 2:])),
    "logaddexp": ("any", lambda o, t: o.logaddexp(t[:, :2], t[:, 2:])),
    "clip": ("any", lambda o, t: o.clip(t, -0.3, 0.5)),
    "where": ("any", lambda o, t: o.where(t > 0.1, t, 2 * t)),
    "threshold": ("any", lambda o, t: o.threshold(t, 0.1, -1.0)),
    "leaky_relu/negative_slope": ("any", lambda o, t: o.leaky_relu(t, negative_slope=0.4)),
    "gelu/approximate": ("any", lambda o, t: o.gelu(t, approximate=False)),
    "glu": ("any", lambda o, t: o.glu(t)),
    "cast": ("any", lambda o, t: o.cast(t > 0.0, "float32") + t),
    "normalize": ("any", lambda o, t: o.normalize(t)),
    "normalize/order": ("any", lambda o, t: o.normalize(t, order=1)),
    "norm": ("any", lambda o, t: o.norm(t, axis=-1, keepdims=True)),
    "logsumexp": ("any", lambda o, t: o.logsumexp(t, axis=-1, keepdims=True)),
    "cumsum": ("any", lambda o, t: o.cumsum(t, axis=1)),
    "sort": ("any", lambda o, t: o.sort(t, axis=-1)),
    "top_k": ("any", lambda o, t: o.top_k(t, 2)[0]),
    "expand_dims": ("any", lambda o, t: o.expand_dims(t, 1) * t[:, :1, None]),
    "repeat": ("any", lambda o, t: o.repeat(t, 2, axis=1)),
    "tile": ("any", lambda o, t: o.tile(t, (1, 2))),
    "pad": ("any", lambda o, t: o.pad(t, ((0, 0), (1, 2)), constant_values=0.5)),
    "roll": ("any", lambda o, t: o.roll(t, 1, axis=1)),
    "flip": ("any", lambda o, t: o.flip(t, axis=1)),
    "split": ("any", lambda o, t: o.split(t, 2, axis=1)[1]),
    "unstack": ("any", lambda o, t: o.stack(o.unstack(t, axis=1)[:2], axis=1)),
    "stack": ("any", lambda o, t: o.stack([t, 2 * t], axis=1)),
    "concatenate": ("any", lambda o, t: o.concatenate([t, t * t], axis=1)),
    "hstack": ("any", lambda o, t: o.hstack([t, t * t])),
    "take": ("any", lambda o, t: o.take(t, [2, 0, 2], axis=1)),
    "diff": ("any", lambda o, t: o.diff(t, axis=1)),
    "append": ("any", lambda o, t: o.append(t, t * t, axis=1)),
    "get_item": ("any", lambda o, t: t[:, ::2] + t[:, -1:]),
    "zeros_like": ("any", lambda o, t: o.zeros_like(t) + t),
    "ones_like": ("any", lambda o, t: o.ones_like(t) * t),
    "full_like": ("any", lambda o, t: o.full_like(t, 2.0) * t),
}
# The same on samples of two rows of three numbers.
ON_MATRICES: dict[str, Function] = {
    "sum": lambda o, t: o.sum(t, axis=1),
    "sum/keepdims": lambda o, t: o.sum(t, axis=(1, 2), keepdims=True),
    "mean": lambda o, t: o.mean(t, axis=-1),
    "prod": lambda o, t: o.prod(t, axis=2),
    "max": lambda o, t: o.max(t, axis=1),
    "min": lambda o, t: o.min(t, axis=-1, keepdims=True),
    "amax": lambda o, t: o.amax(t, axis=1),
    "amin": lambda o, t: o.amin(t, axis=1),
    "var": lambda o, t: o.var(t, axis=-1),
    "std": lambda o, t: o.std(t, axis=-1),
    "average": lambda o, t: o.average(t, axis=1, weights=np.array([1.0, 3.0])),
    "moments": lambda o, t: o.concatenate(o.moments(t, axes=[2]), axis=1),
    "logsumexp/axes": lambda o, t: o.logsumexp(t, axis=1),
    "softmax/axis": lambda o, t: o.softmax(t, axis=1),
    "reshape": lambda o, t: o.reshape(t, (-1, 3, 2))[:, :2],
    "transpose": lambda o, t: o.transpose(t, (0, 2, 1))[:, 1:],
    "swapaxes": lambda o, t: o.swapaxes(t, 1, 2)[:, 1:],
    "moveaxis": lambda o, t: o.moveaxis(t, 2, 1)[:, 1:],
    "squeeze": lambda o, t: o.squeeze(t[:, :1], axis=1),
    "matmul": lambda o, t: o.matmul(t, o.transpose(t, (0, 2, 1))),
    "matmul/weights": lambda o, t: o.matmul(t, np.array([[1.0], [2.0], [0.5]])),
    "dot": lambda o, t: o.dot(t, np.array([[1.0, 0.5], [2.0, 0.1], [0.5, -1.0]])),
    "tensordot": lambda o, t: o.tensordot(t, np.array([[1.0, 0.5], [2.0, 0.1]]), axes=([1], [0])),
    "einsum": lambda o, t: o.einsum("nij,nkj->nik", t, t * t),
    "outer": lambda o, t: o.einsum("ni,nj->nij", t[:, 0], t[:, 1]),
    "broadcast_to": lambda o, t: t * o.broadcast_to(np.array([1.0, 2.0, 3.0]), (2, 3)),
    "take_along_axis": lambda o, t: o.take_along_axis(
        t, o.argsort(o.stop_gradient(t), axis=2), axis=2
    ),
    "layer_normalization": lambda o, t: o.layer_normalization(t, axis=-1),
    "rms_normalization": lambda o, t: o.rms_normalization(t, axis=-1),
}

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
ONE_HOT = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
INTEGERS = np.array([[3, 1, 2], [0, 5, 1]])
NUMBERS = np.array([[1.0, -2.5, np.nan], [np.inf, 0.0, 2.5]])
# Nothing to differentiate: on arrays alone.
ON_ARRAYS: dict[str, Function] = {
    "argmax": lambda o, t: [o.argmax(t), o.argmax(t, axis=1), o.argmax(t, axis=0, keepdims=True)],
    "argmin": lambda o, t: [o.argmin(t), o.argmin(t, axis=-1)],
    "argsort": lambda o, t: o.argsort(t, axis=1),
    "equal": lambda o, t: o.equal(INTEGERS, 1),
    "not_equal": lambda o, t: o.not_equal(INTEGERS, 1),
    "less": lambda o, t: o.less(t, 0.2),
    "less_equal": lambda o, t: o.less_equal(INTEGERS, 1),
    "greater": lambda o, t: o.greater(t, t[::-1]),
    "greater_equal": lambda o, t: o.greater_equal(INTEGERS, 1),
    "logical_and": lambda o, t: o.logical_and(t > 0, t < 1),
    "logical_or": lambda o, t: o.logical_or(t < 0, t > 1),
    "logical_not": lambda o, t: o.logical_not(t > 0),
    "logical_xor": lambda o, t: o.logical_xor(t > 0, t > 1),
    "isnan": lambda o, t: o.isnan(NUMBERS),
    "isinf": lambda o, t: o.isinf(NUMBERS),
    "isfinite": lambda o, t: o.isfinite(NUMBERS),
    "isclose": lambda o, t: o.isclose(t, t + 1e-9),
    "nan_to_num/options": lambda o, t: o.nan_to_num(NUMBERS, nan=1.0, posinf=9.0),
    "any": lambda o, t: o.any(t > 1, axis=1),
    "all": lambda o, t: o.all(t > -1, axis=0),
    "count_nonzero": lambda o, t: o.count_nonzero(INTEGERS, axis=1),
    "one_hot": lambda o, t: o.one_hot(INTEGERS, 6),
    "multi_hot": lambda o, t: o.multi_hot(INTEGERS, 6),
    "in_top_k": lambda o, t: o.in_top_k(np.array([0, 2, 3]), t, 2),
    "arange": lambda o, t: [o.arange(4), o.arange(1, 4, 0.5)],
    "linspace": lambda o, t: o.linspace(0.0, 1.0, 5),
    "zeros": lambda o, t: o.zeros((2, 3)),
    "ones": lambda o, t: o.ones((2, 3)),
    "full": lambda o, t: o.full((2, 3), 0.5),
    "eye": lambda o, t: [o.eye(3), o.eye(2, 4, k=1)],
    "identity": lambda o, t: o.identity(3),
    "array": lambda o, t: o.array([[1.0, 2.0], [3.0, 4.0]]),
    "shape": lambda o, t: o.shape(t),
    "size": lambda o, t: o.size(t),
    "ndim": lambda o, t: o.ndim(t),
    "ravel": lambda o, t: o.ravel(t),
    "vstack": lambda o, t: o.vstack([t, t]),
    "cumprod": lambda o, t: o.cumprod(t, axis=1),
    "median": lambda o, t: o.median(t, axis=-1),
    "trace": lambda o, t: o.trace(t),
    "diag": lambda o, t: [o.diag(t[0]), o.diag(t)],
    "diagonal": lambda o, t: o.diagonal(t),
    "tril": lambda o, t: o.tril(t),
    "triu": lambda o, t: o.triu(t, k=1),
    "vdot": lambda o, t: o.vdot(t, t[::-1]),
    "inner": lambda o, t: o.inner(t, t[::-1]),
    "bincount": lambda o, t: o.bincount(np.array([0, 1, 1, 3]), minlength=5),
    "digitize": lambda o, t: o.digitize(t, np.array([-1.0, 0.0, 1.0])),
    "searchsorted": lambda o, t: o.searchsorted(np.array([0.0, 1.0, 2.0]), np.array([0.5, 3.0])),
    "quantile": lambda o, t: o.quantile(t, 0.3, axis=1),
    "meshgrid": lambda o, t: o.meshgrid(t[0], t[1, :2]),
    "sum/all": lambda o, t: [o.sum(t), o.mean(t), o.max(t), o.min(t), o.prod(t)],
    "var/all": lambda o, t: [o.var(t), o.std(t)],
    "norm/orders": lambda o, t: [o.norm(t), o.norm(t, ord=1, axis=1), o.norm(t, np.inf, axis=1)],
    "convert_to_numpy": lambda o, t: o.convert_to_numpy(o.convert_to_tensor(t)),
    "convert_to_tensor": lambda o, t: o.convert_to_tensor([[1.0, 2.0]]),
    "binary_crossentropy": lambda o, t: [
        o.binary_crossentropy(ONE_HOT, P),
        o.binary_crossentropy(ONE_HOT, P * 4, from_logits=True),
    ],
    "categorical_crossentropy": lambda o, t: [
        o.categorical_crossentropy(ONE_HOT, P),
        o.categorical_crossentropy(ONE_HOT, P * 4, from_logits=True),
    ],
    "sparse_categorical_crossentropy": lambda o, t: [
        o.sparse_categorical_crossentropy(np.array([2, 0]), P),
        o.sparse_categorical_crossentropy(np.array([2, 0]), P * 4, from_logits=True),
    ],
}


def named(name: str) -> Function:
    return lambda ops, t: getattr(ops, name)(t)


def operation(function: Function, x: Array, *before: Callable[[Keras], Any]) -> Case:
    """Values, then training through the operation where layers that come before it are given."""

    def case(keras: Keras) -> Any:
        layers = keras.layers
        values = function(keras.ops, x)
        if isinstance(values, (list, tuple)):
            values = [np.asarray(one) for one in values]
        result = {"values": values if isinstance(values, list) else np.asarray(values)}
        if not before:
            return result
        through = layers.Lambda(lambda t: function(keras.ops, t))
        inner = [make(keras) for make in before]
        model = stack(keras, *inner, through, layers.Flatten(), layers.Dense(2))
        return {**result, **train(compiled(model), X, TARGETS, epochs=1)}

    return case


def on_rows(domain: str, function: Function) -> Case:
    x, activation = DOMAINS[domain]
    return operation(function, x, lambda k: k.layers.Dense(4, activation=activation))


def on_matrices(function: Function) -> Case:
    return operation(
        function, LARGE, lambda k: k.layers.Dense(6), lambda k: k.layers.Reshape((2, 3))
    )


CASES: Cases = {
    **{
        f"ops.{name}": on_rows(domain, named(name))
        for domain, names in UNARY.items()
        for name in names
    },
    **{f"ops.{name}": on_rows(*rest) for name, rest in ON_ROWS.items()},
    **{f"ops.{name}": on_matrices(function) for name, function in ON_MATRICES.items()},
    **{
        f"ops.{name}": operation(function, DOMAINS["any"][0])
        for name, function in ON_ARRAYS.items()
    },
}
