"""Figures of trainings, drawn with matplotlib (``pip install 'pynn-mlp[plot]'``)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 4.5, 3.2  # of a panel, in inches
_COLUMNS = 3


def curves(
    values: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    keys: Sequence[str] | None = None,
    log_scale: bool | Sequence[str] = False,
) -> Figure:
    """Draws one panel per metric: its values over the epochs, and those of its ``val_`` twin.

    Args:
        values: for each log key its epochs and its values.
        keys: the metrics to draw, without ``val_``; by default all, the loss first.
        log_scale: the keys whose panels get a logarithmic axis; True for losses and the learning
            rate.

    Returns:
        The figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there is nothing to draw, or a key is unknown.

    Example:
        >>> figure = curves({"loss": ([1, 2], [0.9, 0.4]), "val_loss": ([1, 2], [1.0, 0.7])})
        >>> [axes.get_title() for axes in figure.axes]
        ['loss']
    """
    known = list(dict.fromkeys(name.removeprefix("val_") for name in values))
    known.sort(key=lambda name: (name != "loss", name == "learning_rate"))
    chosen = known if keys is None else [name.removeprefix("val_") for name in keys]
    if not chosen:
        raise ValueError("There is nothing to draw: no epoch was recorded.")
    for name in chosen:
        if name not in known:
            raise ValueError(
                f"There is no such key in the history. Known: {', '.join(known)}. "
                f"Received: {name!r}"
            )
    if log_scale is True:
        logarithmic = {name for name in chosen if name.endswith("loss") or name == "learning_rate"}
    else:
        logarithmic = set(log_scale or ())
    columns = min(_COLUMNS, len(chosen))
    rows = math.ceil(len(chosen) / columns)
    figure: Figure = _pyplot().figure(
        figsize=(_WIDTH * columns, _HEIGHT * rows), layout="constrained"
    )
    for place, name in enumerate(chosen, start=1):
        axes = figure.add_subplot(rows, columns, place)
        for key, label, style in ((name, "training", "C0-"), (f"val_{name}", "validation", "C1-")):
            if key in values:
                epochs, numbers = values[key]
                marker = "o" if len(numbers) == 1 else ""  # one point makes no line
                axes.plot(epochs, numbers, style + marker, label=label)
        axes.set(title=name, xlabel="epoch", yscale="log" if name in logarithmic else "linear")
        axes.locator_params(axis="x", integer=True)
        axes.grid(alpha=0.3)
        if f"val_{name}" in values:
            axes.legend()
    return figure


def loss_over_rate(rates: Sequence[float], losses: Sequence[float], suggestion: float) -> Figure:
    """Draws the losses of a search for the learning rate, and the rate that it suggests.

    Args:
        rates: the learning rates tried.
        losses: the loss at each.
        suggestion: the rate to mark; NaN for none.

    Returns:
        The figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there is nothing to draw.
    """
    if not losses:
        raise ValueError("There is nothing to draw: no batch was trained.")
    figure: Figure = _pyplot().figure(figsize=(1.4 * _WIDTH, 1.2 * _HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(rates, losses)
    if math.isfinite(suggestion):
        axes.axvline(suggestion, color="C1", ls="--", label=f"suggestion {suggestion:.2g}")
        axes.legend()
    start, least = losses[0], min(losses)
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss, smoothed")
    axes.set_ylim(top=start + 0.5 * max(start - least, abs(start)))  # not the divergence
    axes.grid(alpha=0.3)
    return figure


def _pyplot() -> Any:
    """matplotlib's pyplot, an optional dependency; figures made by it can be shown."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Figures are drawn with matplotlib, which is not installed. "
            "Install it: pip install 'pynn-mlp[plot]'"
        ) from error
    return plt
