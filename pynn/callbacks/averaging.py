"""Evaluates with the moving average of the weights."""

from __future__ import annotations

from typing import Any

from pynn.callbacks._base import Callback, Logs


class SwapEMAWeights(Callback):
    """Puts the moving averages of the weights into the model for validation and prediction.

    The optimizer must be made with ``use_ema=True``. Training goes on with the weights as they
    were: weights and averages change places before an evaluation and back after it.

    Args:
        swap_on_epoch: whether to leave the averages in the model from one epoch's validation to
            the next epoch's beginning, so that callbacks listed after this one, such as
            ``ModelCheckpoint``, see them.

    Raises:
        ValueError: the optimizer keeps no averages.

    Example:
        >>> from pynn.callbacks import ModelCheckpoint
        >>> callbacks = [SwapEMAWeights(swap_on_epoch=True), ModelCheckpoint("averaged.keras")]

    References:
        Polyak, Juditsky 1992, Acceleration of stochastic approximation by averaging,
        https://doi.org/10.1137/0330046.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._weights: list[Any] | None = None  # those trained, while the averages are in the model

    def _show_averages(self) -> None:
        if self._weights is None:
            self._weights = self.model.get_weights()
            self.model.optimizer.swap_averages()
            self.model.optimizer.reset_averages()  # they stay averages, whatever the model shows

    def _show_weights(self) -> None:
        if self._weights is not None:
            self.model.set_weights(self._weights)
            self._weights = None

    def on_train_begin(self, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                "SwapEMAWeights: the optimizer must keep averages: give it use_ema=True. "
                f"Received: optimizer={optimizer!r}"
            )

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._show_weights()

    def on_test_begin(self, logs: Logs = None) -> None:
        self._show_averages()

    def on_test_end(self, logs: Logs = None) -> None:
        self._show_weights()

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._show_averages()

    def on_predict_end(self, logs: Logs = None) -> None:
        self._show_weights()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._show_averages()

    def on_train_end(self, logs: Logs = None) -> None:
        self._weights = None  # a training with use_ema ends with the averages in the model

    def on_close(self) -> None:
        self._show_weights()
