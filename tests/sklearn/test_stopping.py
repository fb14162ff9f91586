"""Validation rows, scorers, history and callbacks of the estimators."""

from __future__ import annotations

import csv
import os
import signal
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import __version__, config_context
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer, log_loss
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import pynn
from pynn.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    OneCycle,
    ReduceLROnPlateau,
)
from pynn.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

_FLOWERS, _KINDS = load_iris(return_X_y=True)
_FLOWERS = StandardScaler().fit_transform(_FLOWERS)
_NAMES = np.array(["setosa", "versicolor", "virginica"])[_KINDS]
X, Y = _FLOWERS[::2], _NAMES[::2]
X_VAL, Y_VAL = _FLOWERS[1::2], _NAMES[1::2]
_ILL, _PROGRESS = load_diabetes(return_X_y=True)
_ILL, _PROGRESS = StandardScaler().fit_transform(_ILL), (_PROGRESS - 150) / 80
SETTINGS: dict[str, Any] = {
    "hidden_layer_sizes": (7,),
    "batch_size": 20,
    "learning_rate_init": 0.02,
    "max_iter": 60,
}


def classifier(**options: Any) -> MLPClassifier:
    return MLPClassifier(**{**SETTINGS, "random_state": 3, **options})


def watched(estimator: Any) -> list[float]:
    scores: list[float] = estimator.validation_scores_
    return scores


def probabilities(weights: list[Any], x: Any) -> Any:
    """A network with one hidden layer of ReLU and softmax."""
    kernel, bias, kernel_2, bias_2 = weights
    z = np.maximum(x @ kernel + bias, 0) @ kernel_2 + bias_2
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def cross_entropy(weights: list[Any], x: Any, y: Any, sample_weight: Any = None) -> float:
    picked = probabilities(weights, x)[np.arange(len(y)), np.searchsorted(np.unique(_NAMES), y)]
    return float(-np.average(np.log(picked), weights=sample_weight))


