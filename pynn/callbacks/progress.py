"""What fit, evaluate and predict print while they run."""

from __future__ import annotations

from typing import Any

from pynn.callbacks._base import Callback, Logs
from pynn.utils.progress import Progress, message


class ProgbarLogger(Callback):
    """Prints a bar (``verbose`` 1) or a line (2) per epoch; fit, evaluate and predict add one.

    Validation inside ``fit`` prints nothing of its own: its results end the epoch's line.
    """

    def __init__(self) -> None:
        super().__init__()
        self.verbose, self.epochs = 1, 1
        self.target: int | None = None
        self.progbar: Progress | None = None
        self._in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        self.verbose = 1 if params["verbose"] == "auto" else int(params["verbose"])
        self.epochs, self.target = params["epochs"], params["steps"]

    def on_train_begin(self, logs: Logs = None) -> None:
        self._in_fit = True

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self.verbose and self.epochs > 1:
            message(f"Epoch {epoch + 1}/{self.epochs}")
        self.progbar = Progress(self.target, self.verbose)

    def on_train_chunk_end(self, batch: int, logs: Logs = None) -> None:
        if self.progbar is not None:
            self.progbar.update(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.progbar is not None:
            self.progbar.finish(logs)
            self.target = self.progbar.target  # known now where an epoch's length was not

    def on_train_end(self, logs: Logs = None) -> None:
        self._in_fit = False

    def on_test_begin(self, logs: Logs = None) -> None:
        if not self._in_fit:
            self.progbar = Progress(self.target, self.verbose)

    def on_test_chunk_end(self, batch: int, logs: Logs = None) -> None:
        if not self._in_fit and self.progbar is not None:
            self.progbar.update(batch + 1, logs)

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._in_fit and self.progbar is not None:
            self.progbar.finish(logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self.progbar = Progress(self.target, self.verbose)

    def on_predict_chunk_end(self, batch: int, logs: Logs = None) -> None:
        if self.progbar is not None:
            self.progbar.update(batch + 1)

    def on_predict_end(self, logs: Logs = None) -> None:
        if self.progbar is not None:
            self.progbar.finish()

    def on_close(self) -> None:
        if self.progbar is not None:
            self.progbar.close()
        self._in_fit = False
