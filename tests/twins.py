"""The estimators and their scikit-learn twins side by side: small data, and equality of fits."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
import sklearn.linear_model
import sklearn.neural_network
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.fixes import parse_version
from threadpoolctl import ThreadpoolController

import pynn
from pynn.config import get_num_threads

Array = npt.NDArray[Any]
BLAS = ThreadpoolController().select(user_api="blas")  # of NumPy and SciPy

TWINS: dict[str, type[BaseEstimator]] = {
    "MLPClassifier": sklearn.neural_network.MLPClassifier,
    "MLPRegressor": sklearn.neural_network.MLPRegressor,
    "Perceptron": sklearn.linear_model.Perceptron,
}
VERSION = parse_version(sklearn.__version__)
# scikit-learn 1.7 fails at its own early stopping where classes are strings.
NAMES = np.array(["no", "yes"] if parse_version("1.8") <= VERSION else [3, 8])
ROWS, FEATURES = 61, 7
TASKS = ["binary", "multiclass", "multilabel", "regression", "multioutput", "poisson"]


def estimator_name(task: str) -> str:
    """The estimator for a task."""
    return "MLPClassifier" if task in TASKS[:3] else "MLPRegressor"


def features(dtype: str = "float64") -> Array:
    """Rows of numbers of which many are zero."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (ROWS, FEATURES)) * (rng.random((ROWS, FEATURES)) < 0.6)
    return x.astype(dtype)


def targets(task: str) -> Array:
    """Targets that depend on the features, with noise."""
    rng = np.random.default_rng(2)
    z = features() @ rng.normal(size=(FEATURES, 3)) + 0.3 * rng.normal(size=(ROWS, 3))
    made: Array = {
        "binary": NAMES[(z[:, 0] > 0).astype(int)],
        "multiclass": np.array([0, 2, 5])[z.argmax(axis=1)],
        "multilabel": (z > 0).astype(int),
        "regression": z[:, 0],
        "multioutput": z,
        "poisson": rng.poisson(np.exp(0.5 * z[:, 0])).astype(float),
    }[task]
    return made


def weights() -> Array:
    """Sample weights, a few of them zero."""
    return np.random.default_rng(3).integers(0, 4, ROWS) / 2.0


STORAGE: dict[str, Callable[[Array], Any]] = {
    "dense": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "csr": scipy.sparse.csr_array,
    "csc": scipy.sparse.csc_matrix,
}


def pair(task: str, **parameters: Any) -> tuple[BaseEstimator, BaseEstimator]:
    """pynn's estimator for a task and scikit-learn's, with the same parameters."""
    if task == "poisson":
        parameters["loss"] = "poisson"
    name = estimator_name(task)
    return getattr(pynn, name)(**parameters), TWINS[name](**parameters)


def fit(estimator: BaseEstimator, *data: Any, method: str = "fit", **arguments: Any) -> None:
    """Fits and does not mind if the iterations were too few.

    scikit-learn's matrices are too small for BLAS to share among threads, which it does not know.
    """
    with BLAS.limit(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        getattr(estimator, method)(*data, **arguments)


def fitted(estimator: BaseEstimator) -> dict[str, Any]:
    """The public attributes that fitting made."""
    return {
        name: value
        for name, value in vars(estimator).items()
        if name.endswith("_") and not name.startswith("_")
    }


def assert_close(ours: Any, theirs: Any, tolerance: float, what: str) -> None:
    """Numbers are equal up to `tolerance` of the largest one in the array, all else is equal.

    A list of arrays, one for each layer, is compared array by array.
    """
    if isinstance(theirs, list) and theirs and isinstance(theirs[0], np.ndarray):
        assert len(ours) == len(theirs), what
        for i, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_close(one, other, tolerance, f"{what}[{i}]")
        return
    assert (ours is None) == (theirs is None), what
    assert isinstance(ours, list) == isinstance(theirs, list), what
    one, other = np.asarray(ours), np.asarray(theirs)
    assert one.dtype == other.dtype, what
    assert one.shape == other.shape, what
    if other.dtype.kind != "f":
        assert np.array_equal(one, other), f"{what}: {ours} is not {theirs}"
        return
    assert np.array_equal(np.isfinite(one), np.isfinite(other)), what
    one, other = one[np.isfinite(one)], other[np.isfinite(other)]
    if other.size:
        error = np.max(np.abs(one - other)) / max(np.max(np.abs(other)), 1e-300)
        assert error <= tolerance, f"{what} differs by {error:.1e} of its largest entry"


def assert_same_fit(
    ours: BaseEstimator, theirs: BaseEstimator, x: Any, tolerance: float, *, skip: str = ""
) -> None:
    """All public fitted attributes and the predictions of two estimators are equal.

    Args:
        ours: pynn's.
        theirs: scikit-learn's, the reference.
        x: rows to predict for.
        tolerance: for every array, relative to its largest entry.
        skip: names of attributes left out.
    """
    for name, value in fitted(theirs).items():
        if name not in skip.split():
            assert_close(getattr(ours, name), value, tolerance, name)
    for method in ("predict", "predict_proba"):
        if hasattr(theirs, method):
            predicted = getattr(ours, method)(x)
            assert_close(predicted, getattr(theirs, method)(x), tolerance, method)


def threads_at_hand(_: BaseEstimator, __: Any, ___: Any) -> float:
    """A scorer: how many threads the next fit in this process may use."""
    return float(get_num_threads())
