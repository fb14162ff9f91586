"""One run of ``fit``: epochs, chunks of batches, validation, callbacks, the bar."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pynn import config
from pynn.models.data import Data
from pynn.utils.progress import Progress, message
from pynn.utils.random import draw_seed

if TYPE_CHECKING:
    from pynn.callbacks import CallbackList, History
    from pynn.models.training import Training

_CHUNK_SECONDS = 0.1  # how long the engine trains before Python is asked again
_FIRST_CHUNK = 64  # batches; later chunks are given four times what the last one managed


class DivergenceWarning(RuntimeWarning):
    """The loss became infinite or NaN."""


class RowOrder:
    """The rows of each epoch in order: all of them once, or as many as the epoch's steps take.

    Args:
        rows: how many rows there are.
        wanted: how many an epoch takes; None for all. The next epoch uses what one leaves over.
        shuffle: whether every pass has a random order of its own.
    """

    def __init__(self, rows: int, wanted: int | None, shuffle: bool) -> None:
        self._rows, self._wanted = rows, wanted
        self._generator = np.random.default_rng(draw_seed()) if shuffle else None
        self._left = np.empty(0, dtype=np.int64)

    def _one_pass(self) -> npt.NDArray[np.int64]:
        order = np.arange(self._rows, dtype=np.int64)
        if self._generator is not None:
            self._generator.shuffle(order)
        return order

    def next_epoch(self) -> npt.NDArray[np.int64]:
        if self._wanted is None:
            return self._one_pass()
        passes = max(0, math.ceil((self._wanted - len(self._left)) / self._rows))
        self._left = np.concatenate([self._left, *(self._one_pass() for _ in range(passes))])
        order, self._left = self._left[: self._wanted], self._left[self._wanted :]
        return order


class Fitting:
    """Trains a model on checked data."""

    def __init__(
        self, model: Training, data: Data, batch_size: int, steps: int | None, shuffle: bool
    ) -> None:
        batch_size = min(batch_size, data.rows)
        if not isinstance(shuffle, (bool, np.bool_)):
            raise ValueError(f"fit: `shuffle` must be True or False. Received: shuffle={shuffle!r}")
        self.model, self.data, self.batch_size = model, data, batch_size
        self.trainer = model._trainer
        self.steps = math.ceil(data.rows / batch_size) if steps is None else steps
        wanted = None if steps is None else steps * batch_size
        self.order = RowOrder(data.rows, wanted, shuffle)
        self.warned = False

    def run(
        self,
        epochs: int,
        initial_epoch: int,
        verbose: int,
        callbacks: Any,
        validation: Data | None,
        validation_freq: int | Sequence[int],
    ) -> History:
        """Runs the epochs and returns the history."""
        from pynn.callbacks import CallbackList

        model = self.model
        params = {"verbose": verbose, "epochs": epochs, "steps": self.steps}
        hooks = CallbackList(callbacks, add_history=True, model=model, **params)
        model.stop_training = False
        hooks.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in range(initial_epoch, epochs):
            hooks.on_epoch_begin(epoch)
            if verbose and epochs > 1:
                message(f"Epoch {epoch + 1}/{epochs}")
            progress = Progress(self.steps, verbose)
            try:
                logs = self._train_epoch(epoch, hooks, progress)
                if validation is not None and _is_due(epoch, validation_freq):
                    assert model._objective is not None
                    self._check_trainer()
                    results = model.run_evaluation(validation, hooks)
                    logs |= model._objective.logs(results, "val_")
                hooks.on_epoch_end(epoch, logs)
                progress.finish(logs)
            finally:
                progress.close()
            if model.stop_training:
                break
        hooks.on_train_end(logs)
        assert model.history is not None
        return model.history

    def _train_epoch(self, epoch: int, hooks: CallbackList, progress: Progress) -> dict[str, float]:
        self._check_trainer()
        model, data, trainer = self.model, self.data, self.trainer
        objective = model._objective
        assert objective is not None
        order = self.order.next_epoch()
        trainer.results(reset=True)
        done, limit, logs = 0, _FIRST_CHUNK, dict[str, float]()
        while done < self.steps and not (done and model.stop_training):
            count = min(self.steps - done, limit)
            if hooks.wants_batches:
                count = 1
                hooks.on_train_batch_begin(done)
            rates = model.optimizer.learning_rates(trainer.iterations, count)
            trained = trainer.train(
                [data.x],
                [data.y],
                [data.weight],
                order,
                self.batch_size,
                done,
                count,
                rates,
                _CHUNK_SECONDS,
                model._seed,
                config.n_threads(),
            )
            done += trained
            limit = max(_FIRST_CHUNK, 4 * trained)
            model.optimizer.iterations = trainer.iterations
            logs = objective.logs(trainer.results())
            if not self.warned and not math.isfinite(logs["loss"]):
                self.warned = True
                progress.close()
                _diverged(epoch, trainer.iterations, float(rates[0]), logs["loss"])
            if hooks.wants_batches:
                hooks.on_train_batch_end(done - 1, logs)
            hooks.on_train_chunk_end(done - 1, logs)
            progress.update(done, logs)
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
