"""Rows that are not trained on: what they must look like, their loss and their score."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import check_scoring
from sklearn.utils.validation import _check_sample_weight

from pynn.sklearn.data import Rows
from pynn.sklearn.weights import Link

Array = npt.NDArray[Any]


def given_rows(estimator: Any, X: Any, y: Any, sample_weight: Any) -> Rows | None:
    """The rows given to ``fit`` as ``X_val``, checked; None if there are none.

    Raises:
        ValueError: a part is missing, or does not fit what is trained on.
    """
    if X is None and y is None:
        if sample_weight is not None:
            raise ValueError("sample_weight_val is provided, but X_val was not provided.")
        return None
    if y is None:
        raise ValueError("X_val is provided, but y_val was not provided.")
    if X is None:
        raise ValueError("y_val is provided, but X_val was not provided.")
    X, y = estimator._check_further(X, y)
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, X)
    return Rows(estimator._readable(X), estimator._encode(y), sample_weight)


class Judge:
    """Measures rows with the weights of the moment.

    Args:
        estimator: its ``scoring`` says what the score is.
        rows: the rows.
    """

    def __init__(self, estimator: Any, rows: Rows) -> None:
        self._estimator, self._rows = estimator, rows
        model, scoring = estimator.model_, estimator.scoring
        self._arrays = model.for_engine(model.arrange(rows.x, rows.y, rows.weight))
        self._by_loss = scoring == "loss"
        by_default = scoring is None or self._by_loss
        self._scorer = None if by_default else check_scoring(estimator, scoring)

    def measure(self) -> tuple[float, float]:
        """Returns the loss, without penalties, and the score, NaN where outputs are not finite."""
        est = self._estimator
        trainer = est.model_._trainer
        trainer.results(reset=True, evaluation=True)
        trainer.evaluate(*self._arrays, est._threads())
        loss = est._loss_on_data(trainer.results(evaluation=True))
        return loss, -loss if self._by_loss else self._score()

    def _score(self) -> float:
        est, rows = self._estimator, self._rows
        outputs = est._run(rows.x)
        if not np.isfinite(outputs).all():
            return float("nan")
        if self._scorer is None:
            return float(est._score_of(outputs, rows))
        weights = {} if rows.weight is None else {"sample_weight": rows.weight}
        shown = _view(est, rows.x, outputs)
        return float(self._scorer(shown, rows.x, est._as_given(rows.y), **weights))


def _view(estimator: Any, x: Any, outputs: Array) -> Any:
    """An estimator in training as a scorer may use it: fitted, with the weights of the moment.

    Args:
        estimator: its model has been trained for an epoch.
        x: samples that have been checked.
        outputs: what the model says about them, so that nothing is done twice.
    """
    shown = object.__new__(type(estimator))
    vars(shown).update(vars(estimator))
    shown._link = Link(shown)
    shown._outputs = lambda X: outputs.copy() if X is x else type(shown)._outputs(shown, X)
    return shown
