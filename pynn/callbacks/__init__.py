"""Objects that fit, evaluate and predict call at certain moments.

Hooks per batch cost speed: training enters Python for every batch as soon as one callback
overrides ``on_train_batch_begin`` or ``on_train_batch_end``. ``on_train_chunk_end`` is called about
ten times a second and costs nothing.

Example:
    >>> import pynn
    >>> stop = pynn.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
"""

from __future__ import annotations

from pynn._compat import explain_absent
from pynn.callbacks._base import Callback, CallbackList
from pynn.callbacks.averaging import SwapEMAWeights
from pynn.callbacks.backup import BackupAndRestore
from pynn.callbacks.checkpoint import ModelCheckpoint
from pynn.callbacks.csv_log import CSVLogger
from pynn.callbacks.cycle import OneCycle
from pynn.callbacks.finder import LearningRateFinder
from pynn.callbacks.functions import LambdaCallback
from pynn.callbacks.history import History
from pynn.callbacks.monitors import EarlyStopping, ReduceLROnPlateau, TerminateOnNaN
from pynn.callbacks.progress import ProgbarLogger
from pynn.callbacks.schedule import LearningRateScheduler
from pynn.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateFinder",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "OneCycle",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]

explain_absent(globals())
