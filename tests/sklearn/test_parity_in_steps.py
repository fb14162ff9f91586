"""Fits in several steps equal scikit-learn's too; so do types, printed lines and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, is_classifier

from twins import (
    ROWS,
    STORAGE,
    TASKS,
    assert_close,
    assert_same_fit,
    features,
    fit,
    fitted,
    pair,
    targets,
    weights,
)

every_task = pytest.mark.parametrize("task", TASKS)
every_storage = pytest.mark.parametrize("storage", ["dense", "csr"])
every_stochastic_solver = pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "adam"},
        {"solver": "sgd", "learning_rate_init": 0.02},
        {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 1},
    ],
    ids=lambda p: "-".join(str(value) for value in p.values()),
)
Step = Callable[[BaseEstimator, Any, Any], None]


def fit_it(estimator: BaseEstimator, x: Any, y: Any) -> None:
    fit(estimator, x, y)


def fit_longer(estimator: BaseEstimator, x: Any, y: Any) -> None:
    fit(estimator.set_params(max_iter=4, learning_rate_init=0.03, alpha=0.2), x, y)


def fit_other_rows(estimator: BaseEstimator, x: Any, y: Any) -> None:
    order = np.random.default_rng(5).permutation(ROWS)
    fit(estimator, x[order], y[order], sample_weight=weights())


def fit_stopping(estimator: BaseEstimator, x: Any, y: Any) -> None:
    fit(estimator.set_params(early_stopping=True, max_iter=8, tol=0.05), x, y)


def fit_part(estimator: BaseEstimator, x: Any, y: Any) -> None:
    """One epoch over a third of the rows."""
    part = slice(ROWS // 3, 2 * ROWS // 3)
    fit(estimator, x[part], y[part], method="partial_fit", **all_classes(estimator, y))


def fit_all_in_part(estimator: BaseEstimator, x: Any, y: Any) -> None:
    fit(estimator, x, y, method="partial_fit", sample_weight=weights())


def all_classes(estimator: BaseEstimator, y: Any) -> dict[str, Any]:
    """What a classifier must be told, for a part may lack some classes."""
    if not is_classifier(estimator):
        return {}
    return {"classes": np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)}


SEQUENCES: dict[str, list[Step]] = {
    "fit fit": [fit_it, fit_it, fit_other_rows, fit_longer],
    "parts": [fit_part, fit_all_in_part, fit_part, fit_part],
    "fit parts fit": [fit_it, fit_part, fit_part, fit_it, fit_all_in_part],
    "stopping": [fit_stopping, fit_stopping],
}


@pytest.mark.filterwarnings("ignore:Got `batch_size` less than 1")
@pytest.mark.parametrize("warm_start", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("sequence", SEQUENCES)
@every_stochastic_solver
@every_storage
@every_task
def test_sequence(
    task: str, storage: str, parameters: dict[str, Any], sequence: str, warm_start: bool
) -> None:
    """After every step, with one random stream through all of them."""
    x, y = STORAGE[storage](features()), targets(task)
    parameters = parameters | {"batch_size": 16, "max_iter": 3, "warm_start": warm_start}
    parameters |= {"hidden_layer_sizes": (6,)}
    estimators = pair(task, **parameters)
    for estimator in estimators:
        estimator.set_params(random_state=np.random.RandomState(4))
    for step in SEQUENCES[sequence]:
        for estimator in estimators:
            step(estimator, x, y)
        assert_same_fit(*estimators, x, 1e-8)


@every_task
def test_lbfgs_warm_start(task: str) -> None:
    x, y = features(), targets(task)
    parameters = {"solver": "lbfgs", "max_iter": 5, "warm_start": True, "random_state": 0}
    estimators = pair(task, hidden_layer_sizes=(6,), **parameters)
    for step in (fit_it, fit_it, fit_other_rows):
        for estimator in estimators:
            step(estimator, x, y)
        assert_same_fit(*estimators, x, 1e-4)  # line searches magnify the last bits


@pytest.mark.parametrize("warm_start", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@every_task
def test_assigned_weights(task: str, solver: str, warm_start: bool) -> None:
    """Weights that were assigned are predicted with, and training goes on from them."""
    x, y = features(), targets(task)
    estimators = pair(task, solver=solver, max_iter=2, hidden_layer_sizes=(6,), random_state=0)
    for estimator in estimators:
        fit(estimator.set_params(warm_start=warm_start), x, y)
        estimator.coefs_ = [0.5 * kernel for kernel in estimator.coefs_]
        estimator.intercepts_[0][:] = 0.25
        estimator.intercepts_[1] = estimator.intercepts_[1] + 1.0
    assert_same_fit(*estimators, x, 1e-8)
    for estimator in estimators:
        fit(estimator, x, y)
    assert_same_fit(*estimators, x, 1e-8)
    if solver != "lbfgs":
        for estimator in estimators:
            estimator.coefs_[0] *= 2.0
            fit(estimator, x, y, method="partial_fit")
        assert_same_fit(*estimators, x, 1e-8)


# Types


@every_storage
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@every_task
def test_float32_is_kept(task: str, solver: str, storage: str) -> None:
    x, y = STORAGE[storage](features("float32")), targets(task)
    ours, theirs = pair(task, solver=solver, max_iter=5, hidden_layer_sizes=(6,), random_state=0)
    fit(ours, x, y)
    fit(theirs, x, y)
    for name in ("coefs_", "intercepts_"):
        layers = [layer.astype("float32") for layer in getattr(theirs, name)]  # float64 of L-BFGS
        assert_close([one.astype("float32") for one in getattr(ours, name)], layers, 1e-4, name)
    assert np.allclose(ours.loss_, theirs.loss_, rtol=1e-4)
    predicted, expected = ours.predict(x), theirs.predict(x)
    if task in TASKS[:3]:
        assert np.allclose(ours.predict_proba(x), theirs.predict_proba(x), rtol=0, atol=1e-4)
        assert np.mean(predicted != expected) < 0.05
    else:
        assert np.allclose(predicted, expected, rtol=0, atol=1e-4 * np.max(np.abs(expected)))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "bool", "float16"])
@every_task
def test_other_types(task: str, dtype: str) -> None:
    """Whole numbers and unusual floats become what scikit-learn makes of them."""
    x, y = np.abs(4 * features()).astype(dtype), targets(task)
    ours, theirs = pair(task, max_iter=3, hidden_layer_sizes=(6,), random_state=0)
    fit(ours, x, y)
    fit(theirs, x, y)
    assert ours.coefs_[0].dtype == theirs.coefs_[0].dtype
    if theirs.coefs_[0].dtype == np.float64:
        assert_same_fit(ours, theirs, x, 1e-8)


@pytest.mark.parametrize("storage", STORAGE)
@every_task
def test_storage(task: str, storage: str) -> None:
    """Order of memory and sparse formats; lists too, for predictions."""
    x, y = STORAGE[storage](features()), targets(task)
    ours, theirs = pair(task, max_iter=3, hidden_layer_sizes=(6,), random_state=0)
    fit(ours, x, y)
    fit(theirs, x, y)
    assert_same_fit(ours, theirs, x, 1e-8)
    assert_same_fit(ours, theirs, features().tolist(), 1e-8)


@every_task
def test_attributes(task: str) -> None:
    """Every public attribute is there, of scikit-learn's type (its numbers may be NumPy's)."""
    for parameters in ({}, {"early_stopping": True}, {"solver": "lbfgs"}):
        ours, theirs = pair(task, max_iter=2, hidden_layer_sizes=(4,), random_state=0, **parameters)
        fit(ours, features(), targets(task))
        fit(theirs, features(), targets(task))
        for name, value in fitted(theirs).items():
            kinds = (bool, int, float, str, list, np.ndarray, type(None), BaseEstimator)
            expected = next((kind for kind in kinds if isinstance(value, kind)), object)
            assert isinstance(getattr(ours, name), expected), name


# Words


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "adam", "tol": 0.5, "n_iter_no_change": 2},
        {"solver": "adam", "early_stopping": True, "n_iter_no_change": 2},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.5, "n_iter_no_change": 1},
        {"solver": "sgd", "max_iter": 3},
    ],
    ids=lambda p: "-".join(str(value) for value in p.values()),
)
def test_printed_lines(
    parameters: dict[str, Any], task: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = []
    for estimator in pair(task, verbose=True, random_state=0, **parameters):
        fit(estimator, features(), targets(task))
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != ""


BAD: dict[str, tuple[dict[str, Any], Callable[[BaseEstimator, Any, Any], object]]] = {
    "no units": ({"hidden_layer_sizes": (3, 0)}, lambda e, x, y: e.fit(x, y)),
    "infinite x": ({}, lambda e, x, y: e.fit(np.where(x > 0.9, np.inf, x), y)),
    "rows differ": ({}, lambda e, x, y: e.fit(x, y[:-1])),
    "one axis": ({}, lambda e, x, y: e.fit(x[0], y)),
    "no rows": ({}, lambda e, x, y: e.fit(x[:0], y[:0])),
    "weights differ": ({}, lambda e, x, y: e.fit(x, y, sample_weight=np.ones(3))),
    "weights of two axes": ({}, lambda e, x, y: e.fit(x, y, sample_weight=np.ones((ROWS, 2)))),
    "not fitted": ({}, lambda e, x, y: e.predict(x)),
    "other features": ({"max_iter": 1}, lambda e, x, y: e.partial_fit(x, y).predict(x[:, 1:])),
    "stops in parts": ({"early_stopping": True}, lambda e, x, y: e.partial_fit(x, y)),
    "too few to validate": (
        {"early_stopping": True, "validation_fraction": 0.01},
        lambda e, x, y: e.fit(x, y),
    ),
    "no solver": ({"solver": 3}, lambda e, x, y: e.fit(x, y)),
    "no rate": ({"learning_rate_init": -1.0}, lambda e, x, y: e.fit(x, y)),
    "clipped batch": ({"batch_size": 999, "max_iter": 1}, lambda e, x, y: e.fit(x, y)),
    "too few epochs": ({"max_iter": 1}, lambda e, x, y: e.fit(x, y)),
    "too few iterations": ({"max_iter": 1, "solver": "lbfgs"}, lambda e, x, y: e.fit(x, y)),
    "column": ({"tol": 1e9, "n_iter_no_change": 1}, lambda e, x, y: e.fit(x, y[:, None])),
}


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("case", BAD)
def test_errors_and_warnings(case: str, task: str) -> None:
    parameters, call = BAD[case]
    ours, theirs = (outcome(estimator, call) for estimator in pair(task, **parameters))
    assert ours[0] == theirs[0]
    assert ours[1][:40] == theirs[1][:40]  # more choices than scikit-learn has, other advice


def outcome(
    estimator: BaseEstimator, call: Callable[[BaseEstimator, Any, Any], object]
) -> tuple[type[BaseException] | None, str]:
    """The exception of a call, warnings included, and its words."""
    y = targets("binary" if is_classifier(estimator) else "regression")
    try:
        call(estimator, features(), y)
    except Exception as error:
        return type(error), str(error)
    return None, ""


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_hopeless_rows_cost_as_much(task: str) -> None:
    """Outputs of exactly 0 and 1: the loss of a row that is wrong is bounded by the precision."""
    x, y = 1000 * features(), targets(task)
    ours, theirs = pair(task, max_iter=5, random_state=0)
    fit(ours, x, y)
    fit(theirs, x, y)
    assert max(theirs.loss_curve_) > 1
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)
