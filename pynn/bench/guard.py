"""Says what became slower than in a table of results."""

from __future__ import annotations

from typing import Any

from pynn.bench import throughput
from pynn.bench.rounds import Row

SLOWER = 0.15  # of a ratio, which noise may take away
MORE = 0.03  # of the instructions, which have none


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """One line for each ratio to a peer, or to the limit, that fell, and each count that rose."""
    lines = []
    before, after = (_ratios(results["jobs"]) for results in (old, new))
    for what in before.keys() & after.keys():
        change = after[what] / before[what] - 1
        if change < -SLOWER:
            lines.append(
                f"{what}: {before[what]:.2f} before, {after[what]:.2f} now ({change:+.0%})"
            )
    counted, counts = old.get("instructions", {}), new.get("instructions", {})
    for job in counted.keys() & counts.keys():
        change = counts[job] / counted[job] - 1
        if change > MORE:
            lines.append(f"{job}: {counts[job]:,} instructions a step ({change:+.1%})")
    return sorted(lines)


def _ratios(results: dict[str, Any]) -> dict[str, float]:
    found = {}
    for saved in results["rows"]:
        row = Row.read(saved)
        for entry in row.entries[1:]:
            found[f"{row.job} × {entry.peer}"] = row.ratio(entry)
        part = throughput.of_limit(row, results)
        if part is not None:
            found[f"{row.job}, of the limit"] = part
    return found
