"""What the estimators minimize, and what their outputs therefore are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn import losses, ops

_REDUCTION = "mean_with_sample_weight"
CLASSIFIER_LOSSES = ("log_loss", "focal", "hinge")
REGRESSOR_LOSSES = ("squared_error", "poisson", "absolute_error", "huber", "quantile")
_MARGINS = (losses.Hinge, losses.SquaredHinge, losses.CategoricalHinge)


def learns_probabilities(loss: Any) -> bool:
    """Whether the outputs of a classifier with this loss are probabilities."""
    return not (loss == "hinge" or isinstance(loss, _MARGINS))


@dataclass(frozen=True)
class Goal:
    """What training minimizes.

    Attributes:
        loss: an object of ``pynn.losses``, the mean over the outputs of a row.
        outputs: how many outputs there are.
        out_activation: scikit-learn's name of their activation.
        weight: the loss's factor in what is minimized: scikit-learn adds the outputs up.
        reported: its factor in ``loss_``.
        one_hot: whether the loss reads a column for each class, not the number of the class.
    """

    loss: Any
    outputs: int
    out_activation: str
    weight: float
    reported: float
    one_hot: bool = False

    @property
    def has_probabilities(self) -> bool:
        """Whether the outputs of a classifier are probabilities, not distances from a border."""
        return self.out_activation != "identity"


def classification(loss: Any, kind: str, outputs: int, label_smoothing: float) -> Goal:
    """The goal of a classifier.

    Args:
        loss: a name, or a loss of pynn.
        kind: scikit-learn's type of the targets: "binary", "multiclass" or "multilabel-indicator".
        outputs: how many outputs there are.
        label_smoothing: how far the targets are moved from 0 and 1.

    Raises:
        ValueError: label smoothing of a loss that knows no probabilities.
    """
    several = kind == "multiclass"
    options: dict[str, Any] = {"reduction": _REDUCTION}
    if label_smoothing:
        options["label_smoothing"] = label_smoothing
    found: Any
    kinds: tuple[Any, Any]
    if loss == "log_loss" and not label_smoothing:
        kinds = (losses.BinaryLogLoss, losses.LogLoss)
        found = kinds[several](**options)
    elif loss == "log_loss":
        kinds = (losses.BinaryCrossentropy, losses.CategoricalCrossentropy)
        found = kinds[several](**options)
    elif loss == "focal":
        kinds = (losses.BinaryFocalCrossentropy, losses.CategoricalFocalCrossentropy)
        found = kinds[several](**options)
    else:
        if label_smoothing:
            raise ValueError(
                "label_smoothing needs loss='log_loss' or 'focal'. "
                f"Received: loss={loss!r}, label_smoothing={label_smoothing!r}"
            )
        kinds = (losses.Hinge, losses.CategoricalHinge)
        found = kinds[several](**options) if loss == "hinge" else losses.resolve(loss)
    activation = "softmax" if several else "logistic"
    if not learns_probabilities(found):
        activation = "identity"
    factor = 1 if several else outputs
    sparse = several and bool(getattr(found, "sparse", False))
    return Goal(found, outputs, activation, factor, factor, several and not sparse)


def regression(loss: Any, outputs: int, quantiles: Sequence[float]) -> Goal:
    """The goal of a regressor.

    Args:
        loss: a name, or a loss of pynn.
        outputs: how many outputs there are.
        quantiles: of the loss "quantile"; several share the hidden layers.
    """
    found: Any
    if loss == "squared_error":
        found = losses.MeanSquaredError(reduction=_REDUCTION)
        return Goal(found, outputs, "identity", outputs / 2, 0.5)
    if loss == "poisson":
        found = losses.HalfPoissonDeviance(reduction=_REDUCTION)
        return Goal(found, outputs, "exp", outputs, outputs)
    if loss == "quantile" and len(quantiles) == 1:
        found = losses.Quantile(quantiles[0], reduction=_REDUCTION)
    elif loss == "quantile":
        found = losses.LossFunctionWrapper(Pinball(quantiles), reduction=_REDUCTION)
    elif loss in REGRESSOR_LOSSES:
        kinds = {"absolute_error": losses.MeanAbsoluteError, "huber": losses.Huber}
        found = kinds[loss](reduction=_REDUCTION)
    else:
        found = losses.resolve(loss)
    return Goal(found, outputs, "identity", outputs, outputs)


class Pinball:
    """The mean loss of several quantiles of one number, each with an output of its own.

    Formula: ``mean_j(max(q_j (y - p_j), (q_j - 1) (y - p_j)))``
    """

    __name__ = "pinball"

    def __init__(self, quantiles: Sequence[float]) -> None:
        self._quantiles = list(quantiles)

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        error, q = y_true - y_pred, np.array(self._quantiles)
        return ops.mean(ops.maximum(error * q, error * (q - 1)), axis=-1)
