"""As much of a model as callbacks touch, for tests that drive their hooks by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class StandIn:
    """Its weights are one number, also its optimizer's state; its optimizer is itself."""

    def __init__(self, learning_rate: float = 1.0) -> None:
        self.stop_training = False
        self.optimizer = self
        self.learning_rate: Any = learning_rate
        self.iterations = 0
        self._objective = self
        self.weights: Any = 0
        self.history: Any = None
        self.resumed: tuple[Any, ...] | None = None

    def direction(self, name: str) -> str | None:
        return {"loss": "down", "accuracy": "up"}.get(name.removeprefix("val_"))

    def get_weights(self) -> list[Any]:
        return [self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        (self.weights,) = weights

    def save(self, path: str, overwrite: bool = True) -> None:
        Path(path).write_text(json.dumps({"model": self.weights}))

    def save_weights(self, path: str, overwrite: bool = True) -> None:
        Path(path).write_text(json.dumps(self.weights))

    def load_weights(self, path: str) -> None:
        self.weights = json.loads(Path(path).read_text())

    def fit_state(self) -> dict[str, Any]:
        return {"seed": 7}

    def resume_fit(self, epoch: int, batch: int, state: dict[str, Any]) -> None:
        self.resumed = epoch, batch, state

    def get_config(self) -> dict[str, Any]:
        return {"learning_rate": self.learning_rate}


def feed(callback: Any, values: list[float], model: StandIn | None = None) -> StandIn:
    """Plays epochs with these values; the weights are the number of the epoch."""
    model = model or StandIn()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {callback.monitor: value})
        if model.stop_training:
            break
    callback.on_train_end({})
    return model
