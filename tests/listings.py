"""Runs the listings of the lectures: the files of tests/lectures.

Where the print leaves something out as ``[...]``, the test puts it in; listings with ``>>>`` are
compared with the output they show.
"""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

LISTINGS = Path(__file__).with_name("lectures")

Names = dict[str, Any]
Array = npt.NDArray[Any]


def run(name: str, names: Names, *gaps: str) -> Names:
    """Runs a listing in a namespace; each gap takes the place of one ``[...]``."""
    text = (LISTINGS / f"{name}.txt").read_text(encoding="utf-8")
    for gap in gaps:
        text = text.replace("[...]", gap, 1)
    if ">>>" in text:
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        test = doctest.DocTestParser().get_doctest(text, names, name, name, 0)
        doctest.DebugRunner(optionflags=flags).run(test, clear_globs=False)
        names.update(test.globs)
    else:
        exec(compile(text, f"{name}.txt", "exec"), names)
    return names


def relu(z: Array) -> Array:
    return np.maximum(z, 0)
