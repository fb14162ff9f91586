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
from pynn.sklearn.monitoring import Monitoring
from pynn.utils.random import shuffle

Array = npt.NDArray[Any]

_CHUNK_SECONDS = 0.1  # of one call: then callbacks are asked, the machine is shared out anew


def held_out(estimator: Any, data: Rows) -> tuple[Rows, Rows]:
    """Splits off the rows that decide when to stop.

    Raises:
        ValueError: there would be fewer than two of them.
    """
    train, held = train_test_split(
        np.arange(len(data)),
        random_state=estimator._random_state,
        test_size=estimator.validation_fraction,
        stratify=data.y.astype(bool) if estimator._stratifies else None,
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
        weights: those of the best score in this ``fit``; empty if none was better than before it.
            As in scikit-learn the last weights are kept then.
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
        held: rows that are only judged; None lets early stopping split some off.
        callbacks: of pynn.
        incremental: whether it is one epoch of ``partial_fit``.
    """

    def __init__(
        self, estimator: Any, data: Rows, held: Rows | None, callbacks: Any, incremental: bool
    ) -> None:
        if estimator.early_stopping and held is None:
            data, held = held_out(estimator, data)
        self.estimator, self.incremental = estimator, incremental
        self.most = 1 if incremental else estimator.max_iter
        self.rows = len(data)
        self.batch = batch_size(estimator, self.rows)
        self.batches = math.ceil(self.rows / self.batch)
        self.order = np.arange(self.rows, dtype=np.int64)
        model = estimator.model_
        self.arrays = model.for_engine(model.arrange(data.x, data.y, data.weight))
        self.trainer, self.optimizer = model._trainer, model.optimizer
        self.watch = Monitoring(estimator, held, callbacks, self.most, self.batches)

    def run(self) -> None:
        """Trains until nothing improves any more, a callback stops, or so many epochs are done."""
        est = self.estimator
        est.n_iter_ = 0
        try:
            with self.watch:
                self._epochs()
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)

    def _epochs(self) -> None:
        est, watch, stopping = self.estimator, self.watch, self.estimator._stopping
        decays = self._rate_follows("invscaling")
        try:
            for _ in range(self.most):
                watch.begin_epoch()
                rate = self._train()
                watch.judge()
                stopping.after_epoch(self._progress(), est.tol, est.model_)
                watch.end_epoch(est.loss_, learning_rate=rate)
                if decays:
                    rate = est.learning_rate_init / (est.t_ + 1) ** est.power_t
                    self.optimizer.learning_rate = rate
                if stopping.idle > est.n_iter_no_change and self._stops():
                    break
                if watch.stopped:
                    break
            else:
                self._warn()
        finally:
            name = "best_validation_score_" if stopping.by_score else "best_loss_"
            setattr(est, name, stopping.best)
            self.optimizer.finalize_variable_values()
            if stopping.weights:
                est.model_.set_weights(stopping.weights)
                stopping.weights = []

    def _warn(self) -> None:
        """Says that the number of epochs, and nothing else, has ended the training."""
        if not self.incremental:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.most}) reached and the "
                "optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=6,
            )

    def _train(self) -> float:
        """Trains an epoch; returns the learning rate of its last step."""
        est, watch, trainer = self.estimator, self.watch, self.trainer
        if est.shuffle:
            shuffle(self.order, est._random_state._bit_generator)
        trainer.results(reset=True)
        done = 0
        while done < self.batches and not (done and watch.stopped):
            count = watch.begin_batches(done, self.batches - done)
            rates = self.optimizer.learning_rates(trainer.iterations, count)
            trained = trainer.train(
                *self.arrays,
                self.order,
                self.batch,
                done,
                count,
                rates,
                _CHUNK_SECONDS,
                est._noise_seed,
                est._threads(),
            )
            done += trained
            watch.end_batches(done - 1, self._loss)
        est.model_.after_steps(trainer.iterations)
        est.n_iter_ += 1
        est.t_ += self.rows
        est.loss_ = self._loss()
        est.loss_curve_.append(est.loss_)
        if est.verbose:
            print(f"Iteration {est.n_iter_}, loss = {est.loss_:.8f}")
        return float(rates[trained - 1])

    def _loss(self) -> float:
        loss: float = self.estimator._reported(self.trainer.results())
        return loss

    def _progress(self) -> float:
        """The number that shows progress: the score of the rows held out, or the training loss."""
        est = self.estimator
        if not est._stopping.by_score:
            return float(est.loss_)
        est.validation_scores_.append(self.watch.score)
        if est.verbose:
            print(f"Validation score: {self.watch.score:f}")
        return self.watch.score

    def _stops(self) -> bool:
        """Whether to end now; an adaptive rate is first divided by 5 while it is above 1e-6."""
        est = self.estimator
        what = "Validation score" if est._stopping.by_score else "Training loss"
        reason = (
            f"{what} did not improve more than tol={est.tol:f} for {est.n_iter_no_change} "
            "consecutive epochs."
        )
        adapts = self._rate_follows("adaptive")
        rate = float(self.optimizer.learning_rate)
        stops = not adapts or rate <= 1e-6
        if not stops:
            self.optimizer.learning_rate = rate / 5
            est._stopping.idle = 0
            reason += f" Setting learning rate to {rate / 5:f}"
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
