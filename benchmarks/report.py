"""The benchmark's results as Markdown, and what machine they come from."""

from __future__ import annotations

import platform
import statistics
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from jobs import Job
from peers import Peer


@dataclass
class Entry:
    """One peer's result for one job."""

    peer: str
    seconds: list[float] = field(default_factory=list)  # per row, one for each round
    loss: float = 0.0

    @property
    def rate(self) -> float:
        """Rows per second, the median over the rounds."""
        return 1 / statistics.median(self.seconds)


@dataclass
class Row:
    """One job's results."""

    job: str
    limit: float  # rows per second
    entries: list[Entry]
    equal: bool = True


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def machine(
    threads: int, rounds: int, core: float, peers: list[type[Peer]], job: Job
) -> dict[str, Any]:
    """Hardware, versions, threads, data type and date."""
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "processor": processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": threads,
        "dtype": "float32",
        "rounds": rounds,
        "sgemm GFLOP/s of one core": round(core / 1e9, 1),
        "versions": {
            "Python": platform.python_version(),
            "numpy": np.__version__,
            **{peer.name: peer(job, threads).version for peer in peers},
        },
    }


def quantity(rate: float, single: bool) -> str:
    """Thousands of rows per second, or microseconds for one row."""
    return f"{1e6 / rate:,.0f} µs" if single else f"{rate / 1e3:,.1f}"


def markdown(about: dict[str, Any], rows: list[Row]) -> str:
    """The table that goes into the README."""
    peers = [entry.peer for entry in rows[0].entries]
    head = ["job", *peers, *(f"× {peer}" for peer in peers[1:]), "of the limit", "loss"]
    table = [head, ["---"] * len(head)]
    for row in rows:
        single = row.job.split("/")[1] == "1"
        first, *others = row.entries
        losses = " / ".join(f"{entry.loss:.4g}" for entry in row.entries)
        table.append(
            [
                row.job,
                *(quantity(entry.rate, single) for entry in row.entries),
                *(f"**{first.rate / entry.rate:.1f}**" for entry in others),
                "–" if single else f"{first.rate / row.limit:.2f}",
                losses if row.equal else f"**UNEQUAL** {losses}",
            ]
        )
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    note = (
        f"Thousands of rows per second, medians of {about['rounds']} alternating rounds; "
        f"{about['threads']} threads of {about['processor']} ({about['system']}), "
        f"{about['dtype']}, sgemm {about['sgemm GFLOP/s of one core']} GFLOP/s a core, "
        f"{versions}; {about['date']}. The last column is the loss each reached after one epoch "
        "(for predictions the largest difference from float64)."
    )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in table) + f"\n\n{note}\n"
