"""A sparse matrix with all that SciPy allows, and a network on it with its formula."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

import pynn
from pynn import layers
from small_models import F64

Array = npt.NDArray[Any]
FEATURES, UNITS = 23, 5


def matrix(rows: int = 40, features: int = FEATURES, dtype: Any = np.float64) -> Any:
    """Empty rows, unsorted columns, and several numbers at one place, which add up."""
    rng = np.random.default_rng(rows)
    sizes = rng.integers(0, 7, rows)
    sizes[[0, rows // 2, -1]] = 0
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    indices = rng.integers(0, features, indptr[-1]).astype(np.int32)
    data = rng.integers(-3, 4, indptr[-1]).astype(dtype)
    return sp.csr_matrix((data, indices, indptr), (rows, features))


def network(features: int = FEATURES, **kwargs: Any) -> Any:
    return pynn.Sequential(
        [
            pynn.Input((features,), sparse=True),
            layers.Dense(UNITS, activation="tanh", **F64, **kwargs),
            layers.Dense(1, **F64),
        ]
    )


def compiled(rate: float = 0.1) -> Any:
    model = network()
    model.compile(pynn.optimizers.SGD(rate), "mse")
    return model


def forward(x: Array, w: list[Array]) -> tuple[Array, Array]:
    h = np.tanh(x @ w[0] + w[1])
    return h, h @ w[2] + w[3]


def loss_gradients(x: Array, y: Array, w: list[Array]) -> list[Array]:
    """Of the mean squared error."""
    h, out = forward(x, w)
    d_out = 2 * (out - y[:, None]) / len(x)
    d_h = (d_out @ w[2].T) * (1 - h**2)
    return [x.T @ d_h, d_h.sum(axis=0), h.T @ d_out, d_out.sum(axis=0)]


def close(ours: Any, theirs: Any) -> None:
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
