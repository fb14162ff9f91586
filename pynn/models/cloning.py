"""Copies of models with weights of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pynn._graph.structure import flatten, map_structure
from pynn._graph.symbol import FunctionCall, KerasTensor, record_call
from pynn.layers import InputLayer, Lambda, Layer
from pynn.models.functional import Functional, takes_symbols
from pynn.models.model import Model
from pynn.models.sequential import Sequential

Clone = Callable[[Layer], Layer]


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Clone | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """Returns a model with new layers like those of ``model`` and new, freshly filled weights.

    Args:
        model: a Sequential or functional model; or a model of one's own class with ``get_config``.
        input_tensors: symbols for the inputs of the copy; by default new ones.
        clone_function: ``f(layer) -> layer``, called for every layer but inputs; by default
            ``layer.from_config(layer.get_config())``.
        call_function: ``f(layer, *args, **kwargs)`` in place of the call of each new layer; for
            functional models.
        recursive: whether ``clone_function`` is applied to the layers of inner models, too.
        kwargs: ``cache``, a dictionary from id() of layers to their copies; it is filled.

    Raises:
        ValueError: no model, or an argument that this kind of model does not take.
        TypeError: ``clone_function`` returned something that is no layer.

    Example:
        >>> import pynn
        >>> model = pynn.Sequential([pynn.Input((2,)), pynn.layers.Dense(1)])
        >>> copy = clone_model(model)
        >>> copy.set_weights(model.get_weights())
    """
    cache = kwargs.pop("cache", None)
    cache = {} if cache is None else cache
    if kwargs:
        raise ValueError(f"clone_model: unknown argument `{next(iter(kwargs))}`.")
    if not isinstance(model, Model):
        raise ValueError(f"clone_model: expected a model. Received: {model!r}")
    clone = clone_function or _same
    if isinstance(model, Functional):
        return _clone_graph(model, input_tensors, clone, call_function, recursive, cache)
    if call_function is not None:
        raise ValueError(
            f"clone_model: `call_function` is for functional models. Received: {model!r}"
        )
    if isinstance(model, Sequential):
        return _clone_stack(model, input_tensors, clone, recursive, cache)
    if clone_function is not None or input_tensors is not None:
        raise ValueError(
            "clone_model: a model of your own class is copied by its get_config and from_config; "
            f"clone_function and input_tensors do not apply. Received: {model!r}"
        )
    return _same(model)


def _same(layer: Layer) -> Layer:
    config = layer.get_config()
    if isinstance(layer, Lambda):  # the copy calls the same functions
        config |= {
            "function": layer.function,
            "mask": layer.mask,
            "output_shape": layer.required_shape,
        }
    return type(layer).from_config(config)


def _clone_layer(layer: Layer, clone: Clone, recursive: bool, cache: dict[int, Layer]) -> Layer:
    if id(layer) not in cache:
        if recursive and isinstance(layer, (Functional, Sequential)):
            made = clone_model(layer, clone_function=clone, recursive=True, cache=cache)
        else:
            made = clone(layer)
        if not isinstance(made, Layer):
            raise TypeError(
                f"clone_model: clone_function must return a layer. Received: {made!r} for "
                f"{layer.name!r}"
            )
        cache[id(layer)] = made
    return cache[id(layer)]


def _clone_stack(
    model: Sequential, inputs: Any, clone: Clone, recursive: bool, cache: dict[int, Layer]
) -> Sequential:
    stack: list[Any] = []
    given = flatten(inputs) if inputs is not None else []
    if given:
        stack.append(InputLayer.like(given[0]))
    elif model._input is not None:
        stack.append(_same(model._input))
    stack += [_clone_layer(layer, clone, recursive, cache) for layer in model.layers]
    copy = Sequential(stack, name=model.name, trainable=model.trainable)
    if not copy.built and model.built:
        copy.build(model.input_shape)
    return copy


def _clone_graph(
    model: Functional,
    inputs: Any,
    clone: Clone,
    call: Callable[..., Any] | None,
    recursive: bool,
    cache: dict[int, Layer],
) -> Functional:
    olds = flatten(model.symbols)
    news = [InputLayer.like(old).output for old in olds] if inputs is None else flatten(inputs)
    if len(news) != len(olds):
        raise ValueError(f"clone_model: expected {len(olds)} input_tensors. Received: {len(news)}")
    known = {id(old): new for old, new in zip(olds, news, strict=True)}

    def new(structure: Any) -> Any:
        return map_structure(
            lambda leaf: known[id(leaf)] if isinstance(leaf, KerasTensor) else leaf, structure
        )

    for node in model._topology.nodes:
        args = new(node.args)
        kwargs: Mapping[str, Any] = {key: new(value) for key, value in node.kwargs.items()}
        operation = node.operation
        if isinstance(operation, FunctionCall):
            made = FunctionCall(operation.function, operation.name)
            y = record_call(made, args, kwargs)
        else:
            layer = _clone_layer(operation, clone, recursive, cache)
            y = layer(*args, **kwargs) if call is None else call(layer, *args, **kwargs)
        for old, result in zip(flatten(node.outputs), flatten(y), strict=True):
            known[id(old)] = result
    ends = new(model.symbols) if inputs is None else inputs
    kind = type(model) if takes_symbols(type(model)) else Functional
    return kind(ends, new(model.output), name=model.name, trainable=model.trainable)
