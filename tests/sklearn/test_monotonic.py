"""Predictions that only rise, or only fall, with a feature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from pynn import MLPClassifier, MLPRegressor

Array = Any
STREAM = np.random.RandomState(0)
X = STREAM.uniform(-3, 3, (400, 2))
STEPS = np.tanh(3 * (X[:, 0] - 1)) + np.tanh(3 * (X[:, 0] + 1.5))  # neither convex nor concave
NOISE = STREAM.normal(0, 0.5, 400)
GRID = np.stack(np.meshgrid(np.linspace(-6, 6, 300), np.linspace(-3, 3, 20), indexing="ij"), -1)
FITS: dict[str, Any] = {"max_iter": 150, "random_state": 0, "learning_rate_init": 0.01}

pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer:Warning"),
    pytest.mark.filterwarnings("ignore:lbfgs failed:Warning"),
]


def slopes(est: Any) -> Array:
    """Differences of the predictions along the first feature."""
    x = GRID.reshape(-1, 2)
    found = est.predict(x) if isinstance(est, MLPRegressor) else est.predict_proba(x)[:, 1]
    return np.diff(found.reshape(GRID.shape[:2]), axis=0)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"solver": "lbfgs"},
        {"solver": "sgd", "hidden_layer_sizes": (9, 5)},
        {"activation": "tanh", "hidden_layer_sizes": (30, 30), "standardize": True},
        {"activation": "logistic"},
        {"batch_norm": True, "dropout": 0.1},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (2, 1), "l1_ratio": 0.5},
        {"kernel_initializer": "he_normal", "early_stopping": True, "activation": "elu"},
    ],
    ids=str,
)
def test_predictions_follow_the_feature(options: dict[str, Any]) -> None:
    for sign in (1, -1):  # against the data, too
        est = MLPRegressor(monotonic_cst=[sign, 0], **{**FITS, "max_iter": 40, **options})
        assert (sign * slopes(est.fit(X, STEPS + NOISE)) >= -1e-12).all()
        kind = MLPClassifier(monotonic_cst=[sign, 0], **{**FITS, "max_iter": 40, **options})
        assert (sign * slopes(kind.fit(X, STEPS + NOISE > 0)) >= -1e-12).all()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_functions_that_are_not_convex_are_learned(solver: str) -> None:
    est = MLPRegressor(monotonic_cst=[1, 0], solver=solver, **FITS).fit(X, STEPS + NOISE)
    assert est.score(X, STEPS) > 0.95
    free = MLPRegressor(solver=solver, **FITS).fit(X, STEPS + 3 * NOISE)
    assert slopes(free).min() < 0  # what the constraint prevents


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_other_features_stay_free(solver: str) -> None:
    waves = np.sin(2 * X[:, 1])
    est = MLPRegressor(
        monotonic_cst=[1, 0], solver=solver, hidden_layer_sizes=(50, 50), **FITS
    ).fit(X, STEPS + 2 * waves)
    assert est.score(X, STEPS + 2 * waves) > 0.97


def test_by_name() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=["price", "age"])
    by_name = MLPRegressor(monotonic_cst={"price": -1}, **FITS).fit(table, STEPS)
    by_place = MLPRegressor(monotonic_cst=[-1, 0], **FITS).fit(X, STEPS)
    np.testing.assert_array_equal(by_name.predict(table), by_place.predict(X))
    with pytest.raises(ValueError, match=r"1 unexpected feature names: \['prize'\]"):
        MLPRegressor(monotonic_cst={"prize": 1}).fit(table, STEPS)
    with pytest.raises(ValueError, match=r"monotonic_cst\['price'\] must be either -1, 0 or 1"):
        MLPRegressor(monotonic_cst={"price": 2}).fit(table, STEPS)
    with pytest.raises(ValueError, match="was not fitted on data with feature names"):
        MLPRegressor(monotonic_cst={"price": 1}).fit(X, STEPS)


def test_missing_values_and_categories_stay_free() -> None:
    holes = X.copy()
    holes[::7, 0] = np.nan
    table = np.column_stack([holes, STREAM.randint(4, size=400)])
    y = np.where(np.isnan(holes[:, 0]), 4, STEPS) + table[:, 2] % 2
    est = MLPRegressor(
        monotonic_cst=[1, 0, 0], missing="indicator", categorical_features=[2], **FITS
    ).fit(table, y)
    assert est.score(table, y) > 0.9
    for city in (0, 1, 9):
        line = np.column_stack([np.linspace(-9, 9, 200), np.zeros(200), np.full(200, city)])
        assert (np.diff(est.predict(line)) >= -1e-12).all()


def test_zeros_constrain_nothing() -> None:
    plain = MLPRegressor(**FITS).fit(X, STEPS)
    zeros = MLPRegressor(monotonic_cst=[0, 0], **FITS).fit(X, STEPS)
    np.testing.assert_allclose(zeros.predict(X), plain.predict(X), rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"monotonic_cst": [1, 3]}, r"array-like of -1, 0 or 1. Observed values: \[3\]"),
        ({"monotonic_cst": [1]}, r"shape \(1,\) but the input data X has 2 features"),
        ({"monotonic_cst": [1, 0], "activation": "gelu"}, "needs a monotonic activation"),
        ({"monotonic_cst": [1, 0], "max_norm": 2.0}, "does not go with max_norm"),
        (
            {"monotonic_cst": [1, 0], "categorical_features": [0]},
            "Categorical features cannot have monotonic constraints",
        ),
    ],
)
def test_wrong_constraints(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MLPRegressor(**options).fit(X, STEPS)


def test_one_output_only() -> None:
    with pytest.raises(ValueError, match="not supported for multiclass classification"):
        MLPClassifier(monotonic_cst=[1, 0, 0, 0]).fit(*load_iris(return_X_y=True))
    with pytest.raises(ValueError, match="targets with 2 numbers"):
        MLPRegressor(monotonic_cst=[1, 0]).fit(X, np.column_stack([STEPS, STEPS]))
