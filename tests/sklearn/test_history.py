"""What ``history_`` of the estimators holds, and interrupted trainings."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import numpy as np
import pytest

from iris_classifier import (
    ILL,
    NAMES,
    PROGRESS,
    SETTINGS,
    X_VAL,
    Y_VAL,
    Batches,
    Weights,
    X,
    Y,
    classifier,
    cross_entropy,
    probabilities,
)
from pynn.callbacks import (
    Callback,
    LambdaCallback,
)
from pynn.sklearn import MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
        hits = np.unique(NAMES)[probabilities(kept, X_VAL).argmax(1)] == Y_VAL
        score = np.average(hits, weights=sample_weight)
        assert history["val_score"][epoch] == pytest.approx(score, rel=1e-12)
    assert all(type(value) is float for values in history.values() for value in values)


def test_the_validation_loss_of_several_numbers_is_that_of_training() -> None:
    targets = np.stack([PROGRESS, ILL[:, 0]], 1)
    model = MLPRegressor(**SETTINGS, random_state=0, alpha=0)
    model.set_params(max_iter=3, batch_size=442, learning_rate_init=1e-9)
    model.fit(ILL, targets, X_val=ILL, y_val=targets)
    by_hand = ((model.predict(ILL) - targets) ** 2).mean() / 2
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
    looked = classifier(max_iter=10, scoring="neg_log_loss", callbacks=[Weights(), Batches()])
    looked.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert looked.loss_curve_ == plain.loss_curve_
    assert looked.validation_scores_ is None
    for one, other in zip(looked.coefs_, plain.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)


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
