"""Losses of classification, for each element or each row."""

from __future__ import annotations

from typing import Any

from pynn import config
from pynn.ops._dispatch import public, rank_of, shape_of
from pynn.ops._primitives import reduce
from pynn.ops._tables import add, divide, log, multiply, negative, softplus, subtract
from pynn.ops.arrangement import squeeze
from pynn.ops.elementwise import clip
from pynn.ops.nn import log_softmax, one_hot


@public
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """The cross-entropy of two classes, for each element.

    Formula: ``y = -t log(p) - (1 - t) log(1 - p)``

    Args:
        target: probabilities, 0 and 1 mostly.
        output: predicted probabilities, or logits.
        from_logits: whether ``output`` holds logits.

    Example:
        >>> binary_crossentropy([1.0], [0.5]).round(4).tolist()
        [0.693...]
    """
    _same_shape("binary_crossentropy", target, output)
    if from_logits:
        positive = add(multiply(subtract(1.0, target), output), softplus(negative(output)))
        return positive
    p = _inside(output)
    return negative(
        add(multiply(target, log(p)), multiply(subtract(1.0, target), log(subtract(1.0, p))))
    )


@public
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """The cross-entropy of several classes, for each row of probabilities.

    Formula: ``y = -sum_j t_j log(p_j)``

    Args:
        target: probabilities.
        output: predicted probabilities, or logits.
        from_logits: whether ``output`` holds logits.
        axis: the axis of the classes.
    """
    _same_shape("categorical_crossentropy", target, output)
    return negative(reduce("sum", multiply(target, _log_p(output, from_logits, axis)), axis))


@public
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """The cross-entropy of several classes where targets are class numbers.

    Formula: ``y = -log(p_t)``

    Args:
        target: class numbers.
        output: predicted probabilities, or logits.
        from_logits: whether ``output`` holds logits.
        axis: the axis of the classes.
    """
    if rank_of(target) == rank_of(output) and shape_of(target)[-1] == 1:
        target = squeeze(target, -1)
    classes = shape_of(output)[axis]
    hits = one_hot(target, int(classes or 0), axis)
    _same_shape("sparse_categorical_crossentropy", hits, output)
    return negative(reduce("sum", multiply(hits, _log_p(output, from_logits, axis)), axis))


def _log_p(output: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return log_softmax(output, axis)
    return log(_inside(divide(output, reduce("sum", output, axis, True))))


def _inside(p: Any) -> Any:
    """Probabilities that have finite logarithms."""
    return clip(p, config.epsilon(), 1.0 - config.epsilon())


def _same_shape(owner: str, target: Any, output: Any) -> None:
    if shape_of(target) != shape_of(output):
        raise ValueError(
            f"{owner}: `target` and `output` must have the same shape. Received: "
            f"target.shape={shape_of(target)}, output.shape={shape_of(output)}"
        )
