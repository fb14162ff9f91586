"""Rows that are not trained on, and the scorers that stop a training."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer, log_loss
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from iris_classifier import (
    ILL,
    PROGRESS,
    SETTINGS,
    X_VAL,
    Y_VAL,
    X,
    Y,
    classifier,
    probabilities,
)
from pynn.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def watched(estimator: Any) -> list[float]:
    scores: list[float] = estimator.validation_scores_
    return scores


def train_by_hand(theirs: Any, score: Any, x: Any, y: Any, patience: int, **first: Any) -> Any:
    """scikit-learn's estimator, one epoch at a time, stopped by scores as its own fit does it."""
    scores: list[float] = []
    best, idle, kept = -np.inf, 0, None
    for _ in range(theirs.max_iter):
        theirs.partial_fit(x, y, **first)
        scores.append(score(theirs))
        idle = idle + 1 if scores[-1] < best + theirs.tol else 0
        if scores[-1] > best:
            best, kept = scores[-1], [c.copy() for c in theirs.coefs_ + theirs.intercepts_]
        if idle > patience:
            break
    return scores, kept


def _share_of_virginica(estimator: Any, x: Any, y: Any) -> float:
    assert set(y) == set(estimator.classes_)
    sure = estimator.predict_proba(x)[:, 2] - (y == "virginica")
    return float(-np.abs(sure).mean())


@pytest.mark.parametrize(
    "scoring",
    [None, "accuracy", "neg_log_loss", "roc_auc_ovr", "f1_macro", _share_of_virginica, "loss"],
)
def test_a_scorer_stops_as_a_loop_over_scikit_learns_estimator_does(scoring: Any) -> None:
    def score(estimator: Any) -> float:
        if scoring == "loss":
            return -float(log_loss(Y_VAL, estimator.predict_proba(X_VAL)))
        scorer = get_scorer("accuracy" if scoring is None else scoring)
        return float(scorer(estimator, X_VAL, Y_VAL))

    options = {**SETTINGS, "n_iter_no_change": 3, "tol": 3e-3, "learning_rate_init": 0.1}
    options["shuffle"] = False  # fit goes on from the last order, partial_fit from that of the rows
    theirs = TheirClassifier(**options, random_state=np.random.RandomState(5))
    scores, kept = train_by_hand(theirs, score, X, Y, 3, classes=np.unique(Y))
    ours = MLPClassifier(**options, random_state=5, early_stopping=True, scoring=scoring)
    ours.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert 4 < len(scores) < 60
    np.testing.assert_allclose(watched(ours), scores, rtol=1e-8)
    assert ours.n_iter_ == len(scores)
    assert ours.best_validation_score_ == max(watched(ours))
    for one, other in zip([*ours.coefs_, *ours.intercepts_], kept, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)


def test_a_regressor_is_stopped_by_its_r2_or_by_a_scorer() -> None:
    x, y, x_val, y_val = ILL[::2], PROGRESS[::2], ILL[1::2], PROGRESS[1::2]
    options = {**SETTINGS, "n_iter_no_change": 2, "tol": 1e-3, "learning_rate_init": 0.01}
    options["shuffle"] = False
    for scoring in (None, "neg_mean_absolute_error"):
        scorer = get_scorer(scoring or "r2")
        theirs = TheirRegressor(**options, random_state=np.random.RandomState(0))
        scores, kept = train_by_hand(theirs, lambda e, s=scorer: s(e, x_val, y_val), x, y, 2)
        ours = MLPRegressor(**options, random_state=0, early_stopping=True, scoring=scoring)
        ours.fit(x, y, X_val=x_val, y_val=y_val)
        np.testing.assert_allclose(watched(ours), scores, rtol=1e-8)
        np.testing.assert_allclose(ours.coefs_[0], kept[0], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_given_equal_the_split_made_by_hand(weighted: bool) -> None:
    from sklearn.model_selection import train_test_split

    weight = np.random.RandomState(1).uniform(0.5, 2, len(X)) if weighted else None
    options = {"shuffle": False, "early_stopping": True, "n_iter_no_change": 4}
    split = classifier(**options, validation_fraction=0.3).fit(X, Y, weight)
    stream = np.random.RandomState(3)
    stream.uniform(size=4 * 7 + 7 + 7 * 3 + 3)  # the start weights
    train, held = train_test_split(np.arange(len(X)), random_state=stream, test_size=0.3)
    given = classifier(**options).fit(
        X[train],
        Y[train],
        None if weight is None else weight[train],
        X_val=X[held],
        y_val=Y[held],
        sample_weight_val=None if weight is None else weight[held],
    )
    assert given.n_iter_ == split.n_iter_
    assert given.validation_scores_ == split.validation_scores_
    assert given.history_ == split.history_
    np.testing.assert_array_equal(given.coefs_[0], split.coefs_[0])


def test_weights_of_validation_rows_are_repetitions() -> None:
    times = np.random.RandomState(0).randint(1, 4, len(X_VAL))
    for scoring in (None, "neg_log_loss"):
        one, other = (classifier(max_iter=5, scoring=scoring) for _ in range(2))
        one.fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=times)
        other.fit(X, Y, X_val=X_VAL.repeat(times, 0), y_val=Y_VAL.repeat(times))
        for key in ("val_loss", "val_score"):
            np.testing.assert_allclose(one.history_[key], other.history_[key], rtol=1e-12)


