"""The table that ``model.summary()`` prints."""

from __future__ import annotations

import html
import math
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn._graph.structure import map_structure
from pynn._graph.variable import Variable
from pynn.layers._base import Layer
from pynn.layers.core import InputLayer
from pynn.utils.checks import number, positive_integer
from pynn.utils.progress import printable

if TYPE_CHECKING:
    from pynn.models.model import Model


def print_summary(
    model: Model,
    line_length: int | None,
    positions: Sequence[float] | None,
    print_fn: Callable[[str], object] | None,
    expand_nested: bool,
    show_trainable: bool,
    layer_range: Sequence[str] | None,
) -> None:
    """Prints the layers, their output shapes and their numbers of weights, as Keras 3 does."""
    header = ["Layer (type)", "Output Shape", "Param #"]
    align = "<<>"
    length = 88
    default: tuple[float, ...] = (0.45, 0.80, 1.0)
    sources = getattr(model, "sources", None)  # of a model that is no chain of layers
    if sources is not None:
        header.append("Connected to")
        align += "<"
        length, default = 108, (0.3, 0.56, 0.74, 1.0)
    if line_length is not None:
        positive_integer("summary", "line_length", line_length)
    positions = [number("summary", "positions", p, above=0) for p in positions or default]
    if show_trainable:
        header.append("Trainable")
        align += "^"
        positions = [p * 0.90 for p in positions] + [1.0]
        length += 12
    length = line_length or min(length, shutil.get_terminal_size().columns - 4)
    widths = _column_widths(positions, length)
    rows = [
        row
        for layer in _in_range(getattr(model, "operations", model.layers), layer_range)
        for row in _rows(layer, expand_nested, show_trainable, sources)
    ]
    text = "\n".join(
        [f'Model: "{model.name}"', *_table(header, rows, widths, align), *_totals(model), ""]
    )
    if print_fn is None:
        print(printable(text, sys.stdout), end="", flush=True)
    else:
        print_fn(text)


def html_summary(model: Model) -> str:
    """The same table for notebooks."""
    sources = getattr(model, "sources", None)
    header = ["Layer (type)", "Output Shape", "Param #", *(["Connected to"] if sources else [])]
    rows = [
        row
        for layer in getattr(model, "operations", model.layers)
        for row in _rows(layer, False, False, sources)
    ]

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in row)

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return (
        f"<table><caption>{html.escape(f'{kind_of(model)} {model.name}')}</caption>"
        f"<thead><tr>{cells(header, 'th')}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{'<br>'.join(_totals(model))}</p>"
    )


def _rows(
    layer: Any,
    expand: bool,
    show_trainable: bool,
    sources: Mapping[int, Sequence[str]] | None,
    level: int = 0,
) -> list[list[str]]:
    prefix = "   " * level + "└ " if level else ""
    weights = layer.weights if isinstance(layer, Layer) else []
    unbuilt = isinstance(layer, Layer) and not layer.built
    count = "0 (unbuilt)" if unbuilt else f"{_count(weights):,}"
    row = [f"{prefix}{layer.name} ({kind_of(layer)})", _shape_of(layer), count]
    if sources is not None:
        row.append(", ".join(sources.get(id(layer), ())) or "-")
    if show_trainable:
        row.append(("Y" if layer.trainable else "N") if weights else "-")
    rows = [row]
    if expand:
        for inner in getattr(layer, "layers", []):
            rows += _rows(inner, expand, show_trainable, sources, level + 1)
    return rows


def kind_of(operation: Any) -> str:
    """The class of a layer; for a function of ``pynn.ops`` its name as Keras writes it."""
    if isinstance(operation, Layer):
        return type(operation).__name__
    return "".join(part.capitalize() for part in str(operation.function.__name__).split("_"))


def _shape_of(operation: Any) -> str:
    """The shapes that come out, as far as they are known."""
    try:
        if isinstance(operation, Layer) and not isinstance(operation, InputLayer):
            shapes = operation.output_shape
        else:
            shapes = map_structure(lambda symbol: symbol.shape, operation.nodes[0].outputs)
    except (AttributeError, NotImplementedError):
        return "?"
    if isinstance(shapes, dict):
        shapes = [shapes[key] for key in sorted(shapes)]
    several = bool(shapes) and isinstance(shapes[0], (list, tuple))
    return ", ".join(
        "(" + ", ".join(map(str, shape)) + ")" for shape in (shapes if several else [shapes])
    )


