"""The nodes of the engine behind pynn.ops: functions of one and two arguments, choices, sums.

Each primitive takes tensors and arrays alike: with a tensor among its arguments it adds a node to
that tensor's graph, else it calls NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn import _catalog, _core
from pynn._graph.graph import Graph
from pynn._graph.tensor import Tensor
from pynn.ops._dispatch import Array, compute, graph_of, is_number, shape_of, to_tensor

Shape = tuple[int, ...]

# What NumPy calls differently or lacks.
_NUMPY: dict[str, Callable[..., Any]] = {
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "divide_no_nan": lambda a, b: np.where(np.equal(b, 0), 0, np.divide(a, b)),
}


def _numpy_function(name: str, params: Sequence[float] = ()) -> Callable[..., Any]:
    function = _NUMPY.get(name) or getattr(np, name, None)
    if function is not None and not params:
        return function
    return lambda x: _core.activation(name, _catalog.float_array("x", x), list(params))


def unary(name: str, x: Any, params: Sequence[float] = ()) -> Any:
    """A row of the engine's elementwise tables."""
    graph = graph_of(x)
    if graph is None:
        return compute(_numpy_function(name, params), x)
    t = to_tensor(graph, x)
    return graph.add("activation", [t], t.sample, name=name, params=list(params))


def binary(name: str, x1: Any, x2: Any) -> Any:
    """A row of the engine's table of functions of two arguments, with broadcasting."""
    graph = graph_of(x1, x2)
    if graph is None:
        return compute(_numpy_function(name), x1, x2)
    return _elementwise(graph, name, "binary", [x1, x2], name=name)


def where(condition: Any, x1: Any, x2: Any) -> Any:
    """``x1`` where the condition holds, else ``x2``."""
    graph = graph_of(condition, x1, x2)
    if graph is None:
        return compute(np.where, condition, x1, x2)
    return _elementwise(graph, "where", "where", [condition, x1, x2])


def _elementwise(graph: Graph, owner: str, op: str, values: Sequence[Any], **spec: Any) -> Tensor:
    numbers = [float(v) if is_number(v) else None for v in values]
    tensors = align(
        owner, [to_tensor(graph, v) for v, n in zip(values, numbers, strict=True) if n is None]
    )
    places = iter(range(len(tensors)))
    return graph.add(
        op,
        tensors,
        np.broadcast_shapes(*(t.sample for t in tensors)),
        operands=[next(places) if n is None else -1 for n in numbers],
        constants=[0.0 if n is None else n for n in numbers],
        **spec,
    )


