"""Functions of pynn.ops as the engine runs them: values, and gradients by differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import _core, ops
from pynn._graph.graph import Graph
from pynn._graph.structure import flatten
from pynn._graph.variable import Variable

Array = npt.NDArray[Any]
SGD: dict[str, Any] = {"name": "sgd", "fields": [0.0, 0.0]}


class Traced:
    """A function traced with arrays in place: ``batched[i]`` says which have a batch axis.

    Those without one become trained variables.
    """

    def __init__(
        self, function: Callable[..., Any], arrays: Sequence[Any], batched: Sequence[bool]
    ) -> None:
        self.arrays = [np.array(a, np.float64) for a in arrays]
        self.batched = list(batched)
        self.graph = Graph("float64")
        self.variables: dict[int, Variable] = {}
        tensors = []
        for i, (array, has_batch) in enumerate(zip(self.arrays, batched, strict=True)):
            if has_batch:
                tensors.append(self.graph.input(array.shape[1:]))
            else:
                self.variables[i] = Variable(array, dtype="float64", name=f"w{i}")
                tensors.append(self.graph.parameter(self.variables[i]))
        self.outputs = flatten(function(*tensors))
        self.samples = next((len(a) for a, b in zip(self.arrays, batched, strict=True) if b), 1)
        if not self.graph.inputs:
            self.graph.input(())
        self._network = self.graph.network(self.outputs)

    def _x(self, arrays: Sequence[Array]) -> list[Array]:
        x = [a for a, b in zip(arrays, self.batched, strict=True) if b]
        return x or [np.zeros(self.samples)]

    def values(self, arrays: Sequence[Array] | None = None, training: bool = False) -> list[Array]:
        """The outputs, for other values of the arguments where some are given."""
        arrays = self.arrays if arrays is None else arrays
        for i, variable in self.variables.items():
            variable.assign(arrays[i])
        x = self._x(arrays)
        return self._network.forward(x, 0, 0, 2) if training else self._network.predict(x, 2)

    def gradients(self, weights: Sequence[Array], training: bool = True) -> list[Array]:
        """The gradients of the sum of all outputs times weights, one for each argument."""
        sums, extra = [], []
        for y, w in zip(self.outputs, weights, strict=True):
            if y.batched:
                product = ops.multiply(y, self.graph.input(y.sample))
                extra.append(w)
            else:
                product = ops.multiply(y, w)
            axes = list(range(int(y.batched), len(product.shape)))
            sums.append(ops.sum(product, axes) if axes else product)
        network = self.graph.network(sums, True)
        losses = [{"values": i, "target": None} for i in range(len(sums))]
        trainer = _core.Trainer(network, network, losses, [], SGD, {})
        x = [*self._x(self.arrays), *extra]
        _, by_variable, by_input = trainer.gradients(x, [], [], 0, training, 2, True)
        numbers = {id(v): g for v, g in zip(self.graph.variables, by_variable, strict=True)}
        inputs = iter(by_input)
        return [
            np.asarray(next(inputs) if b else numbers[id(self.variables[i])])
            for i, b in enumerate(self.batched)
        ]


def check(
    function: Callable[..., Any],
    arrays: Sequence[Any],
    batched: Sequence[bool] | None = None,
    reference: Callable[..., Any] | None = None,
    gradients: bool = True,
    step: float = 1e-6,
) -> None:
    """A traced function's values against NumPy's, its gradients against differences of NumPy's."""
    arrays = [np.array(a, np.float64) for a in arrays]
    flags = [True] * len(arrays) if batched is None else list(batched)
    by_numpy = function if reference is None else reference
    traced = Traced(function, arrays, flags)
    expected = [np.asarray(y) for y in flatten(by_numpy(*arrays))]
    for training in (False, True):
        found = traced.values(training=training)
        assert len(found) == len(expected)
        for ours, theirs, tensor in zip(found, expected, traced.outputs, strict=True):
            assert ours.shape == theirs.shape
            assert tensor.sample == theirs.shape[int(tensor.batched) :]
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
    if not gradients:
        return
    rng = np.random.default_rng(8)
    weights = [rng.normal(size=y.shape) for y in expected]

    def total(values: Sequence[Array]) -> float:
        ys = flatten(by_numpy(*values))
        return float(sum(np.sum(np.asarray(y) * w) for y, w in zip(ys, weights, strict=True)))

    for i, gradient in enumerate(traced.gradients(weights)):
        numeric = np.zeros_like(arrays[i])
        for place in np.ndindex(arrays[i].shape):
            ends = []
            for sign in (1, -1):
                moved = [a.copy() for a in arrays]
                moved[i][place] += sign * step
                ends.append(total(moved))
            numeric[place] = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(gradient, numeric, rtol=2e-6, atol=2e-8)
