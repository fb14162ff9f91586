"""Continues a training that was interrupted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pynn.callbacks._base import Callback, Logs
from pynn.callbacks.checkpoint import EveryBatches, write_whole


class BackupAndRestore(Callback):
    """Keeps a backup of the training; the same ``fit`` run again continues from it, bit by bit.

    The backup holds the weights, the optimizer's state, the epoch, the batch and the seeds of
    shuffling and dropout. What other callbacks remember is not part of it, and the history of the
    second run begins where it continues; so do the means in the logs of an epoch continued in
    its middle. List it after callbacks that change the learning rate.

    Args:
        backup_dir: folder of the backup, for nothing else.
        save_freq: ``"epoch"``, or the number of batches between two backups.
        double_checkpoint: whether to keep the backup before the last as well, which is used where
            the last cannot be read.
        delete_checkpoint: whether to delete the backup when training has ended.

    Raises:
        ValueError: an empty ``backup_dir``, another ``save_freq``; in ``fit``, a backup that cannot
            be read or belongs to another model.

    Example:
        >>> backup = BackupAndRestore("backup", save_freq=1000)
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not os.fspath(backup_dir):
            raise ValueError("BackupAndRestore: `backup_dir` must not be empty.")
        self.backup_dir, self.save_freq = backup_dir, save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self._folder = Path(backup_dir)
        # A backup is there when the file that tells where training stood is: it is written last.
        self._latest = self._folder / "training_metadata.json"
        self._previous = self._folder / "training_metadata.json.bkp"
        self._epoch = 0
        self._every = EveryBatches("BackupAndRestore", save_freq)
        if self._every.count:  # only then training stops at every batch
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Logs = None) -> None:
        self._every.restart()
        failed: Exception | None = None
        for path in (self._latest, self._previous):
            if path.exists():
                try:
                    return self._load(path)
                except (OSError, ValueError, KeyError) as error:
                    failed = failed or error
        if failed is not None:
            raise ValueError(
                "BackupAndRestore: the backup cannot be read or belongs to another model; delete "
                f"it to start anew. Received: backup_dir={str(self._folder)!r} ({failed})"
            ) from failed
        return None

    def _load(self, path: Path) -> None:
        position = json.loads(path.read_text(encoding="utf-8"))
        self.model.load_weights(str(self._folder / position["weights"]))
        if position["learning_rate"] is not None:  # the file holds it in single precision
            self.model.optimizer.learning_rate = position["learning_rate"]
        self.model.resume_fit(position["epoch"], position["batch"], position["fit"])

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if not self._every.count:
            self._save(epoch + 1, 0)

    def _after_batch(self, batch: int, logs: Logs = None) -> None:
        if self._every.is_due(batch):
            self._save(self._epoch, batch + 1)

    def _save(self, epoch: int, batch: int) -> None:
        weights = f"epoch-{epoch}-batch-{batch}.weights.h5"
        write_whole(self._folder / weights, self.model.save_weights)
        rate = self.model.optimizer.get_config()["learning_rate"]
        position: dict[str, Any] = {
            "epoch": epoch,
            "batch": batch,
            "weights": weights,
            "learning_rate": rate if isinstance(rate, float) else None,  # else a function of steps
            "fit": self.model.fit_state(),
        }
        kept = {weights}
        if self.double_checkpoint and self._latest.exists():
            kept.add(json.loads(self._latest.read_text(encoding="utf-8"))["weights"])
            self._latest.replace(self._previous)
        text = json.dumps(position)
        write_whole(self._latest, lambda name: Path(name).write_text(text, encoding="utf-8"))
        for path in self._folder.glob("epoch-*.weights.h5"):
            if path.name not in kept:
                path.unlink()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.delete_checkpoint and self._folder.exists():
            for path in (self._latest, self._previous, *self._folder.glob("epoch-*.weights.h5")):
                path.unlink(missing_ok=True)
            if not any(self._folder.iterdir()):
                self._folder.rmdir()