class Weights(Callback):
    """Keeps the weights after each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Any] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.kept.append(self.model.get_weights())


# ---- validation rows and scorers ----------------------------------------------------------------


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
    x, y, x_val, y_val = _ILL[::2], _PROGRESS[::2], _ILL[1::2], _PROGRESS[1::2]
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


# ---- history_ -----------------------------------------------------------------------------------


def test_history_follows_the_formulas() -> None:
    weights, sample_weight = Weights(), np.random.RandomState(0).uniform(0.1, 1, len(X_VAL))
    model = classifier(max_iter=6, alpha=0.5, callbacks=[weights])
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=sample_weight)
    history = model.history_
    assert list(history) == ["loss", "val_loss", "val_score", "learning_rate"]
    assert history["loss"] == model.loss_curve_
    assert history["learning_rate"] == [0.02] * 6
    for epoch, kept in enumerate(weights.kept):
        loss = cross_entropy(kept, X_VAL, Y_VAL, sample_weight)
        assert history["val_loss"][epoch] == pytest.approx(loss, rel=1e-10)
        hits = np.unique(_NAMES)[probabilities(kept, X_VAL).argmax(1)] == Y_VAL
        score = np.average(hits, weights=sample_weight)
        assert history["val_score"][epoch] == pytest.approx(score, rel=1e-12)
    assert all(type(value) is float for values in history.values() for value in values)


def test_the_validation_loss_of_several_numbers_is_that_of_training() -> None:
    targets = np.stack([_PROGRESS, _ILL[:, 0]], 1)
    model = MLPRegressor(**SETTINGS, random_state=0, alpha=0)
    model.set_params(max_iter=3, batch_size=442, learning_rate_init=1e-9)
    model.fit(_ILL, targets, X_val=_ILL, y_val=targets)
    by_hand = ((model.predict(_ILL) - targets) ** 2).mean() / 2
    assert model.history_["val_loss"][-1] == pytest.approx(by_hand, rel=1e-10)
    assert model.history_["loss"][-1] == pytest.approx(by_hand, rel=1e-6)


def test_the_learning_rate_of_each_epoch_is_kept() -> None:
    model = classifier(solver="sgd", learning_rate="invscaling", power_t=0.3, max_iter=4).fit(X, Y)
    rates = [0.02 / (epoch * len(X) + (epoch > 0)) ** 0.3 if epoch else 0.02 for epoch in range(4)]
    np.testing.assert_allclose(model.history_["learning_rate"], rates, rtol=1e-12)


def test_iterations_of_lbfgs_are_epochs() -> None:
    weights = Weights()
    model = classifier(solver="lbfgs", max_iter=9, alpha=0.1, callbacks=[weights])
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    history = model.history_
    assert list(history) == ["loss", "val_loss", "val_score"]
    assert len(history["loss"]) == model.n_iter_ == 9
    assert history["loss"][-1] == model.loss_
    for epoch, kept in enumerate(weights.kept):
        penalty = 0.1 / 2 * sum((kernel**2).sum() for kernel in kept[::2]) / len(X)
        loss = cross_entropy(kept, X, Y) + penalty
        assert history["loss"][epoch] == pytest.approx(loss, rel=1e-10)
        loss = cross_entropy(kept, X_VAL, Y_VAL)
        assert history["val_loss"][epoch] == pytest.approx(loss, rel=1e-10)
    plain = classifier(solver="lbfgs", max_iter=9, alpha=0.1).fit(X, Y)
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])


def test_history_goes_on_where_training_does() -> None:
    warm = classifier(max_iter=3, warm_start=True).fit(X, Y).fit(X, Y)
    assert warm.history_["loss"] == warm.loss_curve_
    assert len(warm.history_["loss"]) == 6
    warm.set_params(warm_start=False).fit(X, Y)
    assert len(warm.history_["loss"]) == 3
    numbers: list[int] = []
    seen = LambdaCallback(on_epoch_begin=lambda epoch, logs: numbers.append(epoch))
    parts = classifier(callbacks=[seen]).partial_fit(X, Y, classes=np.unique(Y))
    for _ in range(2):
        parts.partial_fit(X, Y)
    assert parts.history_["loss"] == parts.loss_curve_
    assert numbers == [0, 1, 2]


def test_looking_changes_nothing() -> None:
    plain = classifier(max_iter=10).fit(X, Y)
    looked = classifier(max_iter=10, scoring="neg_log_loss", callbacks=[Weights(), _Batches()])
    looked.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert looked.loss_curve_ == plain.loss_curve_
    assert looked.validation_scores_ is None
    for one, other in zip(looked.coefs_, plain.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)


# ---- callbacks ----------------------------------------------------------------------------------


class _Batches(Callback):
    """Counts batches, and keeps the losses it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[int] = []
        self.losses: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.begun.append(batch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        assert logs is not None
        self.losses.append(logs["loss"])


def test_hooks_of_batches_see_the_loss_so_far() -> None:
    batches = _Batches()
    model = classifier(max_iter=2, callbacks=batches).fit(X, Y)
    assert batches.begun == [0, 1, 2, 3] * 2  # 75 rows in batches of 20
    assert batches.losses[3::4] == model.loss_curve_
    assert batches.params["steps"] == 4
    assert batches.params["epochs"] == 2


def test_a_callback_stops_the_training() -> None:
    stop = EarlyStopping("val_score", patience=2, min_delta=0.01, restore_best_weights=True)
    weights = Weights()
    model = classifier(callbacks=[stop, weights])
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    scores = model.history_["val_score"]
    assert model.n_iter_ == len(scores) == stop.stopped_epoch + 1 < 60
    assert stop.best_epoch == len(scores) - 3
    np.testing.assert_array_equal(model.coefs_[0], weights.kept[stop.best_epoch][0])


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_stop_ends_after_its_epoch(solver: str) -> None:
    class Third(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 2

    stopped = classifier(solver=solver, callbacks=[Third()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stopped.fit(X, Y)
    shorter = classifier(solver=solver, max_iter=3).fit(X, Y)
    assert stopped.n_iter_ == shorter.n_iter_ == 3
    np.testing.assert_array_equal(stopped.coefs_[1], shorter.coefs_[1])
    np.testing.assert_array_equal(stopped.predict_proba(X), shorter.predict_proba(X))


def test_the_rate_that_a_callback_sets_is_used() -> None:
    stream = np.random.RandomState(3)
    theirs = TheirClassifier(**SETTINGS, solver="sgd", shuffle=False, random_state=stream)
    theirs.partial_fit(X, Y, classes=np.unique(Y))
    for epoch in range(1, 6):
        theirs._optimizer.learning_rate = 0.02 / (1 + epoch)
        theirs.partial_fit(X, Y)
    schedule = LearningRateScheduler(lambda epoch: 0.02 / (1 + epoch))
    ours = classifier(solver="sgd", shuffle=False, max_iter=6, callbacks=[schedule]).fit(X, Y)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-9)
    rates = [0.02 / (1 + epoch) for epoch in range(6)]
    np.testing.assert_allclose(ours.history_["learning_rate"], rates, rtol=1e-12)


def test_a_plateau_reduces_the_rate() -> None:
    plateau = ReduceLROnPlateau("loss", factor=0.5, patience=2, min_delta=100)
    model = classifier(max_iter=6, callbacks=[plateau]).fit(X, Y)
    rates = [0.02, 0.02, 0.02, 0.01, 0.01, 0.005]
    np.testing.assert_allclose(model.history_["learning_rate"], rates)
    adaptive = classifier(
        max_iter=8, solver="sgd", learning_rate="adaptive", tol=100, n_iter_no_change=3
    )
    adaptive.set_params(callbacks=[plateau]).fit(X, Y)  # divided by 5 after the fourth idle epoch
    rates = [0.02, 0.02, 0.02, 0.01, 0.01, 0.001, 0.001, 0.0005]
    assert adaptive.history_["learning_rate"][:4] == rates[:4]
    assert adaptive.history_["learning_rate"][5] < 0.01 / 5 + 1e-12


def test_one_cycle_moves_rate_and_momentum() -> None:
    cycle = OneCycle(0.1, momentum=(0.9, 0.5))
    model = classifier(solver="sgd", max_iter=10, callbacks=[cycle]).fit(X, Y)
    rates = [cycle.rate(4 * epoch + 3, 40) for epoch in range(10)]
    np.testing.assert_allclose(model.history_["learning_rate"], rates)
    plain = classifier(solver="sgd", max_iter=10, callbacks=[OneCycle(0.1, momentum=None)])
    assert abs(model.coefs_[0] - plain.fit(X, Y).coefs_[0]).max() > 1e-3


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"solver": "lbfgs"}, "solver='lbfgs' has none"),
        ({"solver": "sgd", "learning_rate": "invscaling"}, "'invscaling' sets it"),
    ],
)
def test_a_rate_that_has_no_effect_cannot_be_set(options: dict[str, Any], reason: str) -> None:
    schedule = LearningRateScheduler(lambda epoch: 0.5)
    with pytest.raises(ValueError, match=reason):
        classifier(**options, callbacks=[schedule]).fit(X, Y)


