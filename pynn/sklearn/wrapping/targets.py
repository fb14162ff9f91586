"""What estimators are given as ``y``, what models are trained on, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from pynn import losses
from pynn.sklearn.wrapping.heads import Head

Array = npt.NDArray[Any]


class Numbers:
    """The target of a regressor, ``(n,)`` or ``(n, columns)``.

    Attributes:
        kind: what ``sklearn.utils.multiclass.type_of_target`` calls it.
        columns: how many columns ``y`` has.
        outputs: how many outputs the model is expected to have.
    """

    outputs = 1

    def __init__(self, owner: str, y: Array) -> None:
        self.owner, self.is_flat = owner, y.ndim == 1
        self.kind = "continuous" if y.ndim == 1 else "continuous-multioutput"
        self.columns = 1 if y.ndim == 1 else y.shape[1]

    def encode(self, y: Array) -> Array:
        """Returns an array of shape (n, columns).

        Raises:
            ValueError: another number of columns, or an unknown class.
        """
        encoded = y.reshape(len(y), -1)
        if encoded.shape[1] != self.columns:
            raise ValueError(
                f"{self.owner}: `y` must have as many columns as before, {self.columns}. "
                f"Received: y.shape={y.shape}"
            )
        return encoded

    def wide(self, encoded: Array) -> Array:
        """The same with a column for each class, as functions that build models are shown it."""
        return encoded

    def loss(self, head: Head) -> Any:
        """The loss of an output for which none was chosen."""
        return losses.MeanSquaredError()

    def split(self, encoded: Array, heads: Sequence[Head]) -> list[Array]:
        """The targets of each output of the model.

        Raises:
            ValueError: outputs that do not fit.
        """
        if len(heads) == 1:
            return [encoded]  # a loss of one's own may compare it with other numbers of columns
        sizes = [head.columns for head in heads]
        if sum(sizes) != self.columns:
            raise ValueError(
                f"{self.owner}: the outputs of the model must have one column for each of the "
                f"{self.columns} columns of `y`. Received: outputs with {sizes} columns"
            )
        return np.split(encoded, np.cumsum(sizes)[:-1], axis=1)

    def decode(self, outputs: Sequence[Array], heads: Sequence[Head]) -> Array:
        """Predictions in the form of ``y``."""
        joined = np.concatenate(outputs, axis=1)
        return joined[:, 0] if self.is_flat and joined.shape[1] == 1 else joined


class Labels(Numbers):
    """Several labels, each of which a row has or has not: ``(n, labels)`` of 0 and 1."""

    def __init__(self, owner: str, y: Array, classes: Any = None) -> None:
        super().__init__(owner, y)
        self.kind = "multilabel-indicator"
        self.classes: Any = np.arange(self.columns)
        self.each = [self.classes]
        self.check_classes(classes)

    def check_classes(self, classes: Any) -> None:
        """Raises ValueError unless these are the classes known, or None."""
        check_classes(self.owner, None if classes is None else [classes], self.each)

    def weights(self, class_weight: Any, encoded: Array, names: Sequence[str]) -> Any:
        """Refuses weights of classes: there are none of which a row has one."""
        raise ValueError(
            f"{self.owner}: `class_weight` is for targets with one class per row; for several "
            f"labels give fit a `sample_weight`. Received: class_weight={class_weight!r}"
        )

    def loss(self, head: Head) -> Any:
        return losses.BinaryCrossentropy(from_logits=head.is_linear)

    def decode(self, outputs: Sequence[Array], heads: Sequence[Head]) -> Array:
        pairs = zip(outputs, heads, strict=True)
        return np.concatenate([y > head.threshold for y, head in pairs], axis=1).astype(np.int64)

    def probabilities(self, outputs: Sequence[Array], heads: Sequence[Head]) -> Any:
        """The probability of each label, shape (n, labels)."""
        pairs = zip(outputs, heads, strict=True)
        found = [head.probabilities(self.owner, y, exclusive=False) for y, head in pairs]
        return np.concatenate(found, axis=1)


class Classes(Numbers):
    """One class for each row, ``(n,)``; or several targets of classes, ``(n, targets)``.

    Raises:
        ValueError: a target with less than two classes.
    """

    def __init__(self, owner: str, y: Array, classes: Any = None) -> None:
        super().__init__(owner, y)
        self.outputs = self.columns
        columns = y.reshape(len(y), -1).T if classes is None else classes
        if classes is not None and self.is_flat:
            columns = [classes]
        self.each = [np.unique(column) for column in columns]
        counts = [len(classes) for classes in self.each]
        if len(counts) != self.columns or min(counts) < 2:
            raise ValueError(
                f"{owner}: there must be at least two classes. Received: "
                + ", ".join("1 class" if n == 1 else f"{n} classes" for n in counts)
            )
        self.kind = "binary" if counts == [2] else "multiclass"
        if not self.is_flat:
            self.kind = "multiclass-multioutput"

    @property
    def classes(self) -> Any:
        """The classes in order; a list of them for several targets."""
        return self.each[0] if self.is_flat else self.each

    def check_classes(self, classes: Any) -> None:
        """Raises ValueError unless these are the classes known, or None."""
        given = [classes] if self.is_flat and classes is not None else classes
        check_classes(self.owner, given, self.each)

    def weights(self, class_weight: Any, encoded: Array, names: Sequence[str]) -> Any:
        """Returns the weights of classes as a model's ``fit`` takes them.

        Args:
            class_weight: "balanced" or a dictionary by class; for several targets a list of such.
            encoded: the targets of training.
            names: of the outputs.

        Raises:
            ValueError: something else, or unknown classes.
        """
        several = isinstance(class_weight, (list, tuple))
        given = list(class_weight) if several else [class_weight] * self.columns
        found = {}
        for name, one, classes, codes in zip(names, given, self.each, encoded.T, strict=True):
            values = compute_class_weight(one, classes=classes, y=classes[codes])
            found[name] = dict(enumerate(values))
        return found[names[0]] if self.is_flat else found

    def encode(self, y: Array) -> Array:
        columns = super().encode(y).T
        for column, classes in zip(columns, self.each, strict=True):
            unknown = np.setdiff1d(column, classes)
            if len(unknown):
                raise ValueError(
                    f"{self.owner}: all classes must be known when training begins: fit on them, "
                    "or name them in `classes` of the first partial_fit. "
                    f"Received: {unknown.tolist()} in y, known are {classes.tolist()}"
                )
        pairs = zip(self.each, columns, strict=True)
        return np.column_stack([np.searchsorted(classes, column) for classes, column in pairs])

    def wide(self, encoded: Array) -> Array:
        rows = [np.eye(len(classes))[encoded[:, k]] for k, classes in enumerate(self.each)]
        return np.concatenate(rows, axis=1)

    def loss(self, head: Head) -> Any:
        if head.columns == 1:
            return losses.BinaryCrossentropy(from_logits=head.is_linear)
        return losses.SparseCategoricalCrossentropy(from_logits=head.is_linear)

    def split(self, encoded: Array, heads: Sequence[Head]) -> list[Array]:
        counts, sizes = [len(classes) for classes in self.each], [head.columns for head in heads]
        pairs = list(zip(sizes, counts, strict=False))
        if len(sizes) != len(counts) or any(s != n and (s, n) != (1, 2) for s, n in pairs):
            raise ValueError(
                f"{self.owner}: the model must have {len(counts)} output(s) with one column per "
                f"class, {counts}, or a single column for two classes. "
                f"Received: outputs with {sizes} columns"
            )
        return [
            codes if head.takes_indices else np.eye(head.columns)[codes]
            for codes, head in zip(encoded.T, heads, strict=True)
        ]

    def decode(self, outputs: Sequence[Array], heads: Sequence[Head]) -> Array:
        found = []
        for y, head, classes in zip(outputs, heads, self.each, strict=True):
            codes = y[:, 0] > head.threshold if head.columns == 1 else y.argmax(axis=1)
            found.append(classes[codes.astype(np.intp)])
        return found[0] if self.is_flat else np.column_stack(found)

    def probabilities(self, outputs: Sequence[Array], heads: Sequence[Head]) -> Any:
        """The probability of each class, shape (n, classes); a list of them for several targets."""
        found = []
        for y, head in zip(outputs, heads, strict=True):
            p = head.probabilities(self.owner, y, exclusive=head.columns > 1)
            found.append(np.concatenate([1 - p, p], axis=1) if head.columns == 1 else p)
        return found[0] if self.is_flat else found


def check_classes(owner: str, given: Any, known: Sequence[Array]) -> None:
    """Raises ValueError unless the classes of each target, if given, are those known."""
    if given is not None and not all(map(np.array_equal, map(np.unique, given), known)):
        raise ValueError(
            f"{owner}: `classes` must be those of the first partial_fit, "
            f"{[classes.tolist() for classes in known]}. Received: classes={given!r}"
        )


def target_of_classes(y: Any) -> Array:
    """Returns targets of a classifier as an array.

    Raises:
        ValueError: numbers that are no classes.
    """
    check_classification_targets(y)
    if type_of_target(y) == "multilabel-indicator":
        return np.asarray(y.toarray() if issparse(y) else y).astype(np.int64)
    y = np.asarray(y)
    return np.asarray(column_or_1d(y, warn=True)) if y.ndim == 1 or y.shape[1] == 1 else y
