"""Graphs with inputs and outputs, run on data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import _core, config
from pynn._graph.graph import Graph
from pynn._graph.structure import flatten, map_structure, pack
from pynn._graph.symbol import KerasTensor, Placeholders, symbols_in
from pynn._graph.tensor import Tensor
from pynn.utils.random import draw_seed
from pynn.utils.sparse import SparseRows, is_sparse

Array = npt.NDArray[Any]
# What the engine reads, in the machine's byte order.
_TAKEN = frozenset(map(np.dtype, "?bBhHiIlLqQefd"))
_CHUNK_WORK = 2.5e9  # multiplications in one call of predict or evaluate


class Program:
    """What a layer or a model computes, as the engine runs it.

    Args:
        layer: it is built where that has not been done.
        args: what it is called with: structures of symbols, one for each input.
        kwargs: further arguments of the call.
        training: whether layers act as in training.
        input_gradients: whether the loss's gradient is wanted at the inputs.
        dropout: whether noise is active in prediction, too.

    Raises:
        ValueError: layers that do not fit each other, or whose float types differ.
    """

    def __init__(
        self,
        layer: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any] | None = None,
        training: bool = False,
        input_gradients: bool = False,
        dropout: bool = False,
    ) -> None:
        self.dtype = _float_type(layer)
        self.graph = Graph(self.dtype, training, dropout)
        tensors = Placeholders(self.graph)
        options = dict(kwargs or {})
        for symbol in symbols_in((tuple(args), options)):
            tensors.set(symbol, self.graph.input(symbol.sample, symbol.sparse))
        options = tensors.replace(options)
        self.outputs = self.graph.call(layer, *tensors.replace(tuple(args)), **options)
        _check_float_types(layer)
        self._trainable = [(leaf, leaf.trainable) for leaf in leaves(layer)]
        self._training = training
        self._input_gradients = input_gradients
        self._passes = itertools.count()
        plain = len(self.graph.inputs) == 1 and isinstance(self.outputs, Tensor)
        plain = plain and not any(symbol.sparse for symbol in symbols_in(tuple(args)))
        self._only_sample = self.graph.inputs[0].sample if plain else None
        self._network: _core.Network | None = None
        self._extra: list[Tensor] = []

    def also(self, tensor: Tensor) -> int:
        """Makes ``tensor`` a further output of the network; returns its number."""
        self._extra.append(tensor)
        return len(self.flat_outputs) + len(self._extra) - 1

    @property
    def flat_outputs(self) -> list[Tensor]:
        """The results in a row."""
        return flatten(self.outputs)

    @property
    def network(self) -> _core.Network:
        """The executable network, made on first use."""
        if self._network is None:
            outputs = [*self.flat_outputs, *self._extra]
            self._network = self.graph.network(outputs, self._input_gradients)
        return self._network

    @property
    def differs_in_training(self) -> bool:
        """Whether some layer acts differently in training and prediction."""
        return self.graph.differs_in_training

    def is_current(self) -> bool:
        """Whether the layers that are trained are still those of when this was made."""
        return all(layer.trainable == trainable for layer, trainable in self._trainable)

    @cached_property
    def chunk_rows(self) -> int:
        """Rows of one call, about a tenth of a second's; by the network alone, as are the sums."""
        weights = sum(math.prod(v.shape) for v in self.graph.variables)
        return max(4096, int(_CHUNK_WORK / max(1, weights)) // 256 * 256)

    @cached_property
    def needs_batches(self) -> bool:
        """Whether outputs depend on what other samples, or how many, are computed with theirs."""
        return self.network.whole_batch or self.graph.trains_in_prediction

    def next_pass(self) -> tuple[bool, int, int]:
        """Whether the samples are one batch, as in training; where its random numbers come from.

        Returns:
            False and zeros where every sample is by itself; else True, a seed and a number that no
            other pass has, for layers with a seed of their own.
        """
        graph = self.graph
        acts = graph.stochastic or graph.trains_in_prediction
        if acts or (self._training and graph.differs_in_training):
            return True, draw_seed(), next(self._passes)
        return False, 0, 0

    def run(self, x: Sequence[Array | SparseRows]) -> list[Array]:
        """Computes the outputs for arrays of samples, one for each input."""
        training, seed, step = self.next_pass()
        if training:
            return self.network.forward(list(x), seed, step, config.n_threads())
        return self.network.predict(list(x), config.n_threads())

    def takes(self, x: Any) -> bool:
        """Whether ``x`` is an array as it is and the result is one, too: nothing to look up."""
        is_plain = type(x) is np.ndarray and x.ndim > 0 and x.dtype in _TAKEN
        return is_plain and x.shape[1:] == self._only_sample

    def takes_at_once(self, x: Any) -> bool:
        """Whether one call of the engine is also all that a prediction of ``x`` is."""
        return self.takes(x) and len(x) > 0 and not self.needs_batches

    def __call__(self, x: Sequence[Array | SparseRows]) -> Any:
        """The same in the structure the layer returns."""
        return pack(self.outputs, self.run(x))


def leaves(layer: Any) -> list[Any]:
    """The layers inside a layer, or itself if there are none."""
    inner = layer.sublayers
    return [leaf for part in inner for leaf in leaves(part)] or [layer]


def _float_type(layer: Any) -> str:
    types = {leaf.dtype for leaf in leaves(layer)}
    return str(types.pop() if len(types) == 1 else layer.dtype)


def _check_float_types(layer: Any) -> None:
    found = leaves(layer)
    if len({leaf.dtype for leaf in found}) > 1:
        raise ValueError(
            "All layers of a model must have the same float type. Received: "
            + ", ".join(f"{leaf.name} ({leaf.dtype})" for leaf in found)
        )


def run_layer(layer: Any, args: Sequence[Any], kwargs: Mapping[str, Any], training: bool) -> Any:
    """Runs a layer on arrays of samples."""
    given = (tuple(args), dict(kwargs))
    arrays = [leaf if is_sparse(leaf) else np.asarray(leaf) for leaf in flatten(given[0])]
    for array in arrays:
        if array.ndim == 0:
            raise ValueError(f"{layer.name}: expected arrays of samples. Received: a single number")
    further = [leaf for leaf in flatten(given[1]) if isinstance(leaf, np.ndarray) and leaf.ndim]
    known = {id(leaf) for leaf in further}

    def symbol(leaf: Any) -> Any:
        return KerasTensor((None, *np.shape(leaf)[1:]), sparse=is_sparse(leaf))

    symbols = map_structure(symbol, given[0])
    options = map_structure(lambda leaf: symbol(leaf) if id(leaf) in known else leaf, given[1])
    return Program(layer, symbols, options, training)([*arrays, *further])
