"""Checks of what users pass to fit, evaluate and predict.

Nothing is converted whole: an array keeps its type and strides, the engine casts batch by batch.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import config
from pynn._graph.structure import flatten
from pynn.utils.arrays import as_array, as_samples, is_memory_map
from pynn.utils.checks import is_integer
from pynn.utils.sparse import SparseRows, is_sparse, sparse_rows

Array = npt.NDArray[Any]
Shape = tuple[int, ...]


# What Keras lets a subclass of Model replace; the engine runs these steps as a whole.
OWN_STEPS = (
    *("train_step", "test_step", "predict_step"),
    *("make_train_function", "make_test_function", "make_predict_function"),
    *("compute_loss", "compute_metrics"),
)


class SortedTargetsWarning(UserWarning):
    """The rows kept for validation seem to be of other classes than the rows trained on."""


def check_own_steps(model: type) -> None:
    """Refuses a model that would train in a way of its own.

    Raises:
        NotImplementedError: its class defines a step that the engine would not call.
    """
    for cls in model.__mro__:
        for name in OWN_STEPS:
            if name in vars(cls):
                raise NotImplementedError(
                    f"{cls.__name__}.{name} would not be called: pynn's engine runs the whole "
                    "step of training. Use add_loss in `call`, a Loss or Metric of your own, or "
                    "a loop over train_on_batch or model.gradients. "
                    f"Received: a class that defines {name}"
                )


def refuse_sparse(name: str, x: Any) -> None:
    """Raises ValueError for a sparse matrix, where no input is declared to be sparse."""
    if is_sparse(x):
        raise ValueError(
            f"`{name}` is a sparse matrix: begin the model with Input(shape={x.shape[1:]}, "
            f"sparse=True), or pass {name}.toarray(). Received: {name}.shape={x.shape}"
        )


def samples(name: str, value: Any, sample_shape: Shape | None, sparse: bool = False) -> Any:
    """Returns an array, or compressed rows, whose first axis counts samples of the given shape.

    ``(n,)`` is taken as ``(n, 1)`` where a sample is one number.

    Args:
        name: for messages.
        value: what the user gave.
        sample_shape: of one sample; None for any.
        sparse: whether compressed rows are wanted, of arrays, too.

    Raises:
        ValueError: another shape, or a sparse matrix where an array is wanted.
    """
    if sparse:
        return sparse_rows(name, _fitting(name, as_samples(name, value), sample_shape))
    refuse_sparse(name, value)
    return _fitting(name, as_array(name, value), sample_shape)


def _fitting(name: str, x: Any, sample_shape: Shape | None) -> Any:
    if x.ndim == 0:
        raise ValueError(f"`{name}` must be an array of samples. Received: {name}={x!r}")
    if sample_shape is None:
        return x[:, np.newaxis] if x.ndim == 1 else x
    if x.shape[1:] == sample_shape:
        return x
    if sample_shape == (1,) and x.ndim == 1:
        return x[:, np.newaxis]
    if x.ndim == len(sample_shape) + 2 and x.shape[1:] == (*sample_shape, 1):
        return x[..., 0]
    hint = ""
    if x.shape == sample_shape:
        hint = f" For a single sample pass {name}[np.newaxis]."
    whole = f"{('n', *sample_shape)!r}".replace("'n'", "n")
    raise ValueError(
        f"`{name}` must be an array of samples of shape {sample_shape}, {whole} in all.{hint} "
        f"Received: {name}.shape={x.shape}"
    )


def targets(name: str, value: Any, output_shape: Shape, loss: Any) -> Array:
    """Returns targets whose shape fits the output's.

    Args:
        name: for messages.
        value: what the user gave.
        output_shape: of one sample of the model's output.
        loss: of this output, or None. Where targets are class indices, the output has one column
            per class; a loss of the user's own may take any targets.

    Raises:
        ValueError: another shape.
    """
    y = as_array(name, value)
    if y.ndim == 0:
        raise ValueError(f"`{name}` must be an array of targets. Received: {name}={value!r}")
    if loss is None or loss.row is None:
        return y[..., np.newaxis] if (*y.shape[1:], 1) == output_shape else y
    sparse, loss_name = loss.sparse, loss.name
    expected = output_shape[:-1] if sparse else output_shape
    if sparse and y.shape[1:] == (*expected, 1):
        y = y[..., 0]
    elif not sparse and y.ndim == len(output_shape) and (*y.shape[1:], 1) == output_shape:
        y = y[..., np.newaxis]
    if y.shape[1:] != expected:
        hint = ""
        if not sparse and y.ndim == len(output_shape) and y.dtype.kind in "iu":
            hint = (
                " For class indices use the loss 'sparse_categorical_crossentropy', "
                "or pynn.utils.to_categorical(y)."
            )
        if sparse and y.shape[1:] == output_shape:
            hint = " For rows with one column per class use the loss 'categorical_crossentropy'."
        raise ValueError(
            f"`{name}` must have the shape {('n', *expected)!r} for a model with outputs "
            f"{('n', *output_shape)!r} and the loss {loss_name}.{hint} "
            f"Received: {name}.shape={y.shape}".replace("'n'", "n")
        )
    return y


def sample_weights(value: Any, rows: int, steps: Shape = ()) -> Array | None:
    """Returns one weight per row, or one for each step of a row where the output is a sequence.

    Args:
        value: what the user gave.
        rows: how many there are.
        steps: the axes of one sample of the output but the last.

    Raises:
        ValueError: another shape, negative weights or NaN.
    """
    if value is None:
        return None
    weight = as_array("sample_weight", value)
    if weight.shape == (rows, 1):
        weight = weight[:, 0]
    if weight.shape not in ((rows,), (rows, *steps)):
        or_steps = f", or one per step, shape {(rows, *steps)}" if steps else ""
        raise ValueError(
            f"`sample_weight` must have one number per row, shape ({rows},){or_steps}. "
            f"Received: sample_weight.shape={weight.shape}"
        )
    if weight.size and not (weight.min() >= 0 and math.isfinite(weight.max())):
        raise ValueError("`sample_weight` must be finite and not negative.")
    return weight


def class_weights(value: Mapping[Any, float], y: Array, sparse: bool) -> Array:
    """Returns the weight of each row's class; classes that are not listed weigh 1.

    Raises:
        ValueError: targets that are not class indices or one-hot rows; weights that are negative,
            not finite or no numbers.
        TypeError: not a dictionary.
    """
    if not isinstance(value, Mapping):
        raise TypeError(
            "`class_weight` must be a dictionary from class index to weight. "
            f"Received: class_weight={value!r}"
        )
    if y.ndim > 1 and y.shape[1] > 1 and not sparse:
        index = y.argmax(axis=1)
    else:
        index = y.reshape(len(y), -1)[:, 0]
    if y.ndim > 2 or (sparse and y.ndim > 1) or (index != np.trunc(index)).any():
        raise ValueError(
            "`class_weight` needs targets that are class indices or one-hot rows. "
            f"Received: y.shape={y.shape}, dtype {y.dtype}"
        )
    weight = np.ones(len(y), dtype=np.float32)
    for label, w in value.items():
        is_number = isinstance(w, (int, float, np.number)) and not isinstance(w, bool)
        if not is_number or not (w >= 0 and math.isfinite(w)):
            raise ValueError(
                "`class_weight` must hold finite numbers that are not negative. "
                f"Received: {w!r} for class {label!r}"
            )
        weight[index == label] = w
    return weight


def check_all_finite(**arrays: Sequence[Array | SparseRows | None]) -> None:
    """Raises ValueError where one of the arrays contains NaN or infinity."""
    for name, parts in arrays.items():
        for array in parts:
            if array is not None:
                check_finite(name, array)


def check_finite(name: str, array: Array | SparseRows) -> None:
    """Raises ValueError where an array contains NaN or infinity (memory maps are not read).

    Nothing is copied whole.
    """
    if isinstance(array, SparseRows):
        _check_finite(name, array.data, array.row_of)
    else:
        _check_finite(name, array, int)


def _check_finite(name: str, array: Array, row_of: Callable[[int], int]) -> None:
    if array.dtype.kind != "f" or array.size == 0 or is_memory_map(array):
        return
    if array.dtype in (np.float32, np.float64) and array.flags.forc:
        from pynn import _core

        if _core.all_finite(array.ravel(order="K"), config.n_threads()):
            return
    step = max(1, 200_000 * len(array) // array.size)  # pieces that stay in the cache
    for start in range(0, len(array), step):
        part = array[start : start + step]
        if not (math.isfinite(part.min()) and math.isfinite(part.max())):
            bad = ~np.isfinite(part).reshape(len(part), -1).all(axis=1)
            raise ValueError(
                f"`{name}` must consist of finite numbers. "
                f"Received: NaN or infinity in row {row_of(start + int(bad.argmax()))}"
            )


def warn_if_sorted(y: Array) -> None:
    flat = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if flat.ndim == 2:  # one-hot rows
        flat = flat.argmax(axis=1)
    if flat.ndim != 1 or len(flat) < 10:
        return
    ascending = bool((flat[1:] >= flat[:-1]).all())
    descending = bool((flat[1:] <= flat[:-1]).all())
    if (ascending or descending) and flat[0] != flat[-1]:
        warnings.warn(
            "`y` looks sorted, and validation_split keeps the last rows for validation: they are "
            "of other classes or sizes than the rows trained on. Shuffle x and y first.",
            SortedTargetsWarning,
            stacklevel=5,
        )


def some_rows(x: Any) -> None:
    """Raises ValueError where there are no samples, or single numbers in place of them."""
    for array in flatten(x):
        if array.ndim == 0:
            raise ValueError(f"`x` must be an array of samples. Received: x={array!r}")


def only_with_arrays(**given: Any) -> None:
    """Raises ValueError for an argument that a source of batches leaves no room for."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"`{name}` is for arrays: a source of batches hands out (x, y, sample_weight) in "
                f"batches of its own size. Received: {name}={value!r}"
            )


