"""Objects that fit, evaluate and predict call at certain moments.

Hooks per batch cost speed: training enters Python for every batch as soon as one callback
overrides ``on_train_batch_begin`` or ``on_train_batch_end``. ``on_train_chunk_end`` is called about
ten times a second and costs nothing.

Example:
    >>> import pynn
    >>> stop = pynn.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
"""

from __future__ import annotations

from pynn.callbacks._base import (
    Callback,
    CallbackList,
    History,
    LambdaCallback,
    TerminateOnNaN,
)
from pynn.callbacks.monitors import EarlyStopping, ReduceLROnPlateau
from pynn.callbacks.schedule import LearningRateScheduler

__all__ = [
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
