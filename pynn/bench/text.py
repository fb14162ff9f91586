"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def quantity(rate: float, single: bool = False) -> str:
    """Thousands of rows per second, or microseconds for one row."""
    return f"{1e6 / rate:,.1f} µs" if single else f"{rate / 1e3:,.1f}"
