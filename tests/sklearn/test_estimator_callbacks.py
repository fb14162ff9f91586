"""Callbacks of the estimators: pynn's and scikit-learn's own."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import __version__
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as TheirClassifier

import pynn
from iris_classifier import (
    SETTINGS,
    X_VAL,
    Y_VAL,
    Batches,
    Weights,
    X,
    Y,
    classifier,
    cross_entropy,
)
from pynn.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    OneCycle,
    ReduceLROnPlateau,
)
from pynn.sklearn import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_hooks_of_batches_see_the_loss_so_far() -> None:
    batches = Batches()
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
