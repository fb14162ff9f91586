"""The base of callbacks and the list that calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

Logs = dict[str, Any] | None


class Callback:
    """Base of all callbacks; override the hooks that are wanted.

    ``logs`` holds the running means since the epoch began, Python floats: ``loss`` and the metrics.
    A callback may add to the logs of ``on_epoch_end``: the callbacks after it, the history and the
    printed line see what it added.

    Attributes:
        model: the model.
        params: ``verbose``, ``epochs`` and ``steps`` of the call.

    Example:
        >>> class Patient(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.model.stop_training = logs["loss"] < 0.1
    """

    params: dict[str, Any]
    model: Any

    def __init__(self) -> None:
        self.params = {}
        self.model = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Called with the parameters of the call."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Called with the model."""
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
        """Called after an evaluation, with its results."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of an evaluation."""

    def on_test_chunk_end(self, batch: int, logs: Logs = None) -> None:
        """Called now and then in an evaluation, after the batch with this number."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Called before a prediction."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """Called after a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of a prediction, with its ``outputs``."""

    def on_predict_chunk_end(self, batch: int, logs: Logs = None) -> None:
        """Called now and then in a prediction, after the batch with this number."""

    def on_close(self) -> None:
        """Called when a call ends, also where an error ended it: closes what is open."""


class CallbackList(Callback):
    """Calls the hooks of several callbacks, in order, all with the same logs.

    Args:
        callbacks: one callback or several, in lists of any depth.
        add_history: whether to append a ``History`` unless there is one.
        add_progbar: whether to append a ``ProgbarLogger`` unless there is one.
        model: handed to each.
        params: handed to each: ``verbose``, ``epochs``, ``steps``.

    Attributes:
        wants_batches: whether a callback overrides a hook of batches of training.
            ``wants_test_batches`` and ``wants_predict_batches`` tell the same of the others.

    Raises:
        TypeError: something that is not a callback.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        from pynn.callbacks.history import History
        from pynn.callbacks.progress import ProgbarLogger

        super().__init__()
        self.callbacks: list[Callback] = []
        self.wants_batches = self.wants_test_batches = self.wants_predict_batches = False
        self.model, self.params = model, params
        for callback in _flat(callbacks):
            self.append(callback)
        for wanted, kind in ((add_history, History), (add_progbar, ProgbarLogger)):
            if wanted:
                self._ensure(kind)

    def _ensure(self, kind: type[Callback]) -> None:
        if not any(isinstance(callback, kind) for callback in self.callbacks):
            self.append(kind())

    def ensure_history(self) -> None:
        """Appends a ``History`` unless there is one."""
        from pynn.callbacks.history import History

        self._ensure(History)

    def append(self, callback: Callback) -> None:
        """Adds one more and tells it the model and the parameters."""
        if not isinstance(callback, Callback):
            raise TypeError(
                "callbacks must be objects of pynn.callbacks.Callback. "
                f"Received: {callback!r} (of type {type(callback).__name__})"
            )
        self.callbacks.append(callback)
        self.wants_batches |= _overrides(
            callback, "on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"
        )
        self.wants_test_batches |= _overrides(callback, "on_test_batch_begin", "on_test_batch_end")
        self.wants_predict_batches |= _overrides(
            callback, "on_predict_batch_begin", "on_predict_batch_end"
        )
        if self.params:
            callback.set_params(self.params)
        if self.model is not None:
            callback.set_model(self.model)

    def set_params(self, params: dict[str, Any]) -> None:
        """Hands the parameters to every callback."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Hands the model to every callback."""
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def on_close(self) -> None:
        """Lets every callback close what it has open."""
        for callback in self.callbacks:
            callback.on_close()


def as_callback_list(
    callbacks: Any, model: Any, add_history: bool = False, **params: Any
) -> CallbackList:
    """The list that fit, evaluate and predict call; a ``CallbackList`` is used as it is.

    Args:
        callbacks: what the user gave.
        model: the model.
        add_history: whether to append a ``History``.
        params: ``verbose``, ``epochs`` and ``steps``; anything is printed unless ``verbose`` is 0.
    """
    if isinstance(callbacks, CallbackList):
        if callbacks.model is None:
            callbacks.set_model(model)
        if add_history:
            callbacks.ensure_history()
        return callbacks
    return CallbackList(callbacks, add_history, params.get("verbose", 0) != 0, model, **params)


def _flat(callbacks: Any) -> Iterator[Any]:
    if callbacks is None:
        return
    if isinstance(callbacks, Iterable) and not isinstance(callbacks, (str, bytes, Callback)):
        for item in callbacks:
            yield from _flat(item)
    else:
        yield callbacks


def _overrides(callback: Callback, *hooks: str) -> bool:
    return any(
        getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)
        for hook in hooks
    )


def plain_number(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    is_number = isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0
    return value.item() if is_number else value


def _broadcast(hook: str) -> Callable[..., None]:
    """The hook of a ``CallbackList``: calls that of every callback."""
    # A batch is the shortest chunk, so that loops written by hand reach the chunk hooks too.
    hooks = [hook]
    if hook.endswith("_batch_end") and hook != "on_batch_end":
        hooks.append(hook.replace("batch", "chunk"))

    def call(self: CallbackList, *arguments: Any, logs: Logs = None) -> None:
        numbered = hook.startswith("on_epoch") or "batch" in hook or "chunk" in hook
        *numbers, logs = (*arguments, logs)[: 1 + numbered]
        logs = {name: plain_number(value) for name, value in (logs or {}).items()}
        for callback in self.callbacks:
            for name in hooks:
                getattr(callback, name)(*numbers, logs)

    call.__name__, call.__doc__ = hook, getattr(Callback, hook).__doc__
    return call


for _hook in [name for name in vars(Callback) if name.startswith("on_") and name != "on_close"]:
    setattr(CallbackList, _hook, _broadcast(_hook))
