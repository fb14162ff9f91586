"""The golden cases by name, and the files that hold what real Keras computed for them.

A name begins with the public name the case is about (``losses.Huber/delta`` is about
``losses.Huber``); the word before the first dot is the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from golden import (
    activations,
    callbacks,
    layers,
    losses,
    merging,
    metrics,
    models,
    more_ops,
    ops,
    optimizers,
    penalties,
    training,
)
from golden.runs import Array, Cases

FOLDER = Path(__file__).resolve().parent / "golden"

CASES: Cases = {
    **layers.CASES,
    **merging.CASES,
    **models.CASES,
    **training.CASES,
    **callbacks.CASES,
    **activations.CASES,
    **losses.CASES,
    **metrics.CASES,
    **optimizers.CASES,
    **penalties.CASES,
    **ops.CASES,
    **more_ops.CASES,
}

# Of these metrics Keras casts the counts to float32 before it divides them, whatever floatx says:
# float64 runs can agree to seven digits only.
FLOAT64: dict[str, float] = {name: 5e-7 for name in CASES if "IoU" in name}


def group_of(name: str) -> str:
    """The file of a case."""
    return name.partition(".")[0]


def groups() -> list[str]:
    return sorted({group_of(name) for name in CASES})


def file_of(group: str) -> Path:
    return FOLDER / f"{group}.npz"


def save(group: str, results: Mapping[str, Mapping[str, Array]], versions: object) -> None:
    """Writes a file: one vector of numbers, and an index of names and shapes in the same order."""
    index = {
        name: {key: array.shape for key, array in found.items()} for name, found in results.items()
    }
    values = [array.ravel() for found in results.values() for array in found.values()]
    np.savez_compressed(
        file_of(group),
        index=np.array(json.dumps(index)),
        values=np.concatenate(values),
        versions=np.array(json.dumps(versions)),
    )


def load(group: str) -> dict[str, dict[str, Array]]:
    """Reads what ``save`` wrote."""
    with np.load(file_of(group)) as file:
        index, values = json.loads(str(file["index"])), file["values"]
    results: dict[str, dict[str, Array]] = {}
    position = 0
    for name, shapes in index.items():
        results[name] = {}
        for key, shape in shapes.items():
            size = int(np.prod(shape))
            results[name][key] = values[position : position + size].reshape(shape)
            position += size
    return results
