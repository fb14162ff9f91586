"""One run of ``fit``: epochs, chunks of batches, validation, callbacks, the bar."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pynn import config
from pynn.models.batches import Batches
from pynn.models.data import Data
from pynn.models.feeding import ArrayFeed, BatchFeed

if TYPE_CHECKING:
    from pynn.callbacks import CallbackList, History
    from pynn.models.training import Training

_CHUNK_SECONDS = 0.1  # how long the engine trains before Python is asked again
_FIRST_CHUNK = 512  # batches; later chunks are given four times what the last one managed


class DivergenceWarning(RuntimeWarning):
    """The loss became infinite or NaN."""


class Fitting:
    """Trains a model on what a feed hands out, and evaluates it between epochs."""

    def __init__(
        self,
        model: Training,
        feed: ArrayFeed | BatchFeed,
        validation: Data | Batches | None,
        validation_steps: int | None,
        validation_batch_size: int,
    ) -> None:
        self.model, self.feed = model, feed
        self.trainer = model._trainer
        self.validation, self.validation_steps = validation, validation_steps
        self.validation_batch_size = validation_batch_size
        self.warned = False

    def run(
        self,
        epochs: int,
        initial_epoch: int,
        verbose: int,
        callbacks: Any,
        validation_freq: int | Sequence[int],
    ) -> History:
        """Runs the epochs and returns the history."""
        from pynn.callbacks._base import as_callback_list

        model = self.model
        hooks = as_callback_list(
            callbacks,
            model,
            add_history=True,
            verbose=verbose,
            epochs=epochs,
            steps=self.feed.steps,
        )
        model.stop_training = False
        self.start = (initial_epoch, 0)
        model.fitting = self
        try:
            self._run_epochs(hooks, epochs, validation_freq)
        finally:
            model.fitting = None
            hooks.on_close()
        assert model.history is not None
        return model.history

    def _run_epochs(
        self, hooks: CallbackList, last: int, validation_freq: int | Sequence[int]
    ) -> None:
        model = self.model
        hooks.on_train_begin()
        logs: dict[str, float] = {}
        epochs = range(self.start[0], last)  # a callback may have restored a backup
        for epoch in epochs:
            hooks.on_epoch_begin(epoch)
            logs = self._train_epoch(epoch, hooks)
            if self.validation is not None and _is_due(epoch, validation_freq):
                logs = dict(sorted((logs | self._validate(hooks)).items()))
            hooks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        if epochs:
            model.optimizer.finalize_variable_values()
        hooks.on_train_end(logs)

    def _validate(self, hooks: CallbackList) -> dict[str, float]:
        self._check_trainer()
        model = self.model
        assert model._objective is not None
        assert self.validation is not None
        source = self.validation
        if self.validation_steps is not None and isinstance(source, Data):
            source = source.slice(0, self.validation_steps * self.validation_batch_size)
        results = model.run_evaluation(
            source, hooks, self.validation_batch_size, self.validation_steps
        )
        return model._objective.logs(results, "val_")

    def _train_epoch(self, epoch: int, hooks: CallbackList) -> dict[str, float]:
        self._check_trainer()
        model, trainer, feed = self.model, self.trainer, self.feed
        objective = model._objective
        assert objective is not None
        first = self.start[1] if epoch == self.start[0] else 0
        feed.begin_epoch(epoch, first)
        trainer.results(reset=True)
        objective.reset_python_metrics()
        by_batch = hooks.wants_batches or feed.by_batch or bool(objective.python_metrics)
        optimizer = model.optimizer
        trainer.iterations = optimizer.calls  # which may have been set
        step_by_step = optimizer.rate_is_asked_each_step or bool(optimizer.constrained_by_python)
        done, limit, logs = first, _FIRST_CHUNK, dict[str, float]()
        while not (done > first and model.stop_training):
            chunk = feed.chunk(done, 1 if by_batch or step_by_step else limit)
            if chunk is None:
                break
            if by_batch:
                hooks.on_train_batch_begin(done)
            model.renew_rule()
            rates = optimizer.learning_rates(trainer.iterations, chunk.count)
            trained = trainer.train(
                *model.for_engine(chunk.data),
                chunk.order,
                chunk.batch_size,
                chunk.first,
                chunk.count,
                rates,
                _CHUNK_SECONDS,
                model._seed,
                config.n_threads(),
            )
            done += trained
            limit = max(_FIRST_CHUNK, 4 * trained)
            model.after_steps(trainer.iterations)
            if objective.python_metrics:
                objective.update_python_metrics(chunk.batch(), trainer.outputs())
            logs = objective.logs(trainer.results())
            if not self.warned and not math.isfinite(logs["loss"]):
                self.warned = True
                _diverged(epoch, trainer.iterations, float(rates[0]), logs["loss"])
            end = hooks.on_train_batch_end if by_batch else hooks.on_train_chunk_end
            end(done - 1, logs)
        return logs

    def _check_trainer(self) -> None:
        if self.model._trainer is not self.trainer:
            raise RuntimeError(
                "fit: a callback compiled the model anew or changed its layers, which ends this "
                "training. Do so before or after fit."
            )


def _is_due(epoch: int, validation_freq: int | Sequence[int]) -> bool:
    if isinstance(validation_freq, int):
        return (epoch + 1) % validation_freq == 0
    return (epoch + 1) in validation_freq


def _diverged(epoch: int, step: int, learning_rate: float, loss: float) -> None:
    """Warns that training has lost its way."""
    warnings.warn(
        f"Training diverged: loss={loss} in epoch {epoch + 1}, at or before step {step}, with "
        f"learning_rate={learning_rate:g}. Try a smaller "
        "learning rate, clipnorm, or scaled inputs.",
        DivergenceWarning,
        stacklevel=5,
    )
