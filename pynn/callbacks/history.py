"""The record of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.callbacks._base import Callback, Logs, plain_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class History(Callback):
    """Keeps the logs of every epoch; ``fit`` adds one and returns it.

    Attributes:
        epoch: the numbers of the epochs of the last training.
        history: for each log key the list of values, Python floats, ready for
            ``pandas.DataFrame``; arrays for a metric with a value per class. An object given to
            ``fit`` again continues its lists.

    Example:
        >>> history = History()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> history.on_epoch_end(1, {"loss": 0.25})
        >>> history.history, history
        ({'loss': [0.5, 0.25]}, <History of 2 epochs: loss 0.25>)
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []
        self._places: dict[str, list[int]] = {}  # of the values, for epochs without validation

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []
        if self.model is not None:
            self.model.history = self

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(plain_number(value))
            self._places.setdefault(name, []).append(epoch + 1)

    def plot(
        self, keys: Sequence[str] | None = None, log_scale: bool | Sequence[str] = False
    ) -> Figure:
        """Draws the curves over the epochs, one panel per metric with its ``val_`` twin.

        Args:
            keys: the metrics to draw, without ``val_``; by default all.
            log_scale: which panels get a logarithmic axis: their keys, or True for the losses and
                the learning rate.

        Returns:
            The figure; ``figure.savefig("curves.png")`` writes it.

        Raises:
            ImportError: matplotlib is not installed.
            ValueError: nothing was recorded, or a key is unknown.
        """
        from pynn import plotting

        curves = {}
        for name, values in self._curves().items():
            places = self._places.get(name, [])
            ascending = len(places) == len(values) and places == sorted(set(places))
            curves[name] = (places if ascending else list(range(1, len(values) + 1)), values)
        return plotting.curves(curves, keys, log_scale)

    def _curves(self) -> dict[str, list[float]]:
        """One number per epoch: the mean, where a metric has several."""
        return {name: [float(np.mean(v)) for v in vs] for name, vs in self.history.items()}

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self._curves().items())
        count = len(self.epoch)
        epochs = f"{count} epoch{'s' * (count != 1)}"
        return f"<History of {epochs}{': ' * bool(last)}{last}>"

    def _repr_html_(self) -> str:
        rows = ["<tr><th></th><th>first</th><th>last</th><th>lowest</th><th>highest</th></tr>"]
        for name, values in self._curves().items():
            finite = [value for value in values if math.isfinite(value)] or [math.nan]
            cells = (values[0], values[-1], min(finite), max(finite))
            text = "".join(f"<td>{value:.4g}</td>" for value in cells)
            rows.append(f"<tr><th>{name}</th>{text}</tr>")
        return f"<table><caption>{len(self.epoch)} epochs</caption>{''.join(rows)}</table>"
