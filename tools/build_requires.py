"""Prints what building pynn needs, one requirement a line, for a build without isolation.

python tools/build_requires.py | pip install -r /dev/stdin
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

# The build backend asks for these only in an isolated build, where no CMake or Ninja is at hand.
EXTRA = ["cmake>=3.26", "ninja"]


def read_toml(path: Path) -> dict[str, Any]:
    """Reads a TOML file, on Python 3.10 with the parser inside pip."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        from pip._vendor import tomli as tomllib
    return tomllib.loads(path.read_text(encoding="utf-8"))


def main() -> None:
    """Prints the requirements."""
    project = read_toml(Path(__file__).resolve().parent.parent / "pyproject.toml")
    print("\n".join(project["build-system"]["requires"] + EXTRA))


if __name__ == "__main__":
    main()
