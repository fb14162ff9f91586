"""Intersection over union of classes, from a matrix of counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import config
from pynn.losses._base import row_weights
from pynn.metrics._base import Metric
from pynn.utils.checks import integer_axis, is_integer, number, positive_integer


class IoU(Metric):
    """The mean of intersection over union of some classes.

    Formula: ``tp / (tp + fp + fn)``, the mean over the classes that occur

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes whose mean is wanted.
        name: what logs call it.
        dtype: type of the counts, whole numbers by default: weights lose their fractions.
        ignore_class: targets of this class do not count.
        sparse_y_true: whether targets are class numbers, not scores of classes.
        sparse_y_pred: whether predictions are class numbers, not scores of classes.
        axis: the axis of the scores of classes.

    Raises:
        ValueError: a class that does not exist.

    Example:
        >>> round(IoU(2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1]), 4)
        0.3333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype or "int32", name)
        owner = type(self).__name__
        self.num_classes = positive_integer(owner, "num_classes", num_classes)
        wanted = list(target_class_ids) if np.iterable(target_class_ids) else []
        if not wanted or not all(is_integer(c) and 0 <= c < num_classes for c in wanted):
            raise ValueError(
                f"{owner}: `target_class_ids` must be integers in [0, {num_classes}). "
                f"Received: target_class_ids={target_class_ids!r}"
            )
        self.target_class_ids, self.axis = wanted, integer_axis(owner, axis)
        if ignore_class is not None and not is_integer(ignore_class):
            raise TypeError(
                f"{owner}: `ignore_class` must be an integer or None. "
                f"Received: ignore_class={ignore_class!r}"
            )
        self.ignore_class = ignore_class
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_cm = self.add_variable(
            (self.num_classes, self.num_classes), name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch; class numbers out of range do not count.

        Args:
            y_true: targets, class numbers or scores of classes.
            y_pred: predictions, class numbers or scores of classes.
            sample_weight: weight of each case.
        """
        target, pred = np.asarray(y_true), np.asarray(y_pred)
        target = target if self.sparse_y_true else target.argmax(self.axis)
        pred = pred if self.sparse_y_pred else pred.argmax(self.axis)
        target, pred = target.ravel().astype(np.int64), pred.ravel().astype(np.int64)
        if target.shape != pred.shape:
            raise ValueError(
                f"{self.name}: expected one prediction for each target. "
                f"Received: {target.size} targets, {pred.size} predictions"
            )
        weight = np.ones(target.shape)
        if sample_weight is not None:
            weight = row_weights(np.ravel(sample_weight), target.shape).astype(self.dtype)
        n = self.num_classes
        counts = (target >= 0) & (target < n) & (pred >= 0) & (pred < n)
        if self.ignore_class is not None:
            counts &= target != self.ignore_class
        cells = target[counts] * n + pred[counts]
        added = np.bincount(cells, weight[counts], n * n)
        self.total_cm.assign_add(added.reshape(n, n))

    def result(self) -> float:
        """Returns the mean over the classes wanted that occur, 0 for none."""
        matrix = self.total_cm.numpy().astype(np.float64)
        shared = matrix.diagonal()[self.target_class_ids]
        union = (matrix.sum(0) + matrix.sum(1) - matrix.diagonal())[self.target_class_ids]
        occurs = union > 1e-9
        tiny = config.epsilon()
        return float((shared / (union + tiny))[occurs].sum() / (occurs.sum() + tiny))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        own = {
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }
        return {**super().get_config(), **own}

    def _config_without(self, *names: str) -> dict[str, Any]:
        return {key: value for key, value in IoU.get_config(self).items() if key not in names}


class BinaryIoU(IoU):
    """Intersection over union of the two classes of a yes/no target.

    Formula: ``tp / (tp + fp + fn)``, the mean over the classes wanted that occur

    Args:
        target_class_ids: (0,), (1,) or both.
        threshold: predictions from it on are class 1.
        name: what logs call it.
        dtype: type of the counts, whole numbers by default: weights lose their fractions.

    Raises:
        ValueError: a class that does not exist.

    Example:
        >>> round(BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]), 4)
        0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = number("BinaryIoU", "threshold", threshold)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch of targets 0 or 1 and predictions of any numbers."""
        super().update_state(y_true, np.asarray(y_pred) >= self.threshold, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        shown = ("name", "dtype", "target_class_ids")
        config = {key: value for key, value in super().get_config().items() if key in shown}
        return {**config, "threshold": self.threshold}


class MeanIoU(IoU):
    """The mean of intersection over union of all classes.

    Formula: ``tp / (tp + fp + fn)``, the mean over the classes that occur

    Args:
        num_classes: how many classes there are.
        name: what logs call it.
        dtype: type of the counts, whole numbers by default: weights lose their fractions.
        ignore_class: targets of this class do not count.
        sparse_y_true: whether targets are class numbers, not scores of classes.
        sparse_y_pred: whether predictions are class numbers, not scores of classes.
        axis: the axis of the scores of classes.

    Example:
        >>> round(MeanIoU(2)([0, 0, 1, 1], [0, 1, 0, 1]), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        every = range(positive_integer(type(self).__name__, "num_classes", num_classes))
        super().__init__(
            num_classes, every, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        return self._config_without("target_class_ids")


class OneHotIoU(IoU):
    """The mean of intersection over union of some classes, for one-hot targets.

    Formula: ``tp / (tp + fp + fn)``, the mean over the classes wanted that occur

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes whose mean is wanted.
        name: what logs call it.
        dtype: type of the counts, whole numbers by default: weights lose their fractions.
        ignore_class: targets of this class do not count.
        sparse_y_pred: whether predictions are class numbers, not scores of classes.
        axis: the axis of the classes.

    Raises:
        ValueError: a class that does not exist.

    Example:
        >>> y_true, y_pred = np.eye(2)[[0, 1, 1]], np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
        >>> round(OneHotIoU(2, target_class_ids=[1])(y_true, y_pred), 4)
        0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        return self._config_without("sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """The mean of intersection over union of all classes, for one-hot targets.

    Formula: ``tp / (tp + fp + fn)``, the mean over the classes that occur

    Args:
        num_classes: how many classes there are.
        name: what logs call it.
        dtype: type of the counts, whole numbers by default: weights lose their fractions.
        ignore_class: targets of this class do not count.
        sparse_y_pred: whether predictions are class numbers, not scores of classes.
        axis: the axis of the classes.

    Example:
        >>> y_true, y_pred = np.eye(2)[[0, 1, 1]], np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
        >>> round(OneHotMeanIoU(2)(y_true, y_pred), 4)
        0.5
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        return self._config_without("target_class_ids", "sparse_y_true")
