"""The interpreter that has Keras 3: that of PYNN_KERAS_PYTHON, or this one."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

KERAS = os.environ.get("PYNN_KERAS_PYTHON") or (find_spec("keras") and sys.executable)
REASON = "no Keras 3: see the extra `test` in pyproject.toml"
needs_keras = pytest.mark.skipif(not KERAS, reason=REASON)


def run_keras(*arguments: object, folder: Path) -> None:
    """Runs the interpreter in a folder, with Keras on its NumPy backend."""
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    environment.pop("PYTHONPATH", None)
    command = [str(one) for one in (KERAS, *arguments)]
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=sys.stderr)
