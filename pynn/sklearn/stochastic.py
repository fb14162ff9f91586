"""Training by batches as scikit-learn does it: its shuffles, its stopping rules, its lines."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from pynn.sklearn.data import Rows

Array = npt.NDArray[Any]

_CHUNK_SECONDS = 0.25  # of training in one call: the next shares the machine out anew


def held_out(estimator: Any, data: Rows) -> tuple[Rows, Rows | None]:
    """Splits off the rows that decide when to stop; None if the training loss does.

    Raises:
        ValueError: there would be fewer than two of them.
    """
    if not estimator.early_stopping:
        return data, None
    train, held = train_test_split(
        np.arange(len(data)),
        random_state=estimator._random_state,
        test_size=estimator.validation_fraction,
        stratify=data.y if estimator._stratifies else None,
    )
    if len(held) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            f"dataset. Received: {len(held)} rows"
        )
    return data[train], data[held]


def batch_size(estimator: Any, rows: int) -> int:
    """Rows of a batch."""
    if estimator.batch_size == "auto":
        return min(200, rows)
    if estimator.batch_size > rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=5,
        )
    return int(np.clip(estimator.batch_size, 1, rows))


class Stopping:
    """Counts the epochs without progress. It goes on from one ``fit`` to the next of a warm start.

    Attributes:
        idle: epochs in a row that were no better than the best by ``tol``.
        best: the lowest training loss, or the highest score of the rows held out.
        weights: those of the best score.
    """

    def __init__(self, by_score: bool) -> None:
        self.by_score = by_score
        self.idle = 0
        self.best = -math.inf if by_score else math.inf
        self.weights: list[Array] = []

    def after_epoch(self, value: float, tol: float, model: Any) -> None:
        """Takes in an epoch's score, or its loss."""
        better = value > self.best if self.by_score else value < self.best
        idle = value < self.best + tol if self.by_score else value > self.best - tol
        self.idle = self.idle + 1 if idle else 0
        if better:
            self.best = value
            if self.by_score:
                self.weights = model.get_weights()


class Epochs:
    """The epochs of one ``fit``.

    Args:
        estimator: it is compiled; ``loss_curve_`` and the like are appended to.
        data: the rows.
    """

    def __init__(self, estimator: Any, data: Rows) -> None:
        self.estimator = estimator
        self.data, self.held = held_out(estimator, data)
        self.batch = batch_size(estimator, len(self.data))
        self.batches = math.ceil(len(self.data) / self.batch)
        self.order = np.arange(len(self.data))
        model = estimator.model_
        self.arrays = model.for_engine(model.arrange(self.data.x, self.data.y, self.data.weight))
        self.trainer = model._trainer

    def run(self, only_one: bool) -> None:
        """Trains until nothing improves any more, or ``max_iter`` epochs, or one."""
        est = self.estimator
        stopping = est._stopping
        if stopping.by_score and not stopping.weights:
            stopping.weights = est.model_.get_weights()
        est.n_iter_ = 0
        try:
            for _ in range(est.max_iter):
                self._epoch()
                stopping.after_epoch(self._judged(), est.tol, est.model_)
                self._show_best()
                if self._rate_follows("invscaling"):
                    rate = est.learning_rate_init / (est.t_ + 1) ** est.power_t
                    est.model_.optimizer.learning_rate = rate
                if stopping.idle > est.n_iter_no_change and self._stops():
                    break
                if only_one:
                    break
                if est.n_iter_ == est.max_iter:
                    warnings.warn(
                        f"Stochastic Optimizer: Maximum iterations ({est.max_iter}) reached and "
                        "the optimization hasn't converged yet.",
                        ConvergenceWarning,
                        stacklevel=4,
                    )
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
        est.model_.optimizer.finalize_variable_values()
        if stopping.by_score:
            est.model_.set_weights(stopping.weights)

    def _epoch(self) -> None:
        est, rows = self.estimator, len(self.data)
        if est.shuffle:
            places = np.arange(rows)
            est._random_state.shuffle(places)
            self.order = self.order[places]
        self.trainer.results(reset=True)
        rates = est.model_.optimizer.learning_rates(self.trainer.iterations, self.batches)
        done = 0
        while done < self.batches:
            done += self.trainer.train(
                *self.arrays,
                self.order,
                self.batch,
                done,
                self.batches - done,
                rates[done:],
                _CHUNK_SECONDS,
                est._noise_seed,
                est._threads(),
            )
        est.model_.after_steps(self.trainer.iterations)
        est.n_iter_ += 1
        est.t_ += rows
        est.loss_ = est._reported(self.trainer.results())
        est.loss_curve_.append(est.loss_)
        if est.verbose:
            print(f"Iteration {est.n_iter_}, loss = {est.loss_:.8f}")

    def _judged(self) -> float:
        """The number that shows progress: the score of the rows held out, or the training loss."""
        est = self.estimator
        if self.held is None:
            return float(est.loss_)
        score = est._validation_score(self.held)
        est.validation_scores_.append(score)
        if est.verbose:
            print(f"Validation score: {score:f}")
        return float(score)

    def _show_best(self) -> None:
        est = self.estimator
        name = "best_loss_" if self.held is None else "best_validation_score_"
        setattr(est, name, est._stopping.best)

    def _stops(self) -> bool:
        """Whether to end now; an adaptive rate is first divided by 5 while it is above 1e-6."""
        est = self.estimator
        what = "Validation score" if est._stopping.by_score else "Training loss"
        reason = (
            f"{what} did not improve more than tol={est.tol:f} for {est.n_iter_no_change} "
            "consecutive epochs."
        )
        optimizer = est.model_.optimizer
        adapts = self._rate_follows("adaptive")
        stops = not adapts or optimizer.learning_rate <= 1e-6
        if not stops:
            optimizer.learning_rate = optimizer.learning_rate / 5
            est._stopping.idle = 0
            reason += f" Setting learning rate to {float(optimizer.learning_rate):f}"
        elif adapts:
            reason += " Learning rate too small. Stopping."
        else:
            reason += " Stopping."
        if est.verbose:
            print(reason)
        return stops

    def _rate_follows(self, rule: str) -> bool:
        """Whether the learning rate changes by this rule: only plain gradient descent has one."""
        return bool(self.estimator.solver == "sgd" and self.estimator.learning_rate == rule)
