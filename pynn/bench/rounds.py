"""Rounds of all peers in turn on one job, and what they reached."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn.bench.jobs import Job, logits, loss
from pynn.bench.peers import Peer

_COMPARED_STEPS = 75
_SECONDS = 0.2  # of a peer's turn at least, so that clock and scheduler hardly count
_SETTLE = 0.05  # threads of the library before spin for a while, on cores that this one wants
_JUDGED = 2000  # rows whose loss is compared


@dataclass
class Entry:
    """One peer's result for one job."""

    peer: str
    seconds: list[float] = field(default_factory=list)  # per row, one for each round
    reached: float = 0.0  # loss after an epoch, or largest difference from float64

    @property
    def rate(self) -> float:
        """Rows per second, the median over the rounds."""
        return 1 / statistics.median(self.seconds)


@dataclass
class Row:
    """One job's results; the first entry is what the others are compared with."""

    job: str
    flops: int  # for one row
    entries: list[Entry]
    equal: bool = True  # whether all did the same mathematics

    @classmethod
    def read(cls, saved: dict[str, Any]) -> Row:
        """The row that `asdict` has made a dict of."""
        return cls(**{**saved, "entries": [Entry(**entry) for entry in saved["entries"]]})

    def ratio(self, other: Entry) -> float:
        """How many times the first is as fast, the median over the rounds."""
        pairs = zip(other.seconds, self.entries[0].seconds, strict=True)
        return statistics.median(theirs / ours for theirs, ours in pairs)


@dataclass
class Settings:
    """What is measured, and how often."""

    peers: list[type[Peer]]
    jobs: list[Job]
    rounds: int
    threads: int


def say(text: str) -> None:
    """Shows progress."""
    print(text, file=sys.stderr, flush=True)


def run(job: Job, settings: Settings) -> Row:
    """All peers' results for one job.

    Losses are compared after some steps: in hundreds of them Adam magnifies what rounding differs
    by, and no difference of mathematics would be told from that.
    """
    say(job.name)
    ready = [make(job, settings.threads) for make in settings.peers]
    row = Row(job.name, job.flops, [Entry(peer.name) for peer in ready])
    for peer, entry in zip(ready, row.entries, strict=True):
        if job.trains:
            few = _COMPARED_STEPS * job.batch
            peer.load(job.x[:few], job.y[:few])
            entry.reached = _trained_loss(peer, job)
        peer.load(job.x, job.y)
        if job.trains:
            peer.train()  # warms up
        else:
            entry.reached = _deviation(peer, job)
    row.equal = agree([entry.reached for entry in row.entries], job)
    for _ in range(settings.rounds):
        for peer, entry in zip(ready, row.entries, strict=True):
            time.sleep(_SETTLE)
            entry.seconds.append(_turn(peer, job))
    return row


def agree(reached: list[float], job: Job) -> bool:
    """Whether losses, or deviations from float64, are those of the same mathematics."""
    if not np.isfinite(reached).all():
        return False
    spread = (max(reached) - min(reached)) / min(reached) if job.trains else max(reached)
    return bool(spread <= job.tolerance)


def _turn(peer: Peer, job: Job) -> float:
    """Seconds per row, of one call after the other: as in training for many epochs."""
    work = peer.train if job.trains else peer.predict
    work()  # caches and the clocks of the cores are this library's again
    calls, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < _SECONDS:
        work()
        calls += 1
    return elapsed / calls / job.rows


def _trained_loss(peer: Peer, job: Job) -> float:
    peer.train()
    return loss(peer.weights(), job.x[:_JUDGED], job.y[:_JUDGED])


def _deviation(peer: Peer, job: Job) -> float:
    """The largest difference between a peer's predictions and float64."""
    outputs = np.asarray(peer.predict())
    return float(np.max(np.abs(outputs - _on_scale_of(outputs, logits(job.weights, job.x)))))


def _on_scale_of(outputs: Any, reference: Any) -> Any:
    """Float64 logits as probabilities where a peer's outputs are such."""
    if not np.allclose(np.sum(outputs, axis=1), 1.0, atol=1e-4):
        return reference
    exp = np.exp(reference - reference.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)
