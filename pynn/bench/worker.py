"""One peer and one job in a process of its own: `python -m pynn.bench.worker PEER JOB THREADS`.

Prints the rows per second and the largest memory of the process, as JSON.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pynn.bench import machine
from pynn.bench.jobs import JOBS, Job
from pynn.bench.peers import PEERS, Peer
from pynn.bench.rounds import Settings, run

ROUNDS = 3


def measure(peer: type[Peer], job: Job, threads: int) -> dict[str, Any]:
    """What a new process finds."""
    command = [sys.executable, "-m", __name__, peer.name, job.name, str(job.rows), str(threads)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def peak_memory() -> float | None:
    """The largest memory of this process in bytes; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    status = Path("/proc/self/status")
    if status.exists():  # where getrusage would also count the memory of the parent
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text(encoding="utf-8"))
        return float(found[1]) * 1024 if found else None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def main(peer: str, job: str, rows: str, threads: str) -> None:
    """Measures and prints."""
    machine.restrict(int(threads))
    peers = [one for one in PEERS if one.name == peer]
    jobs = [replace(one, rows=int(rows)) for one in JOBS if one.name == job]
    row = run(jobs[0], Settings(peers, jobs, ROUNDS, int(threads)))
    print(json.dumps({"rate": row.entries[0].rate, "memory": peak_memory()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
