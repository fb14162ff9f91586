"""Rows per second: the table of jobs, and sweeps over the batch size and the width."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from pynn.bench import limit
from pynn.bench.jobs import SWEEPS
from pynn.bench.rounds import Row, Settings, run
from pynn.bench.text import quantity, table

Results = dict[str, Any]


def measure(settings: Settings) -> Results:
    """All jobs; the limit is measured before each, and the best rate counts."""
    rates, rows = [], []
    for job in settings.jobs:
        rates.append(limit.sgemm_rate())
        rows.append(asdict(run(job, settings)))
    return {"threads": settings.threads, "sgemm": max(rates), "rows": rows}


def of_limit(row: Row, results: Results) -> float | None:
    """The first peer's part of what the machine can do; None for single rows, all overhead."""
    if row.job.endswith("/1/predict"):
        return None
    limit_rate: float = results["sgemm"] * results["threads"] / row.flops
    return row.entries[0].rate / limit_rate


def unequal(results: Results) -> list[str]:
    """The jobs in which the peers did different mathematics."""
    return [row["job"] for row in results["rows"] if not row["equal"]]


def markdown(results: Results) -> str:
    """Rates, ratios, the part of the limit, and what each reached, of all jobs."""
    rows = [Row.read(saved) for saved in results["rows"]]
    names = [entry.peer for entry in rows[0].entries]
    head = ["job", *names, *(f"× {name}" for name in names[1:]), "of the limit", "reached"]
    return table(head, (_cells(row, results) for row in rows)) + (
        "\nThousands of rows per second (µs for a single one), medians of "
        f"{len(rows[0].entries[0].seconds)} alternating rounds in float32; ×: the median of the "
        f"rounds' ratios. The limit: {results['threads']} × {results['sgemm'] / 1e9:.1f} GFLOP/s. "
        "Reached: the loss after 75 steps; for predictions the largest difference from float64.\n"
    )


def _cells(row: Row, results: Results) -> list[str]:
    part = of_limit(row, results)
    reached = " / ".join(f"{entry.reached:.4g}" for entry in row.entries)
    return [
        row.job,
        *(quantity(entry.rate, part is None) for entry in row.entries),
        *(f"**{row.ratio(entry):.2f}**" for entry in row.entries[1:]),
        "–" if part is None else f"{part:.2f}",
        reached if row.equal else f"**UNEQUAL** {reached}",
    ]


def measure_sweeps(settings: Settings) -> Results:
    """The rates over one quantity, by peer."""
    few = replace(settings, rounds=min(settings.rounds, 3))
    swept: Results = {}
    for quantity_name, jobs in SWEEPS.items():
        rates: dict[str, list[float]] = {peer.name: [] for peer in settings.peers}
        for job in jobs.values():
            for entry in run(job, few).entries:
                rates[entry.peer].append(entry.rate)
        swept[quantity_name] = {"values": list(jobs), "rates": rates}
    return swept


def sweeps_markdown(swept: Results) -> str:
    """One table for each quantity."""
    texts = []
    for name, sweep in swept.items():
        rows = [
            [str(value), *(quantity(rates[i]) for rates in sweep["rates"].values())]
            for i, value in enumerate(sweep["values"])
        ]
        texts.append(table([name, *sweep["rates"]], rows))
    note = (
        "Thousands of rows per second: 784-300-100-10 over the batch size, 784-width-width-10 at "
        "batch 128, Adam.\n"
    )
    return "\n".join([*texts, note])