def same_rows(**arrays: Array | SparseRows | None) -> None:
    """Raises ValueError unless all arrays have the same number of rows."""
    lengths = {name: len(array) for name, array in arrays.items() if array is not None}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            "All arrays must have the same number of rows. Received: "
            + ", ".join(f"len({name})={n}" for name, n in lengths.items())
        )
    if 0 in lengths.values():
        raise ValueError("There must be at least one row. Received: len(x)=0")


def whole(name: str, value: Any, least: int = 1) -> int:
    """Returns ``value`` as an int.

    Raises:
        ValueError: it is not an integer, or less than ``least``.
    """
    if not is_integer(value) or value < least:
        raise ValueError(f"`{name}` must be an integer >= {least}. Received: {name}={value!r}")
    return int(value)


def check_part(name: str, value: Any) -> None:
    """Raises ValueError unless ``value`` is a number in [0, 1)."""
    if not isinstance(value, (int, float, np.number)) or not 0 <= value < 1:
        raise ValueError(f"`{name}` must be a number in [0, 1). Received: {name}={value!r}")


def evaluation_epochs(value: Any) -> int | list[int]:
    """Returns ``validation_freq``: every so many epochs, or a list of epochs counted from 1.

    Raises:
        ValueError: something else.
    """
    if isinstance(value, (list, tuple, set, range, np.ndarray)):
        return [whole("validation_freq", epoch) for epoch in value]
    return whole("validation_freq", value)


def verbosity(verbose: Any) -> int:
    """Returns 0, 1 or 2.

    Raises:
        ValueError: another value.
    """
    if verbose == "auto":
        return 1
    if verbose not in (0, 1, 2):
        raise ValueError(f"`verbose` must be 0, 1, 2 or 'auto'. Received: verbose={verbose!r}")
    return int(verbose)
