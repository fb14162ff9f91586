"""Saves the model while it is trained."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pynn.callbacks._base import Logs
from pynn.callbacks.monitors import Monitor
from pynn.utils.progress import message


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, every epoch or every so many batches.

    A file is complete or not there: it is written under another name in the same folder, and then
    renamed. Hooks per batch are used with an integer ``save_freq`` only.

    Args:
        filepath: path that ends with ``.keras`` or ``.h5``, with ``save_weights_only`` with
            ``.weights.h5``. It may contain format fields: ``epoch`` (from 1), ``batch`` (from 1,
            with an integer ``save_freq``) and the keys of the logs, as in
            ``"{epoch:02d}-{val_loss:.2f}.keras"``. Missing folders are made.
        monitor: the log key to watch with ``save_best_only``.
        verbose: 1 says what is saved.
        save_best_only: whether to save only when ``monitor`` is better than ever.
        save_weights_only: whether to save with ``model.save_weights`` instead of ``model.save``.
        mode: ``"min"``, ``"max"``, or ``"auto"`` to infer the direction from the metric.
        save_freq: ``"epoch"``, or the number of batches between two files, counted on across
            epochs.
        initial_value_threshold: with ``save_best_only``, only better values than this are saved.

    Raises:
        ValueError: another ending, an unknown ``mode`` or ``save_freq``.
        KeyError: a format field that is not in the logs.
        IsADirectoryError: there is a folder of that name.

    Example:
        >>> best = ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True)
        >>> each = ModelCheckpoint("weights-{epoch:03d}.weights.h5", save_weights_only=True)
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, 0)
        self.filepath = os.fspath(filepath)
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            raise ValueError(
                f"ModelCheckpoint: `filepath` must end with {' or '.join(endings)} for "
                f"save_weights_only={bool(save_weights_only)}. Received: filepath={self.filepath!r}"
            )
        self.verbose, self.save_freq = verbose, save_freq
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.best = initial_value_threshold
        self._epoch = 0
        self._every = EveryBatches("ModelCheckpoint", save_freq)
        if self._every.count:  # only then training stops at every batch
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Logs = None) -> None:
        self._every.restart()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if not self._every.count:
            self._save(epoch, {**(logs or {}), "epoch": epoch + 1}, logs)

    def _after_batch(self, batch: int, logs: Logs = None) -> None:
        if self._every.is_due(batch):
            self._save(
                self._epoch, {"batch": batch + 1, **(logs or {}), "epoch": self._epoch + 1}, logs
            )

    def _save(self, epoch: int, fields: dict[str, Any], logs: Logs) -> None:
        try:
            path = self.filepath.format(**fields)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: the logs have no {error}, which filepath={self.filepath!r} "
                f"asks for. Available: {', '.join(fields)}"
            ) from None
        reason = self._reason(logs or {}, path)
        if reason is None:
            return
        self._say(epoch, reason)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        write_whole(path, save)
        self._say(epoch, f"finished saving model to {path}")

    def _reason(self, logs: dict[str, Any], path: str) -> str | None:
        """What is said about saving now; None if the model is not to be saved."""
        if not self.save_best_only:
            return f"saving model to {path}"
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"ModelCheckpoint watches {self.monitor!r}, which is not there: the model is saved "
                f"whether it is better or not. Available: {', '.join(logs)}",
                stacklevel=6,
            )
            return f"saving model to {path}"
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self.improves(value, self.best):
            if self.verbose > 0:
                message(f"\nEpoch {self._epoch + 1}: {self.monitor} did not improve from {best}")
            return None
        self.best = value
        return f"{self.monitor} improved from {best} to {value:.5f}, saving model to {path}"

    def _say(self, epoch: int, text: str) -> None:
        if self.verbose > 0:
            message(f"\nEpoch {epoch + 1}: {text}")


class EveryBatches:
    """Tells after which batches something is due: every ``save_freq``, counted across epochs.

    Args:
        owner: whose option it is, for the message.
        save_freq: ``"epoch"`` (which is nothing to count) or a number of batches.

    Raises:
        ValueError: something else.
    """

    def __init__(self, owner: str, save_freq: Any) -> None:
        is_integer = isinstance(save_freq, int) and not isinstance(save_freq, bool)
        if save_freq != "epoch" and not (is_integer and save_freq > 0):
            raise ValueError(
                f"{owner}: `save_freq` must be 'epoch' or a positive number of batches. "
                f"Received: save_freq={save_freq!r}"
            )
        self.count = save_freq if is_integer else 0
        self.restart()

    def restart(self) -> None:
        """Begins to count anew."""
        self._waited = 0

    def is_due(self, batch: int) -> bool:
        """Counts one batch more."""
        self._waited += 1
        if self._waited < self.count:
            return False
        self._waited = 0
        return True


def write_whole(path: str | os.PathLike[str], write: Callable[[str], object]) -> None:
    """Lets ``write(name)`` make a file that appears under ``path`` only when it is complete.

    Args:
        path: where the file shall be; missing folders are made, an old file is replaced.
        write: called with the name of a file with the same ending to be written.

    Raises:
        IsADirectoryError: there is a folder of that name.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"A file cannot be saved over a folder. Received: {target}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".saving-", dir=target.parent) as folder:
        draft = Path(folder) / target.name  # the same ending: it chooses the format
        write(str(draft))
        with draft.open("r+b") as file:
            os.fsync(file.fileno())
        draft.replace(target)
