"""Fitted estimators to and from scikit-learn, and prediction for services."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from sklearn import neural_network as theirs
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError

import pynn
from twins import NAMES

IRIS = load_iris(return_X_y=True)
LABELS = (IRIS[0], np.column_stack([IRIS[1] == 0, IRIS[0][:, 0] > 6]).astype(int))
NAMED = (IRIS[0], NAMES[(IRIS[1] > 0).astype(int)])
DIABETES = load_diabetes(return_X_y=True)
PAIRS = (DIABETES[0], np.column_stack([DIABETES[1], -DIABETES[1]]))
KINDS = [
    ("MLPClassifier", IRIS),
    ("MLPClassifier", LABELS),
    ("MLPClassifier", NAMED),
    ("MLPRegressor", DIABETES),
    ("MLPRegressor", PAIRS),
]
SOLVERS: list[dict[str, Any]] = [
    {"solver": "adam"},
    {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 1e-4},
    {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 1e-4, "activation": "logistic"},
    {"solver": "adam", "early_stopping": True},
    {"solver": "lbfgs", "max_iter": 10},
]

pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer:Warning"),
    pytest.mark.filterwarnings("ignore:lbfgs failed:Warning"),
]


@pytest.mark.parametrize("options", SOLVERS, ids=str)
@pytest.mark.parametrize(("kind", "data"), KINDS)
def test_there_and_back(kind: str, data: Any, options: dict[str, Any]) -> None:
    x, y = data
    one = getattr(theirs, kind)(random_state=0, **{"max_iter": 12, **options}).fit(x, y)
    own = getattr(pynn, kind).from_sklearn(one)
    assert own.get_params()["solver"] == options["solver"]
    back = own.to_sklearn()
    assert type(back) is type(one)
    for est in (own, back):
        if kind == "MLPClassifier":
            np.testing.assert_array_equal(est.predict(x), one.predict(x))
            np.testing.assert_allclose(est.predict_proba(x), one.predict_proba(x), rtol=1e-12)
        else:
            np.testing.assert_allclose(est.predict(x), one.predict(x), rtol=1e-11)
        assert est.n_iter_ == one.n_iter_
        assert est.loss_ == one.loss_
    if options["solver"] == "lbfgs" or "early_stopping" in options:
        return
    for _ in range(3):  # the optimizer goes on where it was
        one.partial_fit(x, y)
        own.partial_fit(x, y)
    for a, b in zip(own.coefs_, one.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(own.loss_curve_, one.loss_curve_, rtol=1e-9)


def test_training_goes_on_at_scikit_learns() -> None:
    own = pynn.MLPClassifier(random_state=0, max_iter=5).fit(*IRIS)
    back = own.to_sklearn().set_params(warm_start=True, max_iter=30).fit(*IRIS)
    assert len(back.loss_curve_) == 35
    assert back.loss_ < own.loss_


def test_exchange_errors() -> None:
    fitted = theirs.MLPRegressor(max_iter=2).fit(*DIABETES)
    with pytest.raises(TypeError, match="takes scikit-learn's MLPClassifier"):
        pynn.MLPClassifier.from_sklearn(fitted)
    with pytest.raises(NotFittedError):
        pynn.MLPRegressor.from_sklearn(theirs.MLPRegressor())
    with pytest.raises(NotFittedError):
        pynn.MLPRegressor().to_sklearn()
    for option in ({"activation": "gelu"}, {"batch_norm": True}):
        own = pynn.MLPClassifier(max_iter=2, **option).fit(*IRIS)
        with pytest.raises(ValueError, match="to_sklearn: hidden layers must have"):
            own.to_sklearn()
    hinge = pynn.MLPClassifier(max_iter=2, loss="hinge").fit(*IRIS)
    with pytest.raises(ValueError, match="must learn probabilities"):
        hinge.to_sklearn()


@pytest.mark.parametrize(("kind", "data"), KINDS)
def test_predictor(kind: str, data: Any) -> None:
    x, y = data
    one = getattr(theirs, kind)(random_state=0, max_iter=12).fit(x, y)
    own = getattr(pynn, kind).from_sklearn(one)
    served = own.predictor()
    own.set_params(warm_start=True).fit(x, y)  # does not reach the copy
    close = np.testing.assert_allclose if kind == "MLPRegressor" else np.testing.assert_array_equal
    close(served.predict(x), one.predict(x))
    close(served.predict(x[3]), one.predict(x)[3])
    if kind == "MLPClassifier":
        np.testing.assert_allclose(served.predict_proba(x), one.predict_proba(x), rtol=1e-12)
        np.testing.assert_allclose(served.predict_proba(x[3]), one.predict_proba(x)[3], rtol=1e-12)
    with pytest.raises(ValueError, match=r"Received: .*5"):
        served.predict(np.zeros(5))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(served.predict, [x[i] for i in range(60)]))
    close(np.array(found), one.predict(x)[:60])


def test_assigned_weights_take_effect() -> None:
    x, y = DIABETES
    one = theirs.MLPRegressor(random_state=0, max_iter=5).fit(x, y)
    own = pynn.MLPRegressor(random_state=0, max_iter=5).fit(x, y)
    for est in (one, own):
        est.coefs_[0][2] *= 3
        est.intercepts_ = [b + 1 for b in est.intercepts_]
        est.coefs_[1] = np.full_like(est.coefs_[1], 0.5)
    np.testing.assert_allclose(own.predict(x), one.predict(x), rtol=1e-12)
    own.coefs_[0][:] = 0
    one.coefs_[0][:] = 0
    np.testing.assert_allclose(own.predict(x), one.predict(x), rtol=1e-12)
    own.coefs_[0] = np.zeros((3, 3))
    with pytest.raises(ValueError, match=r"hidden_1/kernel: expected values of shape \(10, 100\)"):
        own.predict(x)
    own.coefs_ = own.coefs_[:1]
    with pytest.raises(ValueError, match="must have 4 arrays together"):
        own.predict(x)


def test_single_rows_are_still_checked() -> None:
    own = pynn.MLPClassifier(random_state=0, max_iter=5).fit(*IRIS)
    for wrong, message in (
        ([[np.nan, 1, 1, 1]], "contains NaN"),
        ([[np.inf, 1, 1, 1]], "contains infinity"),
        ([[1.0, 1, 1]], "has 3 features"),
        ([1.0, 1, 1, 1], "Expected 2D array"),
    ):
        with pytest.raises(ValueError, match=message):
            own.predict(np.array(wrong))
