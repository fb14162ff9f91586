"""Where and when the figures were measured, and with what."""

from __future__ import annotations

import os
import platform
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from pynn.bench import limit
from pynn.bench.peers import Peer
from pynn.bench.rounds import Settings


def cores() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def restrict(threads: int) -> None:
    """Leaves this process as many cores as threads: not every peer can be told a number."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def version(peer: type[Peer]) -> str:
    """Of a library."""
    if peer.distribution == "pynn-mlp":
        import pynn

        return pynn.__version__
    return metadata.version(peer.distribution)


def about(settings: Settings) -> dict[str, Any]:
    """Hardware, versions, threads, data type and date."""
    peers = {peer.distribution: peer for peer in settings.peers}
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "processor": processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": settings.threads,
        "rounds": settings.rounds,
        "blas": limit.blas_kernel(),
        "warnings": limit.warnings(),
        "versions": {
            "Python": platform.python_version(),
            "numpy": metadata.version("numpy"),
            **{name: version(peer) for name, peer in peers.items()},
        },
    }


def markdown(facts: dict[str, Any]) -> str:
    """The same in a few lines."""
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    text = (
        f"{facts['threads']} threads of {facts['processor']} ({facts['system']}); NumPy computes "
        f"with {facts['blas']}; {versions}; {facts['date']}.\n"
    )
    return text + "".join(f"\nWarning: {warning}\n" for warning in facts["warnings"])