def _totals(model: Model) -> list[str]:
    optimizer = model.optimizer_state()
    trainable, frozen = model.trainable_weights, model.non_trainable_weights
    lines = [
        (" Total params", _count(trainable) + _count(frozen) + sum(a.size for a in optimizer),
         _bytes(trainable) + _bytes(frozen) + sum(a.nbytes for a in optimizer)),
        (" Trainable params", _count(trainable), _bytes(trainable)),
        (" Non-trainable params", _count(frozen), _bytes(frozen)),
    ]  # fmt: skip
    if optimizer:
        lines.append(
            (" Optimizer params", sum(a.size for a in optimizer), sum(a.nbytes for a in optimizer))
        )
    return [f"{name}: {count:,} ({_readable(size)})" for name, count, size in lines]


def _count(variables: Iterable[Variable]) -> int:
    return sum(math.prod(v.shape) for v in variables)


def _bytes(variables: Iterable[Variable]) -> int:
    return sum(math.prod(v.shape) * np.dtype(v.dtype).itemsize for v in variables)


def _readable(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} PB"


def _in_range(layers: list[Layer], layer_range: Sequence[str] | None) -> list[Layer]:
    """The layers between two names (or regular expressions), both included."""
    if layer_range is None:
        return layers
    if len(layer_range) != 2 or not all(isinstance(name, str) for name in layer_range):
        raise ValueError(
            "summary: `layer_range` must consist of the names of the first and the last layer. "
            f"Received: layer_range={layer_range!r}"
        )
    found = [
        [i for i, layer in enumerate(layers) if re.match(name, layer.name)] for name in layer_range
    ]
    if not all(found):
        raise ValueError(
            f"summary: no layers of these names. Received: layer_range={layer_range!r}"
        )
    first, last = sorted((min(found[0]), max(found[1])))
    return layers[first : last + 1]


def _column_widths(positions: Sequence[float], length: int) -> list[int]:
    """Widths of the texts: shares of ``length``, less the lines and blanks between."""
    widths = []
    current = 0
    for position in positions:
        width = int(position * length) - current
        if width < 4:
            raise ValueError(
                f"summary: the lines are too short for the table. Received: line_length={length}"
            )
        widths.append(width)
        current += width
    # Each column stands between blanks and lines; what is too much is taken evenly, rounding as
    # Python does, which is where Keras's widths come from.
    padded = [width + 2 for width in widths]
    excess = sum(padded) + len(padded) + 1 - length
    for i in range(len(padded)):
        share = round(excess / (len(padded) - i))
        padded[i] -= share
        excess -= share
    return [width - 2 for width in padded]


def _table(header: list[str], rows: list[list[str]], widths: list[int], align: str) -> list[str]:
    def line(left: str, fill: str, cross: str, right: str) -> str:
        return left + cross.join(fill * (width + 2) for width in widths) + right

    def cells(row: list[str], bar: str) -> list[str]:
        columns = [_wrap(text, width) for text, width in zip(row, widths, strict=True)]
        height = max(map(len, columns))
        return [
            bar
            + bar.join(
                f" {column[i] if i < len(column) else '':{side}{width}} "
                for column, width, side in zip(columns, widths, align, strict=True)
            )
            + bar
            for i in range(height)
        ]

    lines = [line("┏", "━", "┳", "┓"), *cells(header, "┃"), line("┡", "━", "╇", "┩")]
    for i, row in enumerate(rows):
        lines += ([line("├", "─", "┼", "┤")] if i else []) + cells(row, "│")
    return [*lines, line("└", "─", "┴", "┘")]


def _wrap(text: str, width: int) -> list[str]:
    """Breaks a text between words; a word longer than a line is cut with an ellipsis."""
    lines: list[str] = []
    current = ""
    indent = text[: len(text) - len(text.lstrip())]
    for word in text.split():
        joined = f"{current} {word}" if current else (indent if not lines else "") + word
        if len(joined) <= width:
            current = joined
        else:
            lines += [current] if current else []
            current = word if lines else joined
    lines.append(current)
    return [line if len(line) <= width else line[: width - 1] + "…" for line in lines]
