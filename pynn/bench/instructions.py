"""Instructions of a training step, counted by valgrind: a witness that no neighbour disturbs.

`python -m pynn.bench.instructions` does what is counted. One thread; valgrind has no AVX-512, so
the kernels are those of x86-64-v3.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from pynn.bench.jobs import DIGITS, JOBS, SMALL, Job
from pynn.bench.peers.ours import Pynn
from pynn.bench.rounds import Settings, say
from pynn.bench.text import table

COUNTED = [job for job in JOBS if job.trains and job.batch == 32 and job.sizes in (DIGITS, SMALL)]
FEW, MORE = 4, 16  # steps; what an epoch of both together costs more is the cost of the latter
_MARK = "getppid"  # a function of the C library that nothing else calls: counts are written there


def measure(settings: Settings) -> dict[str, int]:
    """Instructions of a step by job; nothing where there is no valgrind."""
    del settings  # the same for all
    if shutil.which("valgrind") is None:
        say("valgrind is not installed: instructions are not counted")
        return {}
    say("instructions")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "counts"
        command = ["valgrind", "--tool=callgrind", f"--dump-before={_MARK}"]
        command += [f"--callgrind-out-file={output}", sys.executable, "-m", __name__]
        environment = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, env=environment)
        counts = [_count(Path(f"{output}.{i + 1}")) for i in range(3 * len(COUNTED))]
    return {
        job.name: round((many - few) / _more(job))
        for job, few, many in zip(COUNTED, counts[1::3], counts[2::3], strict=True)
    }


def _more(job: Job) -> int:
    """As many steps as make up the arithmetic of `MORE` of the largest job."""
    return MORE * max(other.flops for other in COUNTED) // job.flops


def _count(file: Path) -> int:
    """All instructions since the mark before."""
    found = re.search(r"^(?:totals|summary): (\d+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"valgrind's output has no total. Received: {file}")
    return int(found[1])


def markdown(counts: dict[str, int]) -> str:
    """Thousands of instructions."""
    rows = [[job, f"{count / 1e3:,.0f}"] for job, count in counts.items()]
    return table(["job", "thousand instructions a step"], rows) + (
        "\nOn one thread with the kernels of x86-64-v3, by callgrind.\n"
    )


def main() -> None:
    """Trains a few steps and more steps of each job, with a mark around each training."""
    for job in COUNTED:
        peer = Pynn(job, 1)
        for steps in (FEW, FEW, FEW + _more(job)):  # the first epoch warms up
            training = replace(job, rows=steps * job.batch)
            peer.load(training.x, training.y)
            peer.train()
            os.getppid()


if __name__ == "__main__":
    main()
