"""What else counts in daily life: a busy neighbour, memory, import time, sizes."""

from __future__ import annotations

import io
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pynn
from pynn.bench import worker
from pynn.bench.jobs import JOBS
from pynn.bench.peers import Peer
from pynn.bench.peers.ours import Estimator
from pynn.bench.rounds import Settings, say
from pynn.bench.text import quantity, table

_NEIGHBOUR = """
import os, sys
if sys.platform == "linux":
    os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
while True:
    pass
"""
_IMPORT = """
import time
start = time.perf_counter()
import {}
print(time.perf_counter() - start)
"""
_IMPORTS = 5  # of which the median counts


@contextmanager
def busy_neighbour() -> Iterator[None]:
    """A process that keeps one core busy."""
    process = subprocess.Popen([sys.executable, "-c", _NEIGHBOUR])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def measure_busy(settings: Settings) -> dict[str, dict[str, float]]:
    """Rows per second of each peer: on one idle core, on all, and on all with a neighbour."""
    job, found = JOBS[0], {}
    for peer in settings.peers:
        say(f"{peer.name} beside a busy process")
        alone = worker.measure(peer, job, 1)["rate"]
        idle = worker.measure(peer, job, settings.threads)["rate"]
        with busy_neighbour():
            beside = worker.measure(peer, job, settings.threads)["rate"]
        found[peer.name] = {"one thread": alone, "all threads": idle, "beside": beside}
    return found


def busy_markdown(found: dict[str, dict[str, float]]) -> str:
    """The rates, and what is left of that of one thread."""
    rows = [
        [name, *map(quantity, rates.values()), f"**{rates['beside'] / rates['one thread']:.2f}**"]
        for name, rates in found.items()
    ]
    head = ["", "one thread", "all threads", "all, one core busy", "of one thread"]
    return table(head, rows) + (
        f"\n{JOBS[0].name}, thousands of rows per second, every figure in a process of its own; "
        "another process keeps one core busy in the last.\n"
    )


def measure_footprint(settings: Settings) -> dict[str, Any]:
    """Memory, import time and size on disk of each peer."""
    job = replace(JOBS[2], rows=60_032)  # as many as MNIST has, nearly
    found: dict[str, Any] = {"data": job.rows * job.sizes[0] * 4, "wheel": wheel_size()}
    found["peers"] = {}
    for peer in settings.peers:
        if peer is Estimator:
            continue
        say(f"{peer.name} in memory and on disk")
        found["peers"][peer.name] = {
            "memory": worker.measure(peer, job, settings.threads)["memory"],
            "import": import_time(peer),
            "installed": installed_size(peer),
        }
    return found


def import_time(peer: type[Peer]) -> float:
    """Seconds that the import takes in a new process, the median of several."""
    command = [sys.executable, "-c", _IMPORT.format(peer.module)]
    texts = [
        subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        for _ in range(_IMPORTS)
    ]
    return statistics.median(map(float, texts))


def installed_size(peer: type[Peer]) -> float | None:
    """Bytes of a library's own files; None if it runs from a source tree."""
    try:
        files = metadata.files(peer.distribution) or []
    except metadata.PackageNotFoundError:
        return None
    return float(sum(file.size or 0 for file in files))


def wheel_size() -> float:
    """Bytes that pynn's files take in an archive compressed as wheels are."""
    folder = Path(pynn.__file__).parent
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path)
    return float(len(packed.getvalue()))


def footprint_markdown(found: dict[str, Any]) -> str:
    """Megabytes and milliseconds."""
    rows = [
        [
            name,
            _megabytes(own["memory"]),
            f"{own['import'] * 1e3:,.0f}",
            _megabytes(own["installed"]),
        ]
        for name, own in found["peers"].items()
    ]
    head = ["", "peak memory, MB", "import, ms", "installed, MB"]
    return table(head, rows) + (
        f"\nPeak memory of a process that trains 784-300-100-10 on {_megabytes(found['data'])} MB "
        "of samples; installed: the library's own files, without those it needs. A wheel of pynn "
        f"has {_megabytes(found['wheel'])} MB.\n"
    )


def _megabytes(size: float | None) -> str:
    return "–" if size is None else f"{size / 1e6:,.1f}"
