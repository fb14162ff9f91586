"""Callbacks that watch a value: whether it still improves, whether it is a number."""

from __future__ import annotations

import math
import warnings
from typing import Any

from pynn.callbacks._base import Callback, Logs
from pynn.utils.checks import number
from pynn.utils.progress import message


class Monitor(Callback):
    """Watches one value of the logs.

    Args:
        monitor: its key.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        min_delta: the least change that counts as an improvement.

    Raises:
        ValueError: another mode.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ValueError(
                f"{type(self).__name__}: `mode` must be 'auto', 'min' or 'max'. "
                f"Received: mode={mode!r}"
            )
        self.monitor, self.mode = monitor, mode
        self.min_delta = abs(number(type(self).__name__, "min_delta", min_delta))
        self.best: float | None = None

    def current(self, logs: Logs) -> float | None:
        """The watched value; None with a warning where it is not there."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which is not there. "
                f"Available: {', '.join(logs or {})}",
                stacklevel=5,
            )
        return value

    def improves(self, value: float, reference: float | None) -> bool:
        """Whether ``value`` is better than ``reference`` by more than ``min_delta``.

        Anything is better than nothing, a number better than NaN.
        """
        upward = self._larger_is_better()
        if reference is None or math.isnan(value) or math.isnan(reference):
            return reference is None or math.isnan(reference) > math.isnan(value)
        if upward:
            return value - self.min_delta > reference
        return value + self.min_delta < reference

    def _larger_is_better(self) -> bool:
        if self.mode != "auto":
            return self.mode == "max"
        objective = getattr(self.model, "_objective", None)
        direction = objective.direction(self.monitor) if objective else None
        if direction is None:
            raise ValueError(
                f"{type(self).__name__}: whether a larger {self.monitor!r} is better is not known. "
                "Pass mode='min' or mode='max'."
            )
        return bool(direction == "up")


class EarlyStopping(Monitor):
    """Stops training when a value has stopped improving.

    Args:
        monitor: the log key to watch.
        min_delta: the least change that counts as an improvement.
        patience: epochs without improvement before training stops.
        verbose: 1 says when it stops or restores.
        mode: ``"min"``, ``"max"``, or ``"auto"`` to infer the direction from the metric.
        baseline: stop unless the value becomes better than this.
        restore_best_weights: whether to end with the weights of the best epoch, also where
            training ran to its end.
        start_from_epoch: epochs before which nothing is watched.

    Attributes:
        best: the best value. ``best_epoch`` is its epoch, ``stopped_epoch`` where training stopped
            (0: it did not).

    Raises:
        ValueError: an unknown mode or a negative number; with ``"auto"``, a key whose direction is
            not known.

    Example:
        >>> stop = EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        number("EarlyStopping", "patience", patience, low=0)
        number("EarlyStopping", "start_from_epoch", start_from_epoch, low=0)
        if baseline is not None:
            number("EarlyStopping", "baseline", baseline)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.on_train_begin()

    def on_train_begin(self, logs: Logs = None) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = None
        self.best_weights: list[Any] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        value = self.current(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._remember(epoch)  # NaN never improves: the first weights are the best then
        self.wait += 1
        if self.improves(value, self.best):
            self.best = value
            self._remember(epoch)
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _remember(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            message(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose > 0:
                message(
                    "Restoring model weights from the end of the best epoch: "
                    f"{self.best_epoch + 1}."
                )
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(Monitor):
    """Reduces the learning rate when a value has stopped improving.

    Args:
        monitor: the log key to watch.
        factor: the rate is multiplied by this, less than 1.
        patience: epochs without improvement before it is.
        verbose: 1 says so.
        mode: ``"min"``, ``"max"``, or ``"auto"`` to infer the direction from the metric.
        min_delta: the least change that counts as an improvement.
        cooldown: epochs after a reduction in which nothing is counted.
        min_lr: the rate does not fall below.

    The rate that an epoch was trained with is added to its logs as ``learning_rate``.

    Raises:
        ValueError: ``factor`` is not less than 1, a negative number, or an unknown mode.

    Example:
        >>> reduce = ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=5)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if number("ReduceLROnPlateau", "factor", factor, low=0) >= 1:
            raise ValueError(
                f"ReduceLROnPlateau: `factor` must lie in [0, 1). Received: factor={factor!r}"
            )
        for name, value in {"patience": patience, "cooldown": cooldown, "min_lr": min_lr}.items():
            number("ReduceLROnPlateau", name, value, low=0)
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.on_train_begin()

    def on_train_begin(self, logs: Logs = None) -> None:
        self.best = None
        self.wait = self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = {} if logs is None else logs
        optimizer = self.model.optimizer
        logs["learning_rate"] = float(optimizer.learning_rate)
        value = self.current(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            old = float(optimizer.learning_rate)
            if self.wait >= self.patience and old > self.min_lr:
                new = max(old * self.factor, self.min_lr)
                optimizer.learning_rate = new
                if self.verbose > 0:
                    message(
                        f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}."
                    )
                self.cooldown_counter = self.cooldown
                self.wait = 0


class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite; looks about ten times a second.

    Args:
        raise_error: whether to raise instead of stopping quietly; ``on_train_end`` is not called
            then, so that ``BackupAndRestore`` keeps its files.

    Raises:
        RuntimeError: with ``raise_error``, the loss is not finite.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_chunk_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"TerminateOnNaN: training diverged. Received: loss={loss}")
        message(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
