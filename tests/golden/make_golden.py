"""Writes the golden files: what real Keras computes for every case, in float64 on JAX.

Usage: ``python tests/golden/make_golden.py [word ...]`` in an environment with keras and jax.
Only cases whose name contains one of the words are made anew; all when no word is given.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from pathlib import Path

os.environ.update(
    KERAS_BACKEND="jax",
    JAX_ENABLE_X64="1",
    JAX_PLATFORMS="cpu",
    XLA_FLAGS="--xla_backend_optimization_level=0",  # compiling costs more here than running
)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import keras
import numpy as np
from keras.src.backend.common import dtypes

import golden_cases
from golden.runs import Array, flat

# With every backend but TensorFlow's, Keras narrows the float64 results of its own ops to float32.
dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


def main(words: list[str]) -> None:
    keras.config.set_floatx("float64")
    versions = {"keras": keras.__version__, "jax": jax.__version__, "numpy": np.__version__}
    for group in golden_cases.groups():
        names = [name for name in golden_cases.CASES if golden_cases.group_of(name) == group]
        wanted = [name for name in names if not words or any(word in name for word in words)]
        if not wanted:
            continue
        known = golden_cases.load(group) if golden_cases.file_of(group).is_file() else {}
        found = {name: known[name] for name in names if name in known}
        for name in wanted:
            print(name, flush=True)
            try:
                found[name] = compute(name)
            except Exception:
                traceback.print_exc()  # the other cases are still worth having
        golden_cases.save(group, {name: found[name] for name in names if name in found}, versions)


def compute(name: str) -> dict[str, Array]:
    """What real Keras computes for a case."""
    keras.utils.clear_session()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return flat(golden_cases.CASES[name](keras))


if __name__ == "__main__":
    main(sys.argv[1:])
