"""The base of callbacks, and those that need no more than it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from pynn.utils.progress import message

Logs = dict[str, float] | None


class Callback:
    """Base of all callbacks; override the hooks that are wanted.

    Attributes:
        model: the model.
        params: ``verbose``, ``epochs`` and ``steps`` of the call.

    ``logs`` holds the running means since the epoch began: ``loss`` and the metrics.
    """

    params: dict[str, Any]
    model: Any

    def __init__(self) -> None:
        self.params = {}
        self.model = None

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self.model = model

    def on_train_begin(self, logs: Logs = None) -> None:
        """Called before the first epoch."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Called after the last epoch, with its logs."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called at the beginning of an epoch (counted from 0)."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called after an epoch's training and validation; may add to ``logs``."""

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """The older name of ``on_train_batch_begin``."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """The older name of ``on_train_batch_end``."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of training."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of training."""
        self.on_batch_end(batch, logs)

    def on_train_chunk_end(self, batch: int, logs: Logs = None) -> None:
        """Called about ten times a second, after the batch with this number."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Called before an evaluation, also the one after an epoch."""

    def on_test_end(self, logs: Logs = None) -> None:
        """Called after an evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Never called: an evaluation is one piece. Here for classes that override it."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Never called."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Called before a prediction."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """Called after a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Never called."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Never called."""


class CallbackList:
    """Calls the hooks of several callbacks, in order.

    Args:
        callbacks: one callback or several.
        add_history: whether to append a ``History`` unless there is one.
        model: handed to each.
        params: handed to each.

    Raises:
        TypeError: something that is not a callback.
    """

    def __init__(
        self,
        callbacks: Callback | Iterable[Callback] | None = None,
        add_history: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks: list[Callback] = []
        self.wants_batches = False
        self.model, self.params = model, params
        for callback in [callbacks] if isinstance(callbacks, Callback) else callbacks or ():
            self.append(callback)
        if add_history and not any(isinstance(callback, History) for callback in self.callbacks):
            self.append(History())

    def append(self, callback: Callback) -> None:
        """Adds one more and tells it the model and the parameters."""
        if not isinstance(callback, Callback):
            raise TypeError(
                "callbacks must be objects of pynn.callbacks.Callback. "
                f"Received: {callback!r} (of type {type(callback).__name__})"
            )
        self.callbacks.append(callback)
        self.wants_batches |= _wants_batches(callback)
        callback.set_params(self.params)
        if self.model is not None:
            callback.set_model(self.model)
            if isinstance(callback, History):
                self.model.history = callback

    def __getattr__(self, hook: str) -> Callable[..., None]:
        """Every hook of ``Callback``, called on all of them with the same logs."""
        if not hook.startswith("on_") or not hasattr(Callback, hook):
            raise AttributeError(f"CallbackList has no attribute {hook!r}")

        def call(*arguments: Any) -> None:
            numbered = hook.startswith(("on_epoch", "on_train_batch", "on_train_chunk"))
            if len(arguments) < 1 + numbered:
                arguments = (*arguments, {})
            for callback in self.callbacks:
                getattr(callback, hook)(*arguments)

        return call


def _wants_batches(callback: Callback) -> bool:
    names = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
    return any(
        getattr(getattr(callback, name), "__func__", None) is not getattr(Callback, name)
        for name in names
    )


class History(Callback):
    """Keeps the logs of every epoch; ``fit`` adds one and returns it.

    Attributes:
        epoch: the epochs' numbers.
        history: for each log key the list of values, Python floats.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []
        self.history = {}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin: called with (epoch, logs).
        on_epoch_end: called with (epoch, logs).
        on_train_begin: called with (logs).
        on_train_end: called with (logs).
        on_train_batch_begin: called with (batch, logs).
        on_train_batch_end: called with (batch, logs).
        kwargs: any other hook.

    Raises:
        TypeError: not a hook, or not a function.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., object] | None = None,
        on_epoch_end: Callable[..., object] | None = None,
        on_train_begin: Callable[..., object] | None = None,
        on_train_end: Callable[..., object] | None = None,
        on_train_batch_begin: Callable[..., object] | None = None,
        on_train_batch_end: Callable[..., object] | None = None,
        **kwargs: Callable[..., object],
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in given.items():
            if function is None:
                continue
            if not (name.startswith("on_") and hasattr(Callback, name)):
                raise TypeError(f"LambdaCallback: unknown hook. Received: {name}")
            if not callable(function):
                raise TypeError(
                    f"LambdaCallback: a hook must be a function. Received: {name}={function!r}"
                )
            setattr(self, name, function)


class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite; looks about ten times a second.

    Args:
        raise_error: whether to raise instead of stopping quietly.

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
