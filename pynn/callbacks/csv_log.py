"""Logs in a file that spreadsheets read."""

from __future__ import annotations

import csv
import os
from typing import Any, TextIO

import numpy as np

from pynn.callbacks._base import Callback, Logs


class CSVLogger(Callback):
    """Writes a line of logs per epoch: its number from 0, then the keys in alphabetical order.

    The first epoch decides about the columns. Where it brings no validation, a ``val_`` column
    follows for each key, and holds NA until there are values. Every line is in the file
    when its epoch ends.

    Args:
        filename: path of the file.
        separator: the character between two columns.
        append: whether to continue a file that is there (without a second line of names) instead of
            overwriting it.

    Example:
        >>> log = CSVLogger("training.csv", separator=";")
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self.keys: list[str] | None = None
        self.csv_file: TextIO | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self.on_close()
        self.keys = None
        self.csv_file = open(  # noqa: SIM115  closed in on_close
            self.filename, "a" if self.append else "w", newline="", encoding="utf-8"
        )

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.csv_file is None:
            raise RuntimeError("CSVLogger: on_train_begin opens the file; it was not called.")
        logs = logs or {}
        writer = csv.writer(self.csv_file, delimiter=self.sep)
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
            if self.csv_file.tell() == 0:
                writer.writerow(["epoch", *self.keys])
        writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])
        self.csv_file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        self.on_close()

    def on_close(self) -> None:
        if self.csv_file is not None:
            self.csv_file.close()
            self.csv_file = None


def _cell(value: Any) -> Any:
    """A value of several numbers becomes one cell of text."""
    if isinstance(value, (list, tuple)) or np.ndim(value):
        return f'"[{", ".join(map(str, value))}]"'
    return value