def test_scorers_see_feature_names_and_original_labels_without_warnings() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    seen = []

    def scorer(estimator: Any, x: Any, y: Any) -> float:
        seen.append((estimator.n_iter_, estimator.predict(frame)[0], y.tolist()))
        assert list(estimator.feature_names_in_) == list("abcd")
        np.testing.assert_allclose(
            estimator.predict_proba(x),
            probabilities([*_interleaved(estimator)], x),
            rtol=1e-10,
        )
        np.testing.assert_allclose(np.exp(estimator.predict_log_proba(x)).sum(1), 1)
        return float(estimator.score(x, y))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = classifier(max_iter=3, scoring=scorer)
        model.fit(frame, Y, X_val=frame.iloc[::-1], y_val=Y[::-1])
    assert [epoch for epoch, _, _ in seen] == [1, 2, 3]
    assert seen[0][2] == Y[::-1].tolist()
    assert model.history_["val_score"][-1] == model.score(frame, Y)


def _interleaved(estimator: Any) -> Any:
    for kernel, bias in zip(estimator.coefs_, estimator.intercepts_, strict=True):
        yield from (kernel, bias)


def test_labels_of_several_columns_are_judged() -> None:
    labels = np.stack([X[:, 0] > 0, X[:, 1] > 0], 1).astype(int)
    model = classifier(max_iter=4, scoring="f1_micro", early_stopping=True)
    model.fit(X, labels, X_val=X[::-1], y_val=labels[::-1])
    expected = get_scorer("f1_micro")(model, X, labels)
    assert max(watched(model)) == pytest.approx(expected)


def test_validation_rows_in_a_pipeline_are_transformed() -> None:
    with config_context(enable_metadata_routing=True):
        last = classifier(max_iter=5).set_fit_request(X_val=True, y_val=True)
        steps = [("scale", StandardScaler()), ("mlp", last)]
        pipeline = Pipeline(steps, transform_input=["X_val"])
        pipeline.fit(3 * X + 1, Y, X_val=3 * X_VAL + 1, y_val=Y_VAL)
    scale = StandardScaler().fit(X)
    by_hand = classifier(max_iter=5)
    by_hand.fit(scale.transform(X), Y, X_val=scale.transform(X_VAL), y_val=Y_VAL)
    found = pipeline[-1].history_["val_loss"]
    np.testing.assert_allclose(found, by_hand.history_["val_loss"], rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "arguments", "message"),
    [
        ({}, {"X_val": X_VAL}, "X_val is provided, but y_val was not provided"),
        ({}, {"y_val": Y_VAL}, "y_val is provided, but X_val was not provided"),
        ({}, {"sample_weight_val": [1.0]}, "sample_weight_val is provided, but X_val was not"),
        ({}, {"X_val": X_VAL[:, :3], "y_val": Y_VAL}, "X has 3 features"),
        ({}, {"X_val": X_VAL[:2], "y_val": ["rose", "setosa"]}, "no other classes than y.*rose"),
        ({}, {"X_val": X_VAL[:2], "y_val": [[0, 1], [1, 0]]}, "must have the form of y"),
        ({}, {"X_val": X_VAL, "y_val": Y_VAL[:3]}, "inconsistent numbers of samples"),
        ({"scoring": "accuracy"}, {}, "scoring judges rows that are not trained on"),
        ({"scoring": "good"}, {"X_val": X_VAL, "y_val": Y_VAL}, "scoring"),
        (
            {"solver": "lbfgs", "early_stopping": True},
            {"X_val": X_VAL, "y_val": Y_VAL},
            "early_stopping stops the stochastic solvers only",
        ),
    ],
)
def test_validation_that_does_not_fit_is_named(
    options: dict[str, Any], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        classifier(**options).fit(X, Y, **arguments)


def test_a_regressor_wants_as_many_columns_as_it_trains() -> None:
    with pytest.raises(ValueError, match=r"as many columns as y, 2\. Received: 1"):
        MLPRegressor().fit(X, X[:, :2], X_val=X, y_val=X[:, 0])
