"""California housing: 20,640 census block groups of 1990 and their median house value."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pynn.datasets import _files

Floats: TypeAlias = npt.NDArray[np.float32]

_FOLDER, _NAME = "california-housing", "california.npz"
_ROWS, _COLUMNS, _SMALL = 20_640, 8, 600

FEATURE_NAMES = (
    "MedInc",
    "HouseAge",
    "AveRooms",
    "AveBedrms",
    "Population",
    "AveOccup",
    "Latitude",
    "Longitude",
)


def load_data(
    version: str = "large",
    path: str | os.PathLike[str] | None = "california_housing.npz",
    test_split: float = 0.2,
    seed: int | None = 113,
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Loads the California housing regression data.

    The file holds the block groups in geographic order, so the rows are shuffled by
    `seed` before they are split; the same seed gives Keras's order. The file is looked for
    at ``california-housing/california.npz`` in ``$PYNN_HOME`` and ``~/.pynn/datasets``,
    else made in the latter from what scikit-learn's `fetch_california_housing` downloads.

    Args:
        version: ``"large"`` for all 20,640 rows, ``"small"`` for the first 600.
        path: an ``.npz`` file with the arrays ``X`` and ``y``. None, or a bare file name that
            does not exist, means the standard places.
        test_split: the share of rows for testing, above 0 and below 1.
        seed: seed of the shuffle.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, float32. The eight columns of x are
        those of scikit-learn (`FEATURE_NAMES`), unscaled; y is the median house value in
        100,000 dollars.

    Raises:
        ConnectionError: the file is not on this machine and cannot be downloaded.
        ImportError: it would have to be downloaded and scikit-learn is not installed.
        FileNotFoundError: `path` does not exist.
        ValueError: `version` or `test_split` is unknown or out of range, or the file is
            damaged.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
        >>> x_train.shape, x_test.shape  # doctest: +SKIP
        ((16512, 8), (4128, 8))

    References:
        - Pace, Barry, Sparse spatial autoregressions, Statistics & Probability Letters 33
          (1997), doi:10.1016/S0167-7152(96)00140-X
    """
    if version not in ("large", "small"):
        raise ValueError(f'version must be "large" or "small". Received: version={version!r}')
    if not 0.0 < test_split < 1.0:
        raise ValueError(f"test_split must be between 0 and 1. Received: test_split={test_split!r}")
    place = _files.resolve(path) or _files.find(_FOLDER, _NAME) or _download()
    x, y = _read(place)
    if version == "small":
        x, y = x[:_SMALL], y[:_SMALL]
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    train, test = np.split(order, [int(len(x) * (1 - test_split))])
    return (x[train], y[train]), (x[test], y[test])


def _read(path: Path) -> tuple[Floats, Floats]:
    x, y = _files.read_npz(path, ("X", "y"))
    if x.ndim != 2 or x.shape[1] != _COLUMNS or y.shape != x.shape[:1] or x.dtype.kind != "f":
        raise ValueError(
            f"Broken data set file {str(path)!r}: expected X of shape (rows, {_COLUMNS}) and y of "
            f"shape (rows,). Received: X.shape={x.shape}, y.shape={y.shape}, X.dtype={x.dtype}"
        )
    return x.astype(np.float32, copy=False), y.astype(np.float32, copy=False)


def _download() -> Path:
    """Makes the file from scikit-learn's download, which checks the archive's sum itself."""
    try:
        from sklearn.datasets import fetch_california_housing
    except ImportError as error:
        raise ImportError(
            f"{_FOLDER}/{_NAME} is not on this machine and is downloaded by scikit-learn, which is "
            "not installed: pip install scikit-learn, or set PYNN_HOME to a folder that holds it."
        ) from error

    target = _files.cache() / _FOLDER / _NAME
    try:
        x, y = fetch_california_housing(return_X_y=True)
    except OSError as error:
        failure = f"sklearn.datasets.fetch_california_housing ({error})"
        name = f"{_FOLDER}/{_NAME}"
        raise ConnectionError(_files.offline_message(name, [failure])) from error
    if x.shape != (_ROWS, _COLUMNS):
        raise ValueError(f"scikit-learn returned another table. Received: x.shape={x.shape}")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{uuid.uuid4().hex}.npz")
    try:
        np.savez_compressed(part, X=x.astype(np.float32), y=y.astype(np.float32))
        os.replace(part, target)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return target
