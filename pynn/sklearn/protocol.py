"""scikit-learn's own callbacks, ``set_callbacks``, where the installed version has them."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

from pynn.callbacks import Callback
from pynn.sklearn.weights import Link

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before 1.9: estimators have no `set_callbacks`

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing to support."""

    def with_callbacks(method: Any) -> Any:
        """Nothing to tear down."""
        return method


__all__ = ["Bridge", "CallbackSupportMixin", "bridge", "with_callbacks"]


class Bridge(Callback):
    """Tells scikit-learn's callbacks what pynn's are told: a task for ``fit``, one for each epoch.

    Args:
        estimator: has the callbacks.
        X: the samples as they were given to ``fit``.
        y: the targets as they were given.
        sample_weight: weights, or None.
        epochs: how many epochs there may be.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any, epochs: int) -> None:
        super().__init__()
        self._estimator, self._epochs = estimator, epochs
        self._facts = {
            "estimator": estimator,
            "X": X,
            "y": y,
            "metadata": None if sample_weight is None else {"sample_weight": sample_weight},
            "reconstruction_attributes": self._fitted,  # called where a callback asks for it
        }

    def on_train_begin(self, logs: Any = None) -> None:
        self._fit = self._estimator._init_callback_context(max_subtasks=self._epochs)
        self._fit.call_on_fit_task_begin(**self._facts)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        task = self._fit.subcontext(task_name="epoch")
        self._epoch = task.call_on_fit_task_begin(**self._facts)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._epoch.call_on_fit_task_end(**self._facts):
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        self._fit.call_on_fit_task_end(**self._facts)

    def _fitted(self) -> dict[str, Any]:
        """Attributes of an estimator whose training ended now, with a model of its own."""
        fitted = SimpleNamespace(model_=copy.deepcopy(self.model))
        fitted.model_.program()  # which says where the weights are kept
        fitted._link = Link(fitted)
        return vars(fitted)


def bridge(estimator: Any, X: Any, y: Any, sample_weight: Any, epochs: int) -> Callback | None:
    """A bridge to the callbacks of ``set_callbacks``; None if there are none."""
    if not getattr(estimator, "_skl_callbacks", None):
        return None
    return Bridge(estimator, X, y, sample_weight, epochs)