def test_files_hold_what_history_does(tmp_path: Path) -> None:
    weights = Weights()
    best = ModelCheckpoint(str(tmp_path / "best.keras"), "val_loss", save_best_only=True)
    log = CSVLogger(tmp_path / "log.csv")
    model = classifier(max_iter=40, learning_rate_init=0.2, callbacks=[weights, best, log])
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for key, values in model.history_.items():
        assert [float(row[key]) for row in rows] == values
    place = int(np.argmin(model.history_["val_loss"]))
    assert place < 39
    saved = pynn.models.load_model(tmp_path / "best.keras").get_weights()
    for one, other in zip(saved, weights.kept[place], strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_callbacks_add_to_the_logs_is_kept() -> None:
    class Norm(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            assert logs is not None
            logs["norm"] = float(np.linalg.norm(self.model.get_weights()[0]))

    model = classifier(max_iter=3, callbacks=[Norm()]).fit(X, Y)
    assert model.history_["norm"][-1] == np.linalg.norm(model.coefs_[0])


def test_a_bar_and_the_lines_of_scikit_learn(capsys: pytest.CaptureFixture[str]) -> None:
    bar = pynn.callbacks.ProgbarLogger()
    classifier(max_iter=2, callbacks=[bar]).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    shown = capsys.readouterr().out
    assert "Epoch 2/2" in shown
    assert "val_score: " in shown
    assert "Iteration" not in shown
    classifier(max_iter=2, verbose=True).fit(X, Y)
    assert "Iteration 2, loss = " in capsys.readouterr().out


def test_only_callbacks_of_pynn_are_callbacks() -> None:
    with pytest.raises(TypeError, match=r"must be objects of pynn\.callbacks\.Callback"):
        classifier(callbacks=[print]).fit(X, Y)
    with pytest.raises(ValueError, match="'callbacks' parameter of MLPClassifier must be"):
        classifier(callbacks="stop").fit(X, Y)


def test_clones_have_callbacks_of_their_own() -> None:
    model = classifier(max_iter=2, callbacks=[Weights()]).fit(X, Y)
    other = clone(model).fit(X, Y)
    assert other.callbacks[0] is not model.callbacks[0]
    assert len(model.callbacks[0].kept) == 2


# ---- Ctrl-C -------------------------------------------------------------------------------------


@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_interrupt_keeps_the_weights_of_then(early_stopping: bool) -> None:
    class Interrupt(Callback):
        closed = ended = False

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 3:
                signal.raise_signal(signal.SIGINT)

        def on_train_end(self, logs: Any = None) -> None:
            self.ended = True

        def on_close(self) -> None:
            self.closed = True

    options = {"early_stopping": early_stopping, "learning_rate_init": 0.001}
    interrupt = Interrupt()
    stopped = classifier(**options, callbacks=[interrupt])
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        stopped.fit(X, Y)
    shorter = classifier(**options, max_iter=3).fit(X, Y)
    np.testing.assert_array_equal(stopped.coefs_[0], shorter.coefs_[0])
    np.testing.assert_array_equal(stopped.predict(X_VAL), shorter.predict(X_VAL))
    assert interrupt.closed
    assert not interrupt.ended


def test_an_interrupt_ends_an_epoch_in_the_engine() -> None:
    x = np.random.RandomState(0).rand(20_000, 20)
    model = MLPRegressor(hidden_layer_sizes=(64, 64), max_iter=10**6, tol=0, batch_size=10)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(x, x[:, 0], X_val=x[:10], y_val=x[:10, 0])
    assert np.isfinite(model.predict(x[:5])).all()


# ---- scikit-learn's own callbacks ---------------------------------------------------------------

HAS_PROTOCOL = hasattr(MLPClassifier, "set_callbacks")
needs_protocol = pytest.mark.skipif(not HAS_PROTOCOL, reason="scikit-learn 1.9 has callbacks")


def test_set_callbacks_is_there_where_scikit_learn_has_it() -> None:
    version = tuple(int(part) for part in __version__.split(".")[:2])
    assert (version >= (1, 9)) == HAS_PROTOCOL


@needs_protocol
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_scikit_learns_monitor_scores_every_epoch(solver: str) -> None:
    from sklearn.callback import ScoringMonitor

    monitor, weights = ScoringMonitor(scoring="neg_log_loss"), Weights()
    model = classifier(solver=solver, max_iter=5, callbacks=[weights]).set_callbacks(monitor)
    sample_weight = np.random.RandomState(0).uniform(0.5, 1, len(X))
    model.fit(X, Y, sample_weight)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    expected = [-cross_entropy(kept, X, Y, sample_weight) for kept in weights.kept]
    np.testing.assert_allclose([row["neg_log_loss"] for row in rows], expected, rtol=1e-8)
    assert [row["task_id"] for row in rows] == [0, 1, 2, 3, 4]
    plain = classifier(solver=solver, max_iter=5).fit(X, Y, sample_weight)
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])


