"""The nodes that describe a network to the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import numpy as np

from pynn import _core
from pynn._graph.structure import flatten, map_structure
from pynn._graph.tensor import Shape, Tensor
from pynn._graph.variable import Variable
from pynn.utils.naming import building

_tracing: ContextVar[Graph | None] = ContextVar("tracing", default=None)


def tracing() -> Graph | None:
    """The graph that a layer or function is being traced into, None if there is none."""
    return _tracing.get()


class Graph:
    """Nodes in order of execution; every node reads tensors that stand before it.

    Args:
        dtype: what the engine computes in, ``"float32"`` or ``"float64"``.
        training: whether layers describe what they do in training (dropout, statistics of the
            batch) or in prediction.
        dropout: whether noise is active in prediction, too.

    Attributes:
        variables: the weights, in order of first use.
        trained: id() of those that gradients change.
        penalties: tensors whose sums are added to the loss.
        stochastic: whether a node draws random numbers.
        owner: the layer that is being recorded.
    """

    def __init__(self, dtype: str, training: bool = False, dropout: bool = False) -> None:
        self.dtype = dtype
        self._dropout = dropout
        self._training = training
        self.differs_in_training = False  # whether a layer asked
        self.trains_in_prediction = False  # whether a layer was called with training=True
        self.inputs: list[Tensor] = []
        self._sparse: list[int] = []  # numbers of inputs
        self.variables: list[Variable] = []
        self.trained: set[int] = set()
        self.penalties: list[Tensor] = []
        self.stochastic = False
        self.owner: Any = None
        self._nodes: list[tuple[dict[str, Any], list[Tensor], Tensor]] = []
        self._parameters: dict[int, Tensor] = {}

    @property
    def training(self) -> bool:
        """Whether the layer being recorded acts as in training."""
        self.differs_in_training = True
        return self._training

    @property
    def noisy(self) -> bool:
        """Whether the layer being recorded disturbs its input."""
        return self.training or self._dropout

    @contextmanager
    def acting(self, training: bool | None) -> Iterator[None]:
        """What is recorded inside acts as in training, or not; None leaves it as it is."""
        outer = self._training
        if training is not None:
            self.trains_in_prediction |= bool(training) and not outer
            self._training = bool(training)
        try:
            yield
        finally:
            self._training = outer

    def input(self, sample: Shape, sparse: bool = False) -> Tensor:
        """Returns a new input's tensor.

        Args:
            sample: the shape of one sample.
            sparse: whether samples come as compressed rows.
        """
        tensor = Tensor(self, sample)
        if sparse:
            self._sparse.append(len(self.inputs))
        self.inputs.append(tensor)
        return tensor

    def call(self, operation: Any, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Adds what a layer computes, building it if that was not done before.

        Args:
            operation: a layer, or anything else with ``trace(graph, ...)``.
            args: its inputs: tensors, or structures of them.
            training: whether this layer (and those in it) acts as in training; by default as the
                graph does.
            kwargs: further arguments of the layer.
        """
        outer = self.owner
        token = _tracing.set(self)
        self.owner = operation
        try:
            is_layer = hasattr(operation, "build_for")
            with self.acting(training), building(operation) if is_layer else nullcontext():
                if is_layer:
                    if not args:
                        raise TypeError(
                            f"{operation.name}: a layer is called on its inputs, layer(x). "
                            "Received: no inputs"
                        )
                    operation.build_for(map_structure(lambda t: t.shape, args[0]))
                y = operation.trace(self, *args, **kwargs)
                for tensor in flatten(y):
                    if not isinstance(tensor, Tensor):
                        raise TypeError(
                            f"{operation.name}: a layer returns what pynn.ops and other layers "
                            f"make of its inputs. Received: {type(tensor).__name__}"
                        )
                    self._check_own(tensor)
                if getattr(operation, "activity_regularizer", None) is not None:
                    y = map_structure(self._penalized, y)
                if args and hasattr(operation, "compute_mask"):
                    self._mask(y, operation.compute_mask(args[0], masks_of(args[0])))
        finally:
            self.owner = outer
            _tracing.reset(token)
        return y

    @staticmethod
    def _mask(y: Any, masks: Any) -> None:
        """Attaches masks to results that have none of their own."""
        if masks is None:
            return
        for tensor, mask in zip(flatten(y), flatten(masks), strict=True):
            if tensor.mask is None:
                tensor.mask = mask

    def _penalized(self, y: Tensor) -> Tensor:
        factors = getattr(self.owner.activity_regularizer, "factors", None)
        if factors is None:
            self.penalties.append(self.owner.activity_penalty(y))
            return y
        l1, l2 = factors
        return self.add("activity_penalty", [y], y.sample, l1=l1, l2=l2) if l1 or l2 else y

    def add(
        self,
        op: str,
        inputs: Sequence[Tensor],
        sample: Shape,
        variables: Sequence[Variable] = (),
        *,
        batched: bool | None = None,
        random: bool = False,
        **spec: Any,
    ) -> Tensor:
        """Adds one node and returns its result.

        Args:
            op: the engine's operation.
            inputs: what it reads.
            sample: the shape of one sample of the result.
            variables: the weights it uses.
            batched: whether the result has samples; by default, if any input has.
            random: whether it draws random numbers.
            spec: the operation's parameters.

        Raises:
            ValueError: a tensor of another graph.
        """
        for tensor in inputs:
            self._check_own(tensor)
        if batched is None:
            batched = any(tensor.batched for tensor in inputs)
        trains = getattr(self.owner, "trainable", True)
        for variable in variables:
            if not any(variable is known for known in self.variables):
                self.variables.append(variable)
            if variable.trainable and trains:
                self.trained.add(id(variable))
        self.stochastic |= random
        node = {
            "op": op,
            "layer": self._owner_name,
            "variables": [v.core for v in variables],
            "trainable": [v.trainable and trains for v in variables],
            "batched": batched,
            **spec,
        }
        result = Tensor(self, tuple(sample), batched)
        self._nodes.append((node, list(inputs), result))
        return result

    def operation(self, tensor: Tensor) -> str | None:
        """The engine's operation that makes a tensor; None for an input."""
        return next((node["op"] for node, _, result in self._nodes if result is tensor), None)

    def _check_own(self, tensor: Tensor) -> None:
        if tensor.graph is not self:
            raise ValueError(
                f"{self._owner_name}: a symbol is valid only while the layer that received it "
                f"is being recorded. Received: {tensor!r} kept from another call"
            )

    @property
    def _owner_name(self) -> str:
        return str(getattr(self.owner, "name", "graph"))

    def parameter(self, variable: Variable) -> Tensor:
        """Returns the values of a weight array, a tensor without samples."""
        if id(variable) not in self._parameters:
            tensor = self.add("parameter", [], variable.shape, [variable], batched=False)
            self._parameters[id(variable)] = tensor
        return self._parameters[id(variable)]

    def constant(self, values: Any) -> Tensor:
        """Returns an array that is part of the graph, a tensor without samples."""
        array = np.asarray(values, dtype=self.dtype)
        return self.parameter(Variable(array, trainable=False, dtype=self.dtype, name="constant"))

    def external(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        inputs: Sequence[Tensor],
        sample: Shape,
        variables: Sequence[Variable] = (),
        batched: bool | None = None,
    ) -> Tensor:
        """Adds a node that Python functions compute on NumPy arrays.

        Args:
            forward: ``forward(arrays, training)`` returns ``(y, saved)``; ``arrays`` are the values
                of the inputs, then those of the variables.
            backward: ``backward(saved, dy, arrays)`` returns one gradient (or None) for each array.
            inputs: what it reads.
            sample: the shape of one sample of the result.
            variables: the weights it uses.
            batched: whether the result has samples; by default, if any input has.
        """
        return self.add(
            "external",
            inputs,
            sample,
            variables,
            batched=batched,
            shape=list(sample),
            forward=forward,
            backward=backward,
        )

    def network(self, outputs: Sequence[Tensor], input_gradients: bool = False) -> _core.Network:
        """Makes the executable network that computes ``outputs``."""
        number = {id(tensor): i for i, tensor in enumerate(self.inputs)}
        nodes = []
        for node, inputs, result in self._nodes:
            nodes.append({**node, "inputs": [number[id(tensor)] for tensor in inputs]})
            number[id(result)] = len(number)
        return _core.Network(
            self.dtype,
            [tensor.sample for tensor in self.inputs],
            nodes,
            [number[id(tensor)] for tensor in outputs],
            input_gradients,
            self._sparse,
        )


def masks_of(structure: Any) -> Any:
    """The masks of tensors in the same structure; None if there are none at all."""
    masks = map_structure(lambda leaf: getattr(leaf, "mask", None), structure)
    return masks if any(mask is not None for mask in flatten(masks)) else None
