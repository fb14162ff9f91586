"""What is measured in a training, kept in ``history_`` and told to callbacks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pynn.callbacks import CallbackList, History
from pynn.sklearn.data import Rows
from pynn.sklearn.judging import Judge

if TYPE_CHECKING:
    from typing_extensions import Self


class Monitoring:
    """Follows one training; ``with`` it, callbacks are told about the beginning and the end.

    Without callbacks nothing is called between the batches.

    Args:
        estimator: its ``history_`` is continued.
        held: rows that are only judged, or None.
        callbacks: pynn's callbacks, in lists of any depth, with None for none.
        epochs: how many there may be.
        steps: batches of an epoch.

    Attributes:
        score: of the rows held out, after the last epoch.

    Raises:
        ValueError: a scorer without rows to judge.
    """

    def __init__(
        self, estimator: Any, held: Rows | None, callbacks: Any, epochs: int, steps: int
    ) -> None:
        if held is None and estimator.scoring is not None:
            raise ValueError(
                "scoring judges rows that are not trained on: those that early_stopping holds out "
                "(with stochastic solvers), or X_val and y_val given to fit. "
                f"Received: scoring={estimator.scoring!r} without such rows"
            )
        self._estimator, self._model = estimator, estimator.model_
        self._judge = None if held is None else Judge(estimator, held)
        self._judged: dict[str, float] = {}
        self.score = math.nan
        self._rate_is_taken = _rate_is_taken(estimator)
        self._history = History()
        self._history.set_model(self._model)
        self._history.history = estimator.history_
        self._epoch = len(estimator.history_.get("loss", ()))
        self._logs: dict[str, float] = {}
        hooks = CallbackList(
            callbacks, model=self._model, verbose=1, epochs=self._epoch + epochs, steps=steps
        )
        self._hooks = hooks if hooks.callbacks else None
        hooks.append(self._history)  # the last, which sees what the others add to the logs

    @property
    def looks(self) -> bool:
        """Whether anything is done with the weights between epochs."""
        return self._hooks is not None or self._judge is not None

    def __enter__(self) -> Self:
        self._model.stop_training = False
        if self._hooks is None:
            self._history.on_train_begin()
        else:
            self._call("on_train_begin")
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if self._hooks is not None:
            try:
                if kind is None:
                    self._call("on_train_end", self._logs)
            finally:
                self._hooks.on_close()

    def begin_epoch(self) -> None:
        """Called before an epoch."""
        if self._hooks is not None:
            self._call("on_epoch_begin", self._epoch)

    def begin_batches(self, first: int, left: int) -> int:
        """How many of the batches left may be trained in one go."""
        if self._hooks is None:
            return left
        by_batch = self._hooks.wants_batches
        if by_batch:
            self._call("on_train_batch_begin", first)
        self._model.renew_rule()
        return 1 if by_batch else left

    def end_batches(self, last: int, loss: Callable[[], float]) -> None:
        """Called after some batches, with the way to the loss of the epoch so far."""
        if self._hooks is not None:
            self._model.after_steps(self._model._trainer.iterations)
            hook = "on_train_batch_end" if self._hooks.wants_batches else "on_train_chunk_end"
            self._call(hook, last, {"loss": loss()})

    def judge(self) -> None:
        """Called after an epoch's training: measures the rows held out, if there are any."""
        if self._judge is None:
            return
        if self._hooks is not None:
            self._call("on_test_begin")
        loss, self.score = self._judge.measure()
        self._judged = {"val_loss": loss, "val_score": self.score}
        if self._hooks is not None:
            self._call("on_test_end", {"loss": loss, "score": self.score})

    def end_epoch(self, loss: float, **further: float) -> None:
        """Called after an epoch, with what is known of it besides the rows held out."""
        self._logs = {"loss": loss, **self._judged, **further}
        if self._hooks is None:
            self._history.on_epoch_end(self._epoch, self._logs)
        else:
            self._call("on_epoch_end", self._epoch, self._logs)
        self._epoch += 1

    @property
    def stopped(self) -> bool:
        """Whether a callback has asked to stop."""
        return bool(self._model.stop_training)

    def _call(self, hook: str, *arguments: Any) -> None:
        """Calls the callbacks.

        Raises:
            ValueError: one has set the learning rate, where that has no effect.
        """
        if not self._rate_is_taken:
            getattr(self._hooks, hook)(*arguments)
            return
        before = float(self._model.optimizer.learning_rate)
        getattr(self._hooks, hook)(*arguments)
        now = float(self._model.optimizer.learning_rate)
        if now != before:
            raise ValueError(
                f"A callback cannot set the learning rate where {self._rate_is_taken}. "
                f"Received: {now} in place of {before}"
            )


def _rate_is_taken(estimator: Any) -> str:
    """Why callbacks cannot set the learning rate; empty if they can."""
    if estimator.solver == "lbfgs":
        return "solver='lbfgs' has none"
    if estimator.solver == "sgd" and estimator.learning_rate == "invscaling":
        return "learning_rate='invscaling' sets it after every epoch"
    return ""