@needs_protocol
def test_scikit_learns_callbacks_stop_and_are_torn_down() -> None:
    class Third:
        def __init__(self) -> None:
            self.calls: list[str] = []
            self.estimators: list[Any] = []

        def setup(self, estimator: Any, context: Any) -> None:
            self.calls.append("setup")

        def teardown(self, estimator: Any, context: Any) -> None:
            self.calls.append("teardown")

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            self.calls.append(f"begin {context.task_name}")

        def on_fit_task_end(
            self, estimator: Any, context: Any, *, fitted_estimator: Any = None
        ) -> bool:
            self.calls.append(f"end {context.task_name}")
            self.estimators.append(fitted_estimator)
            return len(self.estimators) == 2

    callback = Third()
    model = classifier().set_callbacks(callback).fit(X, Y)
    epoch = ["begin epoch", "end epoch"]
    assert callback.calls == ["setup", "begin fit", *epoch, *epoch, "end fit", "teardown"]
    assert model.n_iter_ == 2
    for count, kept in enumerate(callback.estimators[:2], 1):  # each has weights of its own
        shorter = classifier(max_iter=count).fit(X, Y)
        np.testing.assert_array_equal(kept.predict_proba(X), shorter.predict_proba(X))
        np.testing.assert_array_equal(kept.coefs_[0], shorter.coefs_[0])
    broken = Third()
    with pytest.raises(ValueError, match="scoring judges"):
        classifier(scoring="accuracy").set_callbacks(broken).fit(X, Y)
    assert broken.calls == []


@needs_protocol
def test_scikit_learns_callbacks_reach_through_a_search() -> None:
    from sklearn.model_selection import GridSearchCV

    tasks: list[Any] = []

    class Tasks:
        max_propagation_depth = None

        def setup(self, estimator: Any, context: Any) -> None:
            tasks.append("setup")

        def teardown(self, estimator: Any, context: Any) -> None:
            tasks.append("teardown")

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            pass

        def on_fit_task_end(self, estimator: Any, context: Any) -> None:
            if context.task_name == "epoch":
                tasks.append(context.parent.parent is not None)

    search = GridSearchCV(classifier(max_iter=2), {"alpha": [0.1, 0.2]}, cv=2)
    search.set_callbacks(Tasks()).fit(X, Y)
    epochs = 2 * 2 * 2 + 2  # of two parameters on two folds, and of the refit
    assert tasks == ["setup", *[True] * epochs, "teardown"]
