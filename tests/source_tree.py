"""Where the source tree is, for tests about the repository itself.

The tests may run from a copy outside the tree, against an installed package; PYNN_SOURCE then names
the tree.
"""

from __future__ import annotations

import os
from pathlib import Path


def _find() -> Path:
    named = os.environ.get("PYNN_SOURCE")
    tree = Path(named) if named else Path(__file__).resolve().parent.parent
    if not (tree / "CMakeLists.txt").is_file() or not (tree / "csrc").is_dir():
        raise RuntimeError(
            "The tests need the source tree: run them from tests/ of a clone, or set PYNN_SOURCE. "
            f"Received: PYNN_SOURCE={named!r}, looked in {tree}"
        )
    return tree.resolve()


SOURCE = _find()
