"""KerasClassifier and KerasRegressor inside scikit-learn: searches, pipelines, ensembles."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import layers, optimizers

pytest.importorskip("sklearn")

import joblib
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, KFold, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from pynn.sklearn import KerasClassifier, KerasRegressor
from wrapped_models import LABELS, OPTIONS, Array, iris, multiclass


def test_grid_search() -> None:
    x, y = iris()
    grid = {"model__hidden": [2, 16], "optimizer__learning_rate": [1e-4, 3e-2]}
    folds = KFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(KerasClassifier(multiclass, **OPTIONS), grid, cv=folds).fit(x, y)
    assert search.best_params_["optimizer__learning_rate"] == 3e-2
    assert search.best_estimator_.model_.layers[0].units == search.best_params_["model__hidden"]
    for params, score in zip(
        search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
    ):
        by_hand = []
        for train, test in folds.split(x):
            pynn.utils.set_random_seed(7)
            model = multiclass(4, 3, params["model__hidden"])
            rate = params["optimizer__learning_rate"]
            model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy")
            model.fit(x[train], y[train], epochs=5, verbose=0)
            predicted = model.predict(x[test], verbose=0).argmax(axis=1)
            by_hand.append(accuracy_score(y[test], predicted))
        assert score == pytest.approx(np.mean(by_hand))


def test_pipeline_and_workers() -> None:
    x, y = load_diabetes(return_X_y=True)
    model = pynn.Sequential([pynn.Input((10,)), layers.Dense(8, "relu"), layers.Dense(1)])
    estimator = KerasRegressor(model, optimizer="adam", epochs=30, random_state=0)
    pipeline = make_pipeline(StandardScaler(), estimator)
    pipeline.set_params(kerasregressor__optimizer__learning_rate=0.05)
    expected = cross_val_score(pipeline, x, y, cv=3)
    assert expected.mean() > 0.3
    for backend in ("loky", "threading"):
        with joblib.parallel_config(backend):
            scores = cross_val_score(pipeline, x, y, cv=3, n_jobs=2)
        np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_threads_have_their_own_seeds() -> None:
    x, y = iris()

    def fit(seed: int) -> Array:
        options = {**OPTIONS, "random_state": seed}
        found: Array = KerasClassifier(multiclass, **options).fit(x, y).predict_proba(x)
        return found

    expected = [fit(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for ours, theirs in zip(pool.map(fit, range(4)), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_metadata_routing() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    weight = np.where(y == 0, 10.0, 1.0)
    with config_context(enable_metadata_routing=True):
        estimator = KerasClassifier(multiclass, **OPTIONS)
        estimator.set_fit_request(sample_weight=True, X_val=True, y_val=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, estimator, transform_input=["X_val"])
        pipeline.fit(x[:400], y[:400], sample_weight=weight[:400], X_val=x[400:], y_val=y[400:])
    scaler = StandardScaler().fit(x[:400])
    train, rest = scaler.transform(x[:400]), scaler.transform(x[400:])
    expected = KerasClassifier(multiclass, **OPTIONS)
    expected.fit(train, y[:400], sample_weight=weight[:400], X_val=rest, y_val=y[400:])
    np.testing.assert_array_equal(
        pipeline.predict_proba(x), expected.predict_proba(scaler.transform(x))
    )
    assert pipeline[-1].history_ == expected.history_


def test_tags() -> None:
    assert get_tags(KerasClassifier(multiclass)).classifier_tags.multi_label
    assert get_tags(KerasRegressor(multiclass)).target_tags.multi_output
    assert get_tags(KerasRegressor(multiclass)).target_tags.required


@pytest.mark.parametrize(
    "make",
    [
        lambda e: AdaBoostClassifier(e, n_estimators=3),
        lambda e: BaggingClassifier(e, n_estimators=3, random_state=0),
        lambda e: CalibratedClassifierCV(e, cv=3),
        lambda e: HalvingGridSearchCV(
            e, {"model__hidden": [2, 8, 16]}, resource="epochs", max_resources=40, min_resources=10
        ),
        lambda e: OneVsRestClassifier(e),
        lambda e: StackingClassifier([("a", e), ("b", LogisticRegression())]),
        lambda e: VotingClassifier([("a", e), ("b", LogisticRegression())], voting="soft"),
    ],
)
def test_ensembles(make: Any) -> None:
    x, y = iris()
    options = {**OPTIONS, "epochs": 30, "optimizer__learning_rate": 0.02}
    ensemble = make(KerasClassifier(multiclass, **options)).fit(x, LABELS[y])
    assert ensemble.score(x, LABELS[y]) > 0.9
