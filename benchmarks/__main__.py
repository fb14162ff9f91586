"""Runs the benchmark: the same work by every installed library in one run.

    make bench
    make bench BENCH="--rounds 9 --job 20-100-2/32/adam"

All peers start from the same weights and see the same rows in the same order; their rounds
alternate, so that a busy neighbour hurts them alike; the table gives medians. Losses that differ,
that is unequal mathematics, are an error. The limit is what the matrix products would take at the
rate of large ones.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import report
from jobs import JOBS, Job, logits, loss
from peers import PEERS, Peer, softmaxed
from report import Entry, Row


def sgemm_rate(size: int = 1024, seconds: float = 0.5) -> float:
    """Floating-point operations per second of the best large sgemm at hand, on one core."""

    def products() -> Iterator[Callable[[], Any]]:
        a = np.random.default_rng(0).standard_normal((size, size), dtype=np.float32)
        yield lambda: a @ a
        try:
            import torch
        except ImportError:
            return
        torch.set_num_threads(1)
        b = torch.from_numpy(a)
        yield lambda: torch.mm(b, b)

    from threadpoolctl import threadpool_limits

    best = float("inf")
    with threadpool_limits(1):
        for product in products():
            end = time.perf_counter() + seconds
            while (start := time.perf_counter()) < end:
                product()
                best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def timed_training(peer: Peer, job: Job) -> float:
    start = time.perf_counter()
    peer.train()
    return (time.perf_counter() - start) / job.rows


def timed_prediction(peer: Peer, job: Job) -> float:
    calls = max(1, min(1000, 10_000 // job.rows))
    peer.predict()
    start = time.perf_counter()
    for _ in range(calls):
        peer.predict()
    return (time.perf_counter() - start) / calls / job.rows


def difference(peer: Peer, job: Job) -> float:
    """The largest difference between a peer's predictions and float64."""
    outputs = peer.predict()
    reference = softmaxed(outputs, logits(job.weights, job.x))
    return float(np.max(np.abs(outputs - reference)))


def run(job: Job, peers: list[type[Peer]], rounds: int, threads: int, limit: float) -> Row:
    """All peers' results for one job; the first round warms up and tells the losses."""
    ready = [make(job, threads) for make in peers]
    row = Row(job.name, limit, [Entry(peer.name) for peer in ready])
    for number in range(rounds + 1):
        for peer, entry in zip(ready, row.entries, strict=True):
            seconds = (timed_training if job.trains else timed_prediction)(peer, job)
            if number:
                entry.seconds.append(seconds)
            else:
                entry.loss = loss(peer.weights(), job) if job.trains else difference(peer, job)
    losses = [entry.loss for entry in row.entries]
    spread = (max(losses) - min(losses)) / min(losses) if job.trains else max(losses)
    row.equal = spread <= job.tolerance
    return row


def installed(job: Job, threads: int) -> Iterator[type[Peer]]:
    """The peers that can be imported; says which cannot."""
    for peer in PEERS:
        try:
            print(f"{peer.name} {peer(job, threads).version}", file=sys.stderr)
            yield peer
        except ImportError as error:
            print(f"{peer.name} left out: {error}", file=sys.stderr)


def cores() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def main() -> int:
    """Runs the jobs asked for, prints Markdown, writes JSON; 1 if mathematics was unequal."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--job", nargs="+", choices=[job.name for job in JOBS], metavar="JOB")
    parser.add_argument("--only", nargs="+", choices=[peer.name for peer in PEERS], metavar="PEER")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/latest.json"))
    options = parser.parse_args()

    peers = list(installed(JOBS[0], options.threads))
    if options.only:
        peers = [peer for peer in peers if peer.name in options.only]
    core = sgemm_rate()
    rows = []
    for job in JOBS:
        if options.job and job.name not in options.job:
            continue
        print(job.name, file=sys.stderr)
        limit = core * options.threads / job.flops
        rows.append(run(job, peers, options.rounds, options.threads, limit))

    about = report.machine(options.threads, options.rounds, core, peers, JOBS[0])
    print(report.markdown(about, rows))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    results = {"about": about, "rows": [asdict(row) for row in rows]}
    options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0 if all(row.equal for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
