"""What estimators read: samples, checked, with categories as numbers.

The engine reads an array of numbers. Whatever else an estimator accepts (data frames, categories,
missing values) is turned into one here, in the same way for ``fit`` and for prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.utils import _safe_indexing, check_array, check_X_y
from sklearn.utils.validation import validate_data

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

# Parameters that put layers between the samples and the first hidden one, and their defaults.
PREPARING = {
    "standardize": False,
    "missing": "error",
    "categorical_features": None,
    "monotonic_cst": None,
}


def prepared(estimator: Any) -> list[str]:
    """The parameters of ``PREPARING`` that an estimator sets."""
    return [
        name
        for name, default in PREPARING.items()
        if not _equals(getattr(estimator, name), default)
    ]


def _equals(value: Any, default: Any) -> bool:
    return value is default or (isinstance(value, (str, bool, np.bool_)) and value == default)


_NO_TARGETS = "no_validation"  # scikit-learn's word


def check(estimator: Any, X: Any, y: Any = _NO_TARGETS, reset: bool = False, **options: Any) -> Any:
    """Returns samples as an array of numbers, and targets if there are any.

    Args:
        estimator: ``n_features_in_`` and the like are set if ``reset``, and checked if not.
        X: samples.
        y: targets, if there are to be any.
        reset: whether this is the first fit: categories are learned from it.
        options: of scikit-learn's ``check_X_y``.

    Raises:
        ValueError: samples, or targets, that do not fit.
        TypeError: sparse samples where a parameter needs others.
    """
    _check_dense(estimator, X)
    if estimator.missing == "indicator":
        options["ensure_all_finite"] = "allow-nan"
    if reset:
        estimator._categories = _learn(estimator, X)
    if estimator._categories is not None:
        validate_data(estimator, X, y, reset=reset, skip_check_array=True)  # names of the features
        X = estimator._categories.encode(X, dtype=estimator._floats())
        options["dtype"] = None  # it is one of them now
        if isinstance(y, str) and y == _NO_TARGETS:
            return check_array(X, estimator=estimator, **options)
        return check_X_y(X, y, estimator=estimator, **options)
    return validate_data(estimator, X, y, reset=reset, accept_sparse=["csr", "csc"], **options)


def _check_dense(estimator: Any, X: Any) -> None:
    if issparse(X) and prepared(estimator):
        raise TypeError(
            "Sparse data was passed, but "
            f"{' and '.join(prepared(estimator))} need dense data, e.g. X.toarray(); sparse data "
            "can be scaled by sklearn.preprocessing.MaxAbsScaler in front of the estimator. "
            f"Received: X of type {type(X).__name__}"
        )


class Categories:
    """The categorical columns of an input, and the values that were seen in them.

    Args:
        X: the samples of the first fit, an array or a data frame.
        mask: which columns are categorical.

    Attributes:
        columns: their places.
        numeric: the places of the others.
        sizes: how many values each has; the number after the last one stands for those that are
            missing, or were not seen then.
    """

    def __init__(self, X: Any, mask: Mask) -> None:
        self.columns, self.numeric = np.flatnonzero(mask).tolist(), np.flatnonzero(~mask).tolist()
        seen = ({v for v in _values(X, column) if not _is_missing(v)} for column in self.columns)
        self._codes = [{v: code for code, v in enumerate(sorted(s, key=_rank))} for s in seen]
        self.sizes = [len(codes) for codes in self._codes]

    def encode(self, X: Any, dtype: Any) -> Array:
        """Samples with numbers in place of categories; the order of the columns stays.

        Args:
            X: checked for its number of columns.
            dtype: the types allowed, the first being that of others.
        """
        found = [
            [codes.get(value, len(codes)) for value in _values(X, column)]
            for column, codes in zip(self.columns, self._codes, strict=True)
        ]
        kinds = list(dtype) if isinstance(dtype, tuple) else [dtype]
        if not self.numeric:
            return np.array(found, kinds[0]).T
        numbers = _select(X, self.numeric)
        if not isinstance(numbers, np.ndarray):
            numbers = check_array(numbers, dtype=kinds, ensure_all_finite=False)
        elif numbers.dtype not in kinds:
            numbers = numbers.astype(kinds[0])
        encoded = np.empty((len(numbers), len(found) + len(self.numeric)), numbers.dtype)
        encoded[:, self.columns], encoded[:, self.numeric] = np.transpose(found), numbers
        return encoded


def _values(X: Any, column: int) -> list[Any]:
    """A column as objects of Python: 1 and 1.0 are one category then."""
    found: list[Any] = np.asarray(_select(X, column), object).tolist()
    return found


def _select(X: Any, columns: Any) -> Any:
    """Some columns of an array, of lists of rows or of a data frame."""
    if not hasattr(X, "shape"):
        X = np.array(X, dtype=object)
    return X[:, columns] if isinstance(X, np.ndarray) else _safe_indexing(X, columns, axis=1)


def _is_missing(value: Any) -> bool:
    """Whether it is None, NaN, or pandas's NA, which is equal to nothing, not even to itself."""
    return value is None or (value == value) is not True


def _rank(value: Any) -> tuple[str, Any]:
    """Sorts values of different types by type."""
    return "" if isinstance(value, (int, float)) else type(value).__name__, value


def _learn(estimator: Any, X: Any) -> Categories | None:
    """The categories of the samples of the first fit; None if no column is categorical."""
    mask = categorical_mask(X, estimator.categorical_features)
    return None if mask is None else Categories(X, mask)


