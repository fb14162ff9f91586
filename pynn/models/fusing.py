"""Batch normalization folded into the dense layers before it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from pynn._graph.structure import flatten
from pynn.layers import BatchNormalization, Dense, Identity, InputLayer, Layer
from pynn.models.cloning import clone_model
from pynn.models.data import inputs
from pynn.models.functional import Functional
from pynn.models.sequential import Sequential

_PROBE_ROWS = 64
_CLOSE = {"float32": 1e-4, "float64": 1e-10}


def fuse(model: Any) -> Any:
    """Returns a copy for prediction without the batch normalizations that dense layers can hold.

    Formula: with ``s = gamma / sqrt(moving_variance + epsilon)``, a dense layer without activation
    and the batch normalization behind it become one dense layer with the kernel ``W s`` and the
    bias ``(b - moving_mean) s + beta``.

    Args:
        model: a built Sequential or functional model.

    Raises:
        TypeError: a model of another kind.
        ValueError: the model is not built.
        RuntimeError: the copy predicts something else than the model on random samples.

    Example:
        >>> import pynn
        >>> from pynn import layers
        >>> model = pynn.Sequential([
        ...     pynn.Input((3,)), layers.Dense(2), layers.BatchNormalization(), layers.ReLU()])
        >>> [type(layer).__name__ for layer in fuse(model).layers]
        ['Dense', 'ReLU']
    """
    if not isinstance(model, (Functional, Sequential)):
        raise TypeError(
            "fuse: only Sequential and functional models say which layer follows which. "
            f"Received: {model!r}"
        )
    if not model.built:
        raise ValueError(f"fuse: build the model first. Received: {model!r}")
    pairs = _pairs(model)
    norms = {id(norm) for _, norm in pairs}
    dense_layers = {id(dense) for dense, _ in pairs}
    copies: dict[int, Layer] = {}

    def clone(layer: Layer) -> Layer:
        if id(layer) in copies:
            return copies[id(layer)]
        config = layer.get_config()
        if id(layer) in norms:
            copies[id(layer)] = Identity(name=layer.name)
        elif id(layer) in dense_layers:
            copies[id(layer)] = Dense.from_config({**config, "use_bias": True})
        else:
            copies[id(layer)] = type(layer).from_config(config)
        return copies[id(layer)]

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        is_gone = any(copies.get(norm) is layer for norm in norms)
        return args[0] if is_gone else layer(*args, **kwargs)

    if isinstance(model, Functional):
        fused = clone_model(model, clone_function=clone, call_function=call)
    else:
        kept: list[Layer] = [] if model._input is None else [InputLayer.like(model.symbols)]
        kept += [clone(layer) for layer in model.layers if id(layer) not in norms]
        fused = Sequential(kept, name=model.name)
        fused.build(model.input_shape)
    for layer in model.sublayers:
        if id(layer) not in norms and id(layer) not in dense_layers:
            copies[id(layer)].set_weights(layer.get_weights())
    for dense, norm in pairs:
        copies[id(dense)].set_weights(_folded(dense, norm))
    _compare(model, fused)
    return fused


def _pairs(model: Functional | Sequential) -> list[tuple[Dense, BatchNormalization]]:
    """Dense layers without activation and the normalizations that alone read them."""
    if isinstance(model, Sequential):
        used: list[Any] = model.layers
        steps = list(pairwise(used))
    else:
        nodes = model._topology.nodes
        used = [node.operation for node in nodes]
        read = [id(symbol) for node in nodes for symbol in node.inputs]
        read += [id(symbol) for symbol in flatten(model.output)]
        steps = [
            (node.inputs[0].history.operation, node.operation)
            for node in nodes
            if node.inputs[0].history is not None and read.count(id(node.inputs[0])) == 1
        ]
    return [
        (before, norm)
        for before, norm in steps
        if sum(other is before for other in used) == sum(other is norm for other in used) == 1
        and type(before) is Dense
        and type(norm) is BatchNormalization
        and before.activity_regularizer is None
        and norm.activity_regularizer is None
        and getattr(before.activation, "name", "") == "linear"
        and norm.axis in (-1, len(before.output_shape) - 1)
    ]


def _folded(dense: Dense, norm: BatchNormalization) -> list[Any]:
    kernel = dense.kernel.numpy().astype(np.float64)
    bias = dense.bias.numpy().astype(np.float64) if dense.bias is not None else 0.0
    scale = 1 / np.sqrt(norm.moving_variance.numpy().astype(np.float64) + norm.epsilon)
    if norm.gamma is not None:
        scale = scale * norm.gamma.numpy()
    shift = 0.0 if norm.beta is None else norm.beta.numpy().astype(np.float64)
    return [kernel * scale, (bias - norm.moving_mean.numpy()) * scale + shift]


def _compare(model: Any, fused: Any) -> None:
    """Raises RuntimeError where the two models predict different numbers."""
    rng = np.random.default_rng(0)
    rows = [rng.standard_normal((_PROBE_ROWS, *symbol.sample)) for symbol in model.inputs]
    x = inputs(rows, model.inputs, model.input_names)
    for ours, theirs in zip(fused.program().run(x), model.program().run(x), strict=True):
        close = _CLOSE[model.program().dtype] * max(1.0, float(np.abs(theirs).max(initial=0)))
        error = float(np.abs(ours - theirs).max(initial=0))
        if not error <= close:
            raise RuntimeError(
                "fuse: the copy must predict what the model predicts. "
                f"Received: a largest difference of {error:g} on {_PROBE_ROWS} random samples"
            )
