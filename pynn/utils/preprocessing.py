"""Labels, rows and sequences made ready for training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn.config import floatx
from pynn.utils.arrays import Array
from pynn.utils.checks import is_integer, positive_integer
from pynn.utils.random import check_seed, draw_seed


def to_categorical(x: npt.ArrayLike, num_classes: int | None = None) -> Array:
    """Turns class indices into rows with a single one.

    Args:
        x: integers in [0, num_classes), shape ``(...)`` or ``(..., 1)``.
        num_classes: number of columns; by default the largest index plus one.

    Returns:
        Array of the default float type, shape ``(..., num_classes)``.

    Raises:
        ValueError: an index is not an integer or lies outside the range.

    Example:
        >>> to_categorical([0, 2, 1], num_classes=3).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    given = np.asarray(x)
    if given.dtype.kind not in "iufb" or (
        given.dtype.kind == "f" and not np.array_equal(given, np.trunc(given))
    ):
        raise ValueError(
            f"to_categorical: class indices must be integers. Received: x of dtype {given.dtype}"
        )
    labels = given.astype(np.int64)
    shape = labels.shape
    if len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    labels = labels.reshape(-1)
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, -1)
    count = high + 1
    if num_classes is not None:
        count = positive_integer("to_categorical", "num_classes", num_classes)
    if low < 0 or high >= count:
        raise ValueError(
            f"to_categorical: class indices must lie in [0, {count}). "
            f"Received: values between {low} and {high}"
        )
    one_hot = np.zeros((labels.size, count), dtype=floatx())
    one_hot[np.arange(labels.size), labels] = 1
    return one_hot.reshape(*shape, count)


def normalize(x: npt.ArrayLike, axis: int = -1, order: float = 2) -> Array:
    """Scales vectors to unit norm; a vector of zeros stays as it is.

    Formula: ``x / ||x||`` with the norm of this order along the axis.

    Args:
        x: array of numbers; whole numbers become the default float type.
        axis: the axis the vectors lie along.
        order: of the norm: 1, 2, ..., ``numpy.inf``.

    Example:
        >>> normalize([[1.0, 3.0], [0.0, 0.0]], order=1).tolist()
        [[0.25, 0.75], [0.0, 0.0]]
    """
    values = np.atleast_1d(np.asarray(x))
    if values.dtype.kind != "f" or not isinstance(x, np.ndarray):
        values = values.astype(floatx())
    norm = np.linalg.norm(values, order, axis=axis, keepdims=True)
    return np.asarray(values / np.where(norm == 0, 1, norm), values.dtype)


def pad_sequences(
    sequences: Iterable[Sequence[Any]],
    maxlen: int | None = None,
    dtype: str = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float = 0.0,
) -> Array:
    """Makes sequences of different lengths into one array.

    Args:
        sequences: the sequences; steps may be numbers or arrays of one shape.
        maxlen: length of all; by default that of the longest.
        dtype: type of the result.
        padding: where short ones are filled up, ``"pre"`` or ``"post"``.
        truncating: where long ones are cut, ``"pre"`` or ``"post"``.
        value: what they are filled with.

    Returns:
        Array of shape ``(sequences, maxlen, ...)``.

    Raises:
        ValueError: another word for ``padding`` or ``truncating``, or steps of different shapes.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2).tolist()
        [[0, 1], [2, 3], [5, 6]]
    """
    for name, word in (("padding", padding), ("truncating", truncating)):
        if word not in ("pre", "post"):
            raise ValueError(
                f"pad_sequences: `{name}` must be 'pre' or 'post'. Received: {name}={word!r}"
            )
    rows = [np.asarray(row) for row in sequences]
    length = max(map(len, rows), default=0) if maxlen is None else int(maxlen)
    shapes = {row.shape[1:] for row in rows if len(row)}
    if len(shapes) > 1:
        raise ValueError(
            f"pad_sequences: all steps must have one shape. Received: {sorted(shapes)}"
        )
    out = np.full((len(rows), length, *(shapes.pop() if shapes else ())), value, dtype)
    for target, row in zip(out, rows, strict=True):
        kept = row[max(0, len(row) - length) :] if truncating == "pre" else row[:length]
        if len(kept):
            target[slice(-len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    return out


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Any, Any]:
    """Cuts the rows of arrays into a left and a right part.

    Args:
        dataset: an array, or a tuple or list of arrays with the same number of rows.
        left_size: rows of the left part: a share in [0, 1] or a number of rows; by default what
            ``right_size`` leaves.
        right_size: likewise for the right part.
        shuffle: take the rows in random order.
        seed: of that order.

    Returns:
        The two parts, each an array or a tuple or list of arrays like ``dataset``.

    Raises:
        ValueError: no size, sizes that are more than there is, or arrays of different lengths.

    Example:
        >>> left, right = split_dataset(np.arange(10), left_size=0.8)
        >>> left.tolist(), right.tolist()
        ([0, 1, 2, 3, 4, 5, 6, 7], [8, 9])
    """
    arrays = [np.asarray(a) for a in dataset] if isinstance(dataset, (list, tuple)) else None
    parts = [np.asarray(dataset)] if arrays is None else arrays
    if len({len(part) for part in parts}) != 1:
        raise ValueError(
            "split_dataset: all arrays need the same number of rows. "
            f"Received: {[len(part) for part in parts]}"
        )
    rows = len(parts[0])
    left, right = _sizes(rows, left_size, right_size)
    order = np.arange(rows)
    if shuffle:
        chosen = check_seed("split_dataset", seed)
        np.random.default_rng(draw_seed() if chosen is None else chosen).shuffle(order)

    def take(indices: Array) -> Any:
        taken = [part[indices] for part in parts]
        return taken[0] if arrays is None else type(dataset)(taken)

    return take(order[:left]), take(order[rows - right :])


def _sizes(rows: int, left: float | None, right: float | None) -> tuple[int, int]:
    if left is None and right is None:
        raise ValueError("split_dataset: `left_size` or `right_size` must be given.")

    def count(name: str, size: float | None) -> int | None:
        if size is None:
            return None
        whole = is_integer(size)
        if not 0 <= size <= (rows if whole else 1):
            raise ValueError(
                f"split_dataset: `{name}` must be a share in [0, 1] or a number of rows up to "
                f"{rows}. Received: {name}={size!r}"
            )
        return int(size) if whole else round(size * rows)

    n_left, n_right = count("left_size", left), count("right_size", right)
    n_left = rows - (n_right or 0) if n_left is None else n_left
    n_right = rows - n_left if n_right is None else n_right
    if n_left + n_right > rows:
        raise ValueError(
            f"split_dataset: the parts together must not exceed {rows} rows. "
            f"Received: left_size={left!r}, right_size={right!r}"
        )
    return n_left, n_right


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Puts inputs, targets and weights into the tuple that a data set yields.

    Example:
        >>> pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Takes such a tuple apart; what is missing is None.

    Raises:
        ValueError: more than three elements.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "unpack_x_y_sample_weight: expected x, (x, y) or (x, y, sample_weight). "
            f"Received: {len(data)} elements"
        )
    x, y, weight = (*data, None, None)[:3]
    return x, y, weight