def categorical_mask(X: Any, features: Any) -> Mask | None:
    """Which columns of ``X`` are categorical, as scikit-learn's gradient boosting reads it.

    Args:
        X: samples.
        features: None; ``"from_dtype"``; or a mask, places or names of columns.

    Returns:
        The mask, None if it would be empty.

    Raises:
        ValueError: not a mask of the columns, or there is no such column.
    """
    if features is None:
        return None
    frame = _as_frame(X)
    if frame is None and (isinstance(features, str) or np.ndim(X) != 2):
        return None  # nothing says what is categorical; or X is no table, and refused for it
    names = None if frame is None else list(frame.columns)
    width = np.shape(X)[1] if names is None else len(names)
    if isinstance(features, str):  # "from_dtype"
        import narwhals

        kinds = (narwhals.Categorical, narwhals.Enum)
        mask = np.array([kind in kinds for kind in frame.schema.dtypes()], bool)
    else:
        mask = _marked(np.asarray(features), names, width)
    return mask if mask.any() else None


def _marked(features: Array, names: Sequence[str] | None, width: int) -> Mask:
    """The mask that a mask, places or names describe."""
    if not features.size:
        return np.zeros(width, bool)
    kinds = {type(feature) for feature in features.tolist()}
    if features.dtype.kind not in "biUO" or (features.dtype.kind == "O" and kinds != {str}):
        found = sorted(kind.__name__ for kind in kinds)
        received = ", ".join(found) if features.dtype.kind == "O" else features.dtype.name
        raise ValueError(
            f"categorical_features must be an array-like of bool, int or str, got: {received}."
        )
    if features.dtype.kind == "b":
        if features.shape != (width,):
            raise ValueError(
                "categorical_features set as a boolean mask must have shape (n_features,), got: "
                f"{features.shape}"
            )
        return features
    if features.dtype.kind == "i":
        if features.min() < 0 or features.max() >= width:
            raise ValueError(
                "categorical_features set as integer indices must be in [0, n_features - 1]"
            )
        places = features
    else:
        places = np.array([_place(feature, names) for feature in features.tolist()])
    mask = np.zeros(width, bool)
    mask[places] = True
    return mask


def _place(feature: str, names: Sequence[str] | None) -> int:
    if names is None:
        raise ValueError(
            "categorical_features should be passed as an array of integers or as a boolean mask "
            "when the model is fitted on data without feature names."
        )
    if feature not in names:
        raise ValueError(
            f"categorical_features has an item value '{feature}' which is not a valid feature name "
            f"of the training data. Observed feature names: {list(names)}"
        )
    return names.index(feature)


def _as_frame(X: Any) -> Any:
    """A data frame of any library as one of narwhals; None if it is something else.

    Raises:
        ImportError: narwhals is not installed; it comes with scikit-learn 1.9.
    """
    if not hasattr(X, "columns"):
        return None
    try:
        import narwhals
    except ImportError as error:
        raise ImportError(
            "categorical_features of a data frame need narwhals: pip install narwhals."
        ) from error
    frame = narwhals.from_native(X, eager_only=True, pass_through=True)
    return frame if isinstance(frame, narwhals.DataFrame) else None


def monotonic_signs(estimator: Any) -> npt.NDArray[np.int8]:
    """The direction in which the prediction follows each feature: -1, 0 or 1.

    Raises:
        ValueError: ``monotonic_cst`` does not fit the features.
    """
    given, width = estimator.monotonic_cst, estimator.n_features_in_
    if given is None:
        return np.zeros(width, np.int8)
    if not isinstance(given, dict):
        unexpected = np.setdiff1d(given, [-1, 0, 1])
        if len(unexpected):
            raise ValueError(
                "monotonic_cst must be an array-like of -1, 0 or 1. Observed values: "
                f"{unexpected.tolist()}."
            )
        signs = np.asarray(given, np.int8)
        if signs.shape != (width,):
            raise ValueError(
                f"monotonic_cst has shape {signs.shape} but the input data X has {width} features."
            )
        return signs
    if not hasattr(estimator, "feature_names_in_"):
        raise ValueError(
            f"{type(estimator).__name__} was not fitted on data with feature names. Pass "
            "monotonic_cst as an integer array instead."
        )
    names = list(estimator.feature_names_in_)
    unknown = sorted(set(given) - set(names))
    if unknown:
        shown = unknown if len(unknown) <= 5 else [*unknown[:5], "..."]
        raise ValueError(
            f"monotonic_cst contains {len(unknown)} unexpected feature names: {shown}."
        )
    for name, sign in given.items():
        if sign not in (-1, 0, 1):
            raise ValueError(f"monotonic_cst['{name}'] must be either -1, 0 or 1. Got {sign!r}.")
    return np.array([given.get(name, 0) for name in names], np.int8)


def class_numbers(classes: Array, y: Array) -> npt.NDArray[np.int32]:
    """The place of each label among the sorted classes, -1 for one that is none of them."""
    if np.can_cast(classes.dtype, np.int64) and np.can_cast(y.dtype, np.int64):
        lowest = int(classes[0])
        spread = int(classes[-1]) - lowest
        if spread < 1 << 16:  # a table is several times as fast as a search
            table = np.full(spread + 2, -1, np.int32)
            table[classes.astype(np.int64) - lowest] = np.arange(len(classes))
            # Labels below the lowest class become the largest numbers.
            at = (y.astype(np.int64) - lowest).view(np.uint64)
            return table[np.minimum(at, spread + 1).view(np.int64)]
    found = np.searchsorted(classes, y).astype(np.int32)
    found[classes.take(found, mode="clip") != y] = -1
    return found


def are_numbers_of(classes: Array, y: Array) -> bool:
    """Whether labels are whole numbers and all of them classes: a quick look."""
    whole = np.can_cast(classes.dtype, np.int64) and np.can_cast(y.dtype, np.int64)
    return whole and y.ndim == 1 and bool((class_numbers(classes, y) >= 0).all())
