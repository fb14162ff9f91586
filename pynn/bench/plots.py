"""Plots of the results, with matplotlib (``pip install 'pynn-mlp[plot]'``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynn.bench.rounds import Row, say

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(results: dict[str, Any], folder: Path) -> list[str]:
    """Writes a picture of each part that has one; returns their names."""
    try:
        import matplotlib
    except ImportError:
        say("matplotlib is not installed: no plots")
        return []
    matplotlib.use("agg")
    names = []
    for name, figure in _figures(results):
        figure.savefig(folder / f"{name}.png", dpi=100)
        names.append(f"{name}.png")
    return names


def _figures(results: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    if "jobs" in results:
        yield "jobs", jobs(results["jobs"])
    if "accuracy" in results:
        yield "accuracy", accuracy(results["accuracy"])
    for quantity, sweep in results.get("sweeps", {}).items():
        yield quantity.replace(" ", "_"), sweep_over(quantity, sweep)


def _figure(panels: int = 1, columns: int = 1) -> tuple[Figure, list[Any]]:
    from matplotlib.figure import Figure

    rows = -(-panels // columns)
    size = (4.5 * columns, 2.6 * rows) if columns > 1 else (6, 4)
    figure = Figure(figsize=size, layout="constrained")
    return figure, [figure.add_subplot(rows, columns, place + 1) for place in range(panels)]


def jobs(measured: dict[str, Any]) -> Figure:
    """A panel of bars for each job: every peer's rows per second, a near limit as a line."""
    rows = [Row.read(saved) for saved in measured["rows"]]
    figure, panels = _figure(len(rows), 3)
    for axes, row in zip(panels, rows, strict=True):
        names = [entry.peer for entry in row.entries]
        colors = [f"C{i}" for i in range(len(names))]
        rates = [entry.rate / 1e3 for entry in row.entries]
        limit = measured["sgemm"] * measured["threads"] / row.flops / 1e3
        axes.barh(names, rates, color=colors)
        if limit < 5 * max(rates):  # where it would leave room for the bars
            axes.axvline(limit, color="gray")
        axes.invert_yaxis()
        axes.set_title(row.job, fontsize="medium")
        axes.set_xlabel("thousand rows/s", fontsize="small")
        axes.tick_params(labelsize="small")
    return figure


def accuracy(curves: dict[str, list[list[list[float]]]]) -> Figure:
    """Test accuracy over the seconds of training, a line for each order of the rows."""
    figure, (axes,) = _figure()
    for number, (name, runs) in enumerate(curves.items()):
        for i, curve in enumerate(runs):
            seconds, right = zip(*curve, strict=True)
            axes.plot(seconds, right, f"C{number}.-", label=None if i else name, alpha=0.8)
    axes.set(xscale="log", xlabel="seconds of training", ylabel="test accuracy", title="MNIST")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure


def sweep_over(quantity: str, sweep: dict[str, Any]) -> Figure:
    """Rows per second over the batch size or the width."""
    figure, (axes,) = _figure()
    for name, rates in sweep["rates"].items():
        axes.plot(sweep["values"], [rate / 1e3 for rate in rates], "o-", label=name)
    axes.set(xscale="log", yscale="log", xlabel=quantity, ylabel="thousand rows/s")
    axes.set_xticks(sweep["values"], [str(value) for value in sweep["values"]])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure
