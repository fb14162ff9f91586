"""Pictures of models: boxes for layers, arrows for what flows between them.

The Graphviz program ``dot`` draws them if it is installed, else matplotlib does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pynn._graph.structure import flatten
from pynn._graph.symbol import KerasTensor
from pynn.models.functional import Functional
from pynn.models.model import Model
from pynn.models.sequential import Sequential

__all__ = ["Dot", "model_to_dot", "plot_model"]

_DIRECTIONS = ("TB", "LR", "BT", "RL")


@dataclass(frozen=True)
class _Content:
    """What a box tells about its layer."""

    shapes: bool
    dtype: bool
    names: bool
    activations: bool
    trainable: bool

    def lines(self, layer: Any, given: Any, made: Any) -> list[str]:
        kind = type(layer).__name__
        lines = [f"{layer.name} ({kind})" if self.names else kind]
        activation = getattr(layer, "activation", None)
        if self.activations and activation is not None:
            lines.append(f"activation: {getattr(activation, '__name__', activation)}")
        if self.shapes:
            lines.append(f"input: {given}, output: {made}")
        if self.dtype:
            lines.append(f"dtype: {getattr(layer, 'dtype', '?')}")
        if self.trainable and getattr(layer, "weights", None):
            lines.append("trainable" if layer.trainable else "not trainable")
        return lines


@dataclass
class _Picture:
    """Boxes and arrows; a box belongs to the nested models that it stands in, outermost first."""

    content: _Content
    expand_nested: bool
    boxes: list[list[str]] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=list)
    arrows: dict[tuple[int, int], None] = field(default_factory=dict)  # in order, each once

    def add_model(self, model: Any, sources: list[list[int]] | None, group: tuple[str, ...]) -> Any:
        """Adds a model's layers; returns the boxes that make each of its outputs."""
        if isinstance(model, Functional):
            return self._add_functional(model, sources, group)
        if not isinstance(model, Sequential):
            return [[self._add_box(model, [], _shapes(model), group)]]
        last = [box for boxes in sources or [] for box in boxes]
        for layer in model.layers:
            last = self._add_layer(layer, [last], _shapes(layer), group)[0]
        return [last]

    def _add_functional(
        self, model: Functional, sources: list[list[int]] | None, group: tuple[str, ...]
    ) -> list[list[int]]:
        makers: dict[int, list[int]] = {}  # by symbol
        drawn: dict[int, Any] = {}  # by layer: one that is called twice has one box
        for i, symbol in enumerate(flatten(model.inputs)):
            if sources is not None:
                makers[id(symbol)] = sources[i]
            else:
                assert symbol.history is not None
                layer = symbol.history.operation
                makers[id(symbol)] = [self._add_box(layer, [], (symbol.shape,) * 2, group)]

        def visit(symbol: KerasTensor) -> list[int]:
            if id(symbol) not in makers:
                assert symbol.history is not None
                layer = symbol.history.operation
                node = symbol.history.node
                inputs = [visit(source) for source in node.inputs]
                if id(layer) in drawn:
                    ends = drawn[id(layer)]
                    self._connect(inputs, ends[0][0])
                else:
                    shapes = (_shape_text(node.inputs), _shape_text(flatten(node.outputs)))
                    ends = drawn[id(layer)] = self._add_layer(layer, inputs, shapes, group)
                for i, output in enumerate(flatten(node.outputs)):
                    makers[id(output)] = ends[min(i, len(ends) - 1)]
            return makers[id(symbol)]

        return [visit(symbol) for symbol in flatten(model.outputs)]

    def _add_layer(
        self, layer: Any, sources: list[list[int]], shapes: Any, group: tuple[str, ...]
    ) -> list[list[int]]:
        if self.expand_nested and isinstance(layer, (Functional, Sequential)):
            ends: list[list[int]] = self.add_model(layer, sources, (*group, layer.name))
            return ends
        return [[self._add_box(layer, sources, shapes, group)]]

    def _add_box(
        self, layer: Any, sources: list[list[int]], shapes: Any, group: tuple[str, ...]
    ) -> int:
        self.boxes.append(self.content.lines(layer, *shapes))
        self.groups.append(group)
        self._connect(sources, len(self.boxes) - 1)
        return len(self.boxes) - 1

    def _connect(self, sources: list[list[int]], box: int) -> None:
        self.arrows.update(((source, box), None) for sources_ in sources for source in sources_)

    def depths(self) -> list[int]:
        """The number of arrows on the longest way to each box."""
        depths = [0] * len(self.boxes)
        for _ in self.boxes:  # boxes may be listed before those that lead to them
            for source, target in self.arrows:
                depths[target] = max(depths[target], min(depths[source] + 1, len(self.boxes)))
        return depths


class Dot:
    """A picture in Graphviz's language.

    Attributes:
        source: the text, for the program ``dot``.
    """

    def __init__(self, source: str) -> None:
        self.source = source

    def to_string(self) -> str:
        """Returns the text."""
        return self.source

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the text into a file."""
        Path(path).write_text(self.source, encoding="utf-8")

    def __str__(self) -> str:
        return self.source


def model_to_dot(
    model: Model,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Dot:
    """Describes a model in Graphviz's language.

    Args:
        model: a built model. A subclassed one is a single box.
        show_shapes: tell the shapes that go in and out.
        show_dtype: tell the type that the layer computes in.
        show_layer_names: tell the names besides the classes.
        rankdir: where it grows: ``"TB"`` down, ``"BT"`` up, ``"LR"`` or ``"RL"``.
        expand_nested: draw the layers of models that are layers.
        dpi: dots per inch.
        subgraph: describe a part (``cluster_...``) of a larger picture.
        show_layer_activations: tell the activation functions.
        show_trainable: tell whether the weights are trained.
        splines: the form of the arrows, see Graphviz.

    Returns:
        An object with ``source``, ``to_string()`` and ``write(path)``.

    Raises:
        ValueError: a model that is not built, or an unknown direction.

    Example:
        >>> import pynn
        >>> model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(2, name="dense")])
        >>> print(model_to_dot(model, show_shapes=True).source)  # doctest: +ELLIPSIS
        digraph ...
          0 [label="dense (Dense)\\ninput: (None, 3), output: (None, 2)"];
        }
    """
    content = _Content(
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable
    )
    picture = _draw("model_to_dot", model, rankdir, content, expand_nested)
    head = f"subgraph cluster_{model.name}" if subgraph else f"digraph {_quoted(model.name)}"
    lines = [
        f"{head} {{",
        f"  graph [rankdir={rankdir}, dpi={dpi}, splines={splines}];",
        "  node [shape=box, fontname=Helvetica];",
    ]
    groups: dict[tuple[str, ...], list[int]] = {}
    for box, group in enumerate(picture.groups):
        groups.setdefault(group, []).append(box)
    for group, boxes in groups.items():
        if group:
            inside = "; ".join(map(str, boxes))
            title = _quoted(" / ".join(group))
            lines.append(f"  subgraph cluster_{boxes[0]} {{ label={title}; {inside}; }}")
    for box, text in enumerate(picture.boxes):
        label = _quoted("\n".join(text))
        lines.append(f"  {box} [label={label}];")
    lines += [f"  {source} -> {target};" for source, target in picture.arrows]
    return Dot("\n".join([*lines, "}"]))


def plot_model(
    model: Model,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Any:
    """Draws a model into a file, with Graphviz if ``dot`` is installed, else with matplotlib.

    Args:
        model: a built model. A subclassed one is a single box.
        to_file: the file; its ending tells the format (png, svg, pdf).
        show_shapes: tell the shapes that go in and out.
        show_dtype: tell the type that the layer computes in.
        show_layer_names: tell the names besides the classes.
        rankdir: where it grows: ``"TB"`` down, ``"BT"`` up, ``"LR"`` or ``"RL"``.
        expand_nested: draw the layers of models that are layers.
        dpi: dots per inch.
        show_layer_activations: tell the activation functions.
        show_trainable: tell whether the weights are trained.
        splines: the form of the arrows, see Graphviz; matplotlib draws straight ones.

    Returns:
        In a notebook the picture, else None.

    Raises:
        ValueError: a model that is not built, or an unknown direction.
        ImportError: neither Graphviz nor matplotlib is installed.

    References:
        - Gansner, North 2000, "An open graph visualization system and its applications to software
          engineering", https://graphviz.org
    """
    content = _Content(
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable
    )
    picture = _draw("plot_model", model, rankdir, content, expand_nested)
    target = Path(to_file)
    kind = target.suffix.lstrip(".") or "png"
    program = shutil.which("dot")
    if program is not None:
        dot = model_to_dot(
            model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi,
            False, show_layer_activations, show_trainable, splines,
        )  # fmt: skip
        arguments = [program, f"-T{kind}", "-o", str(target)]
        subprocess.run(arguments, input=dot.source, text=True, encoding="utf-8", check=True)
    else:
        _plot_with_matplotlib(picture, target, kind, rankdir, dpi)
    if kind == "png" and "IPython" in sys.modules:
        from IPython import display

        return display.Image(filename=str(target))
    return None


def _draw(owner: str, model: Any, rankdir: str, content: _Content, expand_nested: bool) -> _Picture:
    if rankdir not in _DIRECTIONS:
        raise ValueError(
            f"{owner}: `rankdir` must be one of {_DIRECTIONS}. Received: rankdir={rankdir!r}"
        )
    if not model.built:
        raise ValueError(
            f"{owner}: the model must be built: give it an Input, call it on data, or call build()."
            f" Received: {model!r}"
        )
    picture = _Picture(content, expand_nested)
    picture.add_model(model, None, ())
    return picture


def _plot_with_matplotlib(
    picture: _Picture, target: Path, kind: str, rankdir: str, dpi: int
) -> None:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "plot_model: install Graphviz (the program `dot`) or matplotlib (pip install "
            "pynn-mlp[plot]) to draw models."
        ) from error

    depths = picture.depths()
    rows = [[box for box, d in enumerate(depths) if d == depth] for depth in sorted(set(depths))]
    places: dict[int, tuple[float, float]] = {}
    for depth, row in enumerate(rows):
        for i, box in enumerate(row):
            across, along = i - (len(row) - 1) / 2, float(depth)
            x, y = (across, -along) if rankdir in ("TB", "BT") else (along, -across)
            places[box] = (-x if rankdir == "RL" else x, -y if rankdir == "BT" else y)
    texts = ["\n".join([*map("/".join, [group] if group else []), *lines])
             for group, lines in zip(picture.groups, picture.boxes, strict=True)]  # fmt: skip
    letters = max(len(line) for text in texts for line in text.splitlines())
    high = max(text.count("\n") + 1 for text in texts)
    width, height = 0.09 * letters + 0.5, 0.18 * high + 0.5  # inches of a box and the gap after it
    columns = max(x for x, _ in places.values()) - min(x for x, _ in places.values()) + 1
    lines = max(y for _, y in places.values()) - min(y for _, y in places.values()) + 1
    figure = Figure(figsize=(columns * width, lines * height), dpi=dpi)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(
        min(x for x, _ in places.values()) - 0.5, max(x for x, _ in places.values()) + 0.5
    )
    axes.set_ylim(
        min(y for _, y in places.values()) - 0.5, max(y for _, y in places.values()) + 0.5
    )
    artists = [
        axes.text(*places[box], text, ha="center", va="center", fontsize=9,
                  bbox={"boxstyle": "square,pad=0.4", "facecolor": "white"}, zorder=2)
        for box, text in enumerate(texts)
    ]  # fmt: skip
    for source, end in picture.arrows:
        axes.annotate(
            "", places[end], places[source], zorder=1,
            arrowprops={"arrowstyle": "-|>", "color": "black", "mutation_scale": 14,
                        "patchA": artists[source].get_bbox_patch(),
                        "patchB": artists[end].get_bbox_patch()},
        )  # fmt: skip
    figure.savefig(target, format=kind)


def _shapes(layer: Any) -> tuple[Any, Any]:
    try:
        return layer.input_shape, layer.output_shape
    except AttributeError:
        return "?", "?"


def _shape_text(symbols: list[KerasTensor]) -> Any:
    shapes = [symbol.shape for symbol in symbols]
    return shapes[0] if len(shapes) == 1 else shapes


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