def align(owner: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Tensors whose samples broadcast as NumPy would broadcast the whole arrays.

    Raises:
        ValueError: the shapes do not go together.
    """
    rank = max((len(t.sample) for t in tensors if t.batched), default=None)
    aligned = []
    for t in tensors:
        if rank is not None and not t.batched and len(t.sample) > rank:
            if len(t.sample) > rank + 1 or t.sample[0] != 1:
                raise _shapes_differ(owner, tensors)
            t = reshape(t, t.sample[1:])  # its first axis is the batch's
        aligned.append(t)
    ranks = {len(t.sample) for t in tensors if t.batched}
    try:
        np.broadcast_shapes(*(t.sample for t in aligned))
    except ValueError:
        raise _shapes_differ(owner, tensors) from None
    if len(ranks) > 1 and max(ranks) > 0:
        raise _shapes_differ(owner, tensors)
    return aligned


def _shapes_differ(owner: str, tensors: Sequence[Tensor]) -> ValueError:
    received = ", ".join(f"x{i + 1}.shape={t.shape}" for i, t in enumerate(tensors))
    return ValueError(
        f"{owner}: the shapes must be the same up to axes of length 1 (None is the number of "
        f"samples, which goes with itself alone). Received: {received}"
    )


def reshape(t: Tensor, sample: Shape) -> Tensor:
    """The same numbers under another shape of a sample."""
    if t.sample == sample:
        return t
    return t.graph.add("reshape", [t], sample, shape=list(sample))


def row_activation(name: str, x: Any, axis: int = -1) -> Any:
    """A row of the engine's table of activations that look at a whole axis."""
    rank = len(shape_of(x))
    check_axis(name, axis, rank)
    if axis % rank != rank - 1:
        y = row_activation(name, rearrange(name, lambda a: np.moveaxis(a, axis, -1), x))
        return rearrange(name, lambda a: np.moveaxis(a, -1, axis), y)
    graph = graph_of(x)
    if graph is None:
        return compute(lambda a: _core.activation(name, _catalog.float_array("x", a), []), x)
    t = to_tensor(graph, x)
    if t.batched and rank == 1:
        raise ValueError(f"{name}: the axis must not be the batch's. Received: axis={axis}")
    return graph.add("activation", [t], t.sample, name=name, params=[])


def reduce(name: str, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """A sum or the like over one or several axes, all if ``axis`` is None."""
    graph = graph_of(x)
    if graph is None:
        axis = tuple(axis) if isinstance(axis, list) else axis
        return compute(getattr(np, name), x, axis=axis, keepdims=keepdims)
    t = to_tensor(graph, x)
    axes = axes_of(name, axis, len(t.shape))
    shift = int(t.batched)
    over_batch = t.batched and 0 in axes
    sample = tuple(
        1 if i in axes or n is None else n
        for i, n in enumerate(t.shape)
        if (n is not None or over_batch) and (keepdims or i not in axes)
    )
    return graph.add(
        "reduce",
        [t],
        sample,
        batched=t.batched and not over_batch,
        name=name,
        axes=[a - shift for a in sorted(axes) if a >= shift],
        batch=over_batch,
        keepdims=bool(keepdims),
    )


def axes_of(owner: str, axis: Any, rank: int) -> set[int]:
    """The axes meant by None (all), a number or several, counted from the front."""
    if axis is None:
        return set(range(rank))
    axes = [axis] if isinstance(axis, (int, np.integer)) else list(axis)
    for one in axes:
        check_axis(owner, one, rank)
    return {int(a) % rank for a in axes}


def check_axis(owner: str, axis: Any, rank: int) -> None:
    """Raises: ValueError: there is no such axis."""
    if not -rank <= axis < rank:
        raise ValueError(
            f"{owner}: `axis` must be between {-rank} and {rank - 1}. Received: axis={axis}"
        )


# ---- rearrangements ------------------------------------------------------------------------------


def rearrange(owner: str, function: Callable[[Array], Array], x: Any, fill: float = 0.0) -> Any:
    """What a NumPy function makes that only moves numbers about.

    For a tensor the function is asked once, about the places of the numbers: where it returns a
    view by the view's strides, else by an array of places (counted from 1; 0 stands for ``fill``).

    Raises:
        ValueError: it would cut, join or move the batch axis.
    """
    graph = graph_of(x)
    if graph is None:
        return compute(function, x)
    t = to_tensor(graph, x)
    spec = _by_strides(owner, function, t) or _by_places(owner, function, t)
    shape = spec["shape"]
    size = math.prod(t.sample)
    if spec.get("offset") == 0 and math.prod(shape) == size:
        strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
        if all(n == 1 or a == b for n, a, b in zip(shape, strides, spec["strides"], strict=True)):
            return reshape(t, tuple(shape))
    if "index" in spec:
        spec["fill"] = float(fill)
    return graph.add("gather", [t], tuple(shape), **spec)


def _by_strides(owner: str, function: Callable[[Array], Array], t: Tensor) -> dict[str, Any] | None:
    found = []
    for n in (2, 3) if t.batched else (1,):
        base = np.empty((n, *t.sample) if t.batched else t.sample, np.int8)
        view = function(base)
        if not np.may_share_memory(view, base) and view.size:
            return None
        offset = view.ctypes.data - base.ctypes.data
        if t.batched and (view.shape[:1], view.strides[:1]) != ((n,), base.strides[:1]):
            raise _moves_batch(owner, t)
        skipped = int(t.batched)
        found.append((view.shape[skipped:], view.strides[skipped:], offset))
    shape, strides, offset = found[0]
    if found[0] != found[-1] or not 0 <= offset < max(1, math.prod(t.sample)):
        raise _moves_batch(owner, t)
    return {"shape": list(shape), "strides": list(strides), "offset": offset}


def _by_places(owner: str, function: Callable[[Array], Array], t: Tensor) -> dict[str, Any]:
    size = math.prod(t.sample)
    found = []
    for n in (2, 3) if t.batched else (1,):
        places = np.arange(1, n * size + 1).reshape((n, *t.sample) if t.batched else t.sample)
        moved = function(places)
        if t.batched:
            if moved.shape[:1] != (n,):
                raise _moves_batch(owner, t)
            later = np.arange(n).reshape(n, *[1] * (moved.ndim - 1)) * size
            moved = np.where(moved == 0, 0, moved - later)
            if not np.array_equal(moved, np.broadcast_to(moved[0], moved.shape)):
                raise _moves_batch(owner, t)
            moved = moved[0]
        if moved.size and not 0 <= moved.min() <= moved.max() <= size:
            raise _moves_batch(owner, t)
        found.append(moved)
    if not np.array_equal(found[0], found[-1]):
        raise _moves_batch(owner, t)
    return {"shape": list(found[0].shape), "index": (found[0].ravel() - 1).tolist()}


def _moves_batch(owner: str, t: Tensor) -> ValueError:
    return ValueError(
        f"{owner}: the axis of the samples, None in the shape, must stay the first axis and whole. "
        f"Received: x.shape={t.shape}"
    )


def with_batch(t: Tensor, like: Tensor) -> Tensor:
    """A tensor without batch axis repeated for every sample that another one has."""
    if t.batched or not like.batched:
        return t
    strides = [math.prod(t.sample[i + 1 :]) for i in range(len(t.sample))]
    return t.graph.add(
        "gather", [t], t.sample, batched=True, shape=list(t.sample), strides=strides, offset=0
    )
