"""Instructions of a training step, counted by valgrind: a witness that no neighbour disturbs.

`python -m pynn.bench.instructions JOB STEPS` trains as many steps; what more steps cost more is
theirs alone. One thread; valgrind has no AVX-512, so the kernels are those of x86-64-v3.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace

from pynn.bench.jobs import DIGITS, JOBS, SMALL
from pynn.bench.peers import Pynn
from pynn.bench.rounds import Settings, say
from pynn.bench.text import table

COUNTED = [job for job in JOBS if job.trains and job.batch == 32 and job.sizes in (DIGITS, SMALL)]
STEPS = (4, 36)


def measure(settings: Settings) -> dict[str, int]:
    """Instructions of a step by job; nothing where there is no valgrind."""
    del settings
    if shutil.which("valgrind") is None:
        say("valgrind is not installed: instructions are not counted")
        return {}
    return {job.name: _per_step(job.name) for job in COUNTED}


def _per_step(job: str) -> int:
    say(f"instructions of {job}")
    few, many = (_count(job, steps) for steps in STEPS)
    return round((many - few) / (STEPS[1] - STEPS[0]))


def _count(job: str, steps: int) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    command += [sys.executable, "-m", __name__, job, str(steps)]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True, env=environment)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise RuntimeError(f"valgrind tells no count. Received: {done.stderr[-500:]}")
    return int(found[1])


def markdown(counts: dict[str, int]) -> str:
    """Thousands of instructions."""
    rows = [[job, f"{count / 1e3:,.0f}"] for job, count in counts.items()]
    return table(["job", "thousand instructions a step"], rows) + (
        "\nOn one thread with the kernels of x86-64-v3, by callgrind.\n"
    )


def main(name: str, steps: str) -> None:
    """Trains so many steps."""
    (job,) = (job for job in COUNTED if job.name == name)
    job = replace(job, rows=int(steps) * job.batch)
    peer = Pynn(job, 1)
    peer.load(job.x, job.y)
    peer.train()


if __name__ == "__main__":
    main(*sys.argv[1:])
