"""A few rows and what a model made of them, kept in its file to notice that it changed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn.saving import hdf5

Array = npt.NDArray[Any]

NAME = "pynn_probe"  # Keras reads only the groups it knows
_MOST_ELEMENTS = 1 << 16
_ROWS = 3
# Another processor adds in another order; a wrong weight shows by far more.
_TOLERANCE = {"float32": 1e-3, "float64": 1e-9}


def write(file: Any, model: Any) -> None:
    """Stores a probe of a model; none if its inputs are too large, unknown or refused."""
    rows = _rows(model)
    outputs = None if rows is None else _outputs(model, rows)
    if rows is None or outputs is None:
        return
    holder = file.create_group(NAME)
    for kind, arrays in (("inputs", rows), ("outputs", outputs)):
        hdf5.write_arrays(holder.create_group(kind), {str(i): a for i, a in enumerate(arrays)})


def check(file: Any, model: Any) -> None:
    """Compares a loaded model with the probe in its file, if there is one.

    Raises:
        ValueError: the model computes something else than the one that was saved.
    """
    holder = hdf5.group(file, NAME)
    if holder is None:
        return
    rows, expected = (_arrays(holder, kind) for kind in ("inputs", "outputs"))
    outputs = _predict(model, rows)
    if outputs is None or len(outputs) != len(expected):
        raise ValueError(_message(model, "it does not take the rows stored with it"))
    for y, wanted in zip(outputs, expected, strict=True):
        if y.shape != wanted.shape:
            raise ValueError(_message(model, f"shape {y.shape} instead of {wanted.shape}"))
        tolerance = _TOLERANCE.get(y.dtype.name, 1e-3)
        size = float(np.max(np.abs(wanted[np.isfinite(wanted)]), initial=1.0))
        if not np.allclose(y, wanted, rtol=tolerance, atol=tolerance * size, equal_nan=True):
            worst = float(np.nanmax(np.abs(y - wanted)))
            raise ValueError(_message(model, f"they differ by up to {worst:.3g}"))


def _arrays(holder: Any, kind: str) -> list[Array]:
    found = hdf5.group(holder, kind)
    return [] if found is None else [hdf5.array(found, str(i)) for i in range(len(found))]


def _rows(model: Any) -> list[Array] | None:
    """Rows for a model's inputs: small whole numbers where those are asked for."""
    try:
        symbols = model.inputs
    except (ValueError, AttributeError):
        return None
    rows: list[Array] = []
    generator = np.random.default_rng(0)
    for symbol in symbols:
        shape = symbol.shape[1:]
        if None in shape or _ROWS * math.prod(shape) > _MOST_ELEMENTS:
            return None
        if np.dtype(symbol.dtype).kind == "f":
            rows.append(generator.uniform(-1, 1, (_ROWS, *shape)).astype(symbol.dtype))
        else:
            rows.append(generator.integers(0, 2, (_ROWS, *shape)).astype(symbol.dtype))
    return rows


def _outputs(model: Any, rows: list[Array]) -> list[Array] | None:
    """The model's outputs in a row; None if it refuses the rows or does not repeat itself."""
    first = _predict(model, rows)
    if first is None:
        rows[:] = [np.zeros_like(row) for row in rows]  # whole numbers kept in floats, say
        first = _predict(model, rows)
    again = None if first is None else _predict(model, rows)
    if first is None or again is None:
        return None
    same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, again, strict=True))
    return first if same else None


def _predict(model: Any, rows: list[Array]) -> list[Array] | None:
    try:
        y = model.predict(_like(model.input, rows), verbose=0)
    except (ValueError, TypeError, IndexError):
        return None
    parts = [y[key] for key in sorted(y)] if isinstance(y, dict) else y
    return [np.asarray(part) for part in parts] if isinstance(parts, (list, tuple)) else [parts]


def _like(structure: Any, rows: list[Array]) -> Any:
    if isinstance(structure, dict):
        return dict(zip(sorted(structure), rows, strict=True))
    return list(rows) if isinstance(structure, (list, tuple)) else rows[0]


def _message(model: Any, what: str) -> str:
    return (
        f"{model.name}: the loaded model does not compute what it computed when it was saved: "
        f"{what}. A class in custom_objects may have changed, or the file. To use the weights "
        "all the same, make the model yourself and call model.load_weights(filepath)."
    )
