"""Gradients against differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn import _core
from pynn._graph.graph import Graph
from pynn._graph.structure import flatten
from pynn._graph.tensor import Tensor
from pynn.ops._dispatch import Array
from pynn.ops._primitives import binary, reduce

_STEP = {"float64": 1e-6, "float32": 1e-2}
_TOLERANCE = {"float64": 1e-5, "float32": 3e-2}
_MOST = 200  # elements of an array that are tried


@dataclass(frozen=True)
class GradientReport:
    """What ``check_gradients`` found; true where all gradients agree.

    Attributes:
        errors: the largest difference of each argument's gradient, relative to its largest element.
        tolerance: up to which it counts as agreement.
    """

    errors: dict[str, float]
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether all gradients agree."""
        return all(error <= self.tolerance for error in self.errors.values())

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        lines = [f"GradientReport: {'agree' if self.ok else 'DIFFER'} (up to {self.tolerance:g})"]
        width = max(map(len, self.errors), default=0)
        for name, error in self.errors.items():
            mark = "" if error <= self.tolerance else "  <- differs"
            lines.append(f"  {name:<{width}}  {error:.1e}{mark}")
        return "\n".join(lines)


def check_gradients(
    fn: Any,
    *inputs: Any,
    training: bool = False,
    step: float | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> GradientReport:
    """Compares the gradients of a function, layer or loss with central differences.

    The derivative of a random weighted sum of the outputs is taken both ways, by every input and
    every trained weight. Functions run in float64; a layer runs in its own float type, so make it
    with ``dtype="float64"`` for a strict test.

    Args:
        fn: a function written with ``pynn.ops`` (or made by ``pynn.ops.with_gradient``), a layer,
            or a loss, called as ``fn(y_true, y_pred)``.
        inputs: arrays of samples, away from kinks.
        training: whether a layer acts as in training; its random numbers stay the same.
        step: of the differences, 1e-6 in float64.
        tolerance: the largest relative error that counts as agreement, 1e-5 in float64.
        seed: of the weights of the sum and of a layer's random numbers.

    Returns:
        A report that is true where all gradients agree.

    Raises:
        ValueError: no inputs, or different numbers of samples.

    Example:
        >>> import numpy as np, pynn
        >>> bool(check_gradients(lambda x: pynn.ops.tanh(x) * 2.0, np.ones((3, 2))))
        True
    """
    if not inputs:
        raise ValueError("check_gradients: give an array of samples for each argument of `fn`.")
    is_layer = hasattr(fn, "trace")
    dtype = str(fn.dtype) if is_layer else "float64"
    arrays = [np.array(x, dtype) for x in inputs]
    if len({len(a) if a.ndim else -1 for a in arrays}) > 1 or arrays[0].ndim == 0:
        raise ValueError(
            "check_gradients: the inputs must have the same number of samples, their first axis. "
            f"Received: shapes {', '.join(str(a.shape) for a in arrays)}"
        )
    traced = _Traced(fn, arrays, dtype, training, is_layer, seed)
    width = _STEP[dtype] if step is None else step
    errors = {}
    for name, values, gradient in traced.gradients():
        errors[name] = traced.error(values, gradient, width)
    return GradientReport(errors, _TOLERANCE[dtype] if tolerance is None else tolerance)


class _Traced:
    """A function in a graph, and a weighted sum of its outputs."""

    def __init__(
        self, fn: Any, arrays: list[Array], dtype: str, training: bool, is_layer: bool, seed: int
    ) -> None:
        self.arrays, self._dtype, self._seed, self._training = arrays, dtype, seed, training
        self._rng = np.random.default_rng(seed)
        self.graph = Graph(dtype, training)
        tensors = [self.graph.input(a.shape[1:]) for a in arrays]
        y = self.graph.call(fn, *tensors) if is_layer else fn(*tensors)
        self._outputs: list[Tensor] = flatten(y)
        for t in self._outputs:
            if not isinstance(t, Tensor):
                raise TypeError(
                    "check_gradients: `fn` must return what pynn.ops makes of its inputs. "
                    f"Received: {type(t).__name__}"
                )
        shapes = [(len(arrays[0]), *t.sample) if t.batched else t.sample for t in self._outputs]
        self._weights = [self._rng.normal(size=shape).astype(dtype) for shape in shapes]
        self._plain = self.graph.network(self._outputs)
        self._extra: list[Array] = []
        sums = [self._weighted(t, w) for t, w in zip(self._outputs, self._weights, strict=True)]
        self._network = self.graph.network(sums, True)
        self._sums = len(sums)

    def _weighted(self, t: Tensor, weights: Array) -> Tensor:
        """For each sample, or all at once, the sum of an output's elements times weights."""
        if not t.batched:
            total: Tensor = reduce("sum", binary("multiply", t, weights))
            return total
        self._extra.append(weights)
        total = binary("multiply", t, self.graph.input(t.sample))
        return total if not t.sample else reduce("sum", total, range(1, len(t.shape)))

    def value(self) -> float:
        """The weighted sum."""
        outputs = self._plain.forward(self.arrays, self._seed, 0, 1) if self._training else None
        if outputs is None:
            outputs = self._plain.predict(self.arrays, 1)
        pairs = zip(outputs, self._weights, strict=True)
        return float(sum(np.sum(np.asarray(y, np.float64) * w) for y, w in pairs))

    def gradients(self) -> list[tuple[str, Any, Array]]:
        """Name, values and the engine's gradient of each input and trained weight."""
        losses = [{"values": i, "target": None} for i in range(self._sums)]
        sgd = {"name": "sgd", "fields": [0.0, 0.0]}
        trainer = _core.Trainer(self._network, self._network, losses, [], sgd, {})
        x = [*self.arrays, *self._extra]
        _, variables, inputs = trainer.gradients(x, [], [], self._seed, self._training, 1, True)
        found: list[tuple[str, Any, Array]] = [
            (f"input {i}", a, np.asarray(g))
            for i, (a, g) in enumerate(zip(self.arrays, inputs, strict=False))
        ]
        for variable, gradient in zip(self.graph.variables, variables, strict=True):
            if id(variable) in self.graph.trained and gradient is not None:
                found.append((variable.path, variable, np.asarray(gradient)))
        return found

    def error(self, values: Any, gradient: Array, step: float) -> float:
        """The largest relative error of a gradient, by differences of some elements."""
        live = values if isinstance(values, np.ndarray) else values.value
        places: Sequence[Any] = list(np.ndindex(live.shape))
        if len(places) > _MOST:
            places = [places[i] for i in self._rng.choice(len(places), _MOST, replace=False)]
        numeric = []
        for place in places:
            kept = live[place]
            ends = []
            for sign in (1, -1):
                live[place] = kept + sign * step
                ends.append(self.value())
            live[place] = kept
            numeric.append((ends[0] - ends[1]) / (2 * step))
        ours = np.array([gradient[place] for place in places])
        scale = max(1e-3, float(np.max(np.abs(numeric), initial=0)))
        return float(np.max(np.abs(ours - np.array(numeric)), initial=0)) / scale
