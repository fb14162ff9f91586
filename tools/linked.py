"""Checks that the installed pynn links to nothing outside its wheel but the C and C++ runtime.

    python tools/linked.py

Linux only; elsewhere delocate and delvewheel check this when they repair the wheel.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path

# What every Linux of the wheel's platform tag has (PEP 600).
RUNTIME = re.compile(r"(linux-vdso|ld-linux\S*|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+))\.so(\.\d+)*")


def main() -> int:
    """Prints every library with a foreign dependency; returns how many there are."""
    if sys.platform != "linux":
        return 0
    wheel = {Path(str(file.locate())).resolve() for file in files("pynn-mlp") or []}
    libraries = sorted(path for path in wheel if re.search(r"\.so(\.\d+)*$", path.name))
    if not libraries:
        print("pynn-mlp: no library found in the installed wheel")
        return 1
    foreign = 0
    for library in libraries:
        listed = subprocess.run(["ldd", str(library)], capture_output=True, text=True, check=True)
        for line in listed.stdout.splitlines():
            name, _, rest = line.strip().partition(" => ")
            found = Path(rest.split(" (")[0]).resolve() if rest else None
            if RUNTIME.fullmatch(Path(name.split(" (")[0]).name) or found in wheel:
                continue
            foreign += 1
            print(f"{library.name} needs {line.strip()}, which the wheel does not carry")
    print(f"{len(libraries)} libraries, {foreign} foreign dependencies")
    return foreign


if __name__ == "__main__":
    sys.exit(main())
