"""The optimizer's state as Keras orders it: step count, learning rate, arrays per weight."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn.models import state
from pynn.saving import hdf5

Array = npt.NDArray[Any]

# Most optimizers keep the arrays of one weight together. Those named here are kept apart: one such
# array of every weight, then the next. By optimizer: the numbers of its arrays in the engine's order.
_APART: dict[str, Sequence[int]] = {"RMSprop": (0, 1, 2), "Adam": (2,), "AdamW": (2,)}


def arrays(model: Any) -> list[tuple[str, Array]]:
    """Names and values of the optimizer's variables, in Keras's order; none before training."""
    saved = state.of(model)
    if saved is None:
        return []
    optimizer = model.optimizer
    found = [("iteration", np.array(saved.iterations, np.int32))]
    rate = optimizer.get_config()["learning_rate"]
    if isinstance(rate, float):
        found.append(("learning_rate", np.array(rate, np.float32)))
    variables = model.trainable_variables
    own = {id(variable): slots for variable, slots in saved.slots}
    names = [variable.path.replace("/", "_") for variable in variables]
    for i, s in _order(optimizer, len(variables), _count(saved)):
        found.append((f"{names[i]}_slot_{s}", own[id(variables[i])][s]))
    if type(optimizer).__name__ == "Nadam":
        product = _nadam_product(saved.iterations, optimizer.beta_1)
        found.append(("momentum_product", np.array(product, np.float32)))
    return found


def _nadam_product(steps: int, beta: float) -> float:
    """The product of the momentum schedule so far, which Keras keeps as a variable."""
    t = np.arange(1, steps + 1, dtype=np.float64)
    return float(np.prod(beta * (1 - 0.5 * 0.96**t)))


def _count(saved: state.OptimizerState) -> int:
    return len(saved.slots[0][1]) if saved.slots else 0


def _order(optimizer: Any, variables: int, slots: int) -> list[tuple[int, int]]:
    """Number of the weight and of its array, in the order of the file."""
    apart = [s for s in _APART.get(type(optimizer).__name__, ()) if s < slots]
    together = [s for s in range(slots) if s not in apart]
    order = [(i, s) for i in range(variables) for s in together]
    return order + [(i, s) for s in apart for i in range(variables)]


def restore(holder: Any, names: Sequence[str], model: Any, generation: int = 3) -> bool:
    """Continues from the optimizer's variables in a file.

    Args:
        holder: the group that has them.
        names: their names, in order.
        model: a built and compiled model.
        generation: 1 or 2 for files in which each kind of array is kept apart.

    Returns:
        Whether they fitted; if not, the optimizer starts anew, with a warning.
    """
    variables = model.trainable_variables
    shapes = [hdf5.shape_of(holder, name) for name in names]
    scalars = [n for n, shape in zip(names, shapes, strict=True) if shape == ()]
    others = [n for n, shape in zip(names, shapes, strict=True) if shape != ()]
    slots = len(others) // max(1, len(variables))
    order = _order(model.optimizer, len(variables), slots)
    if generation < 3:
        order = [(i, s) for s in range(slots) for i in range(len(variables))]
    wanted = [variables[i].shape for i, _ in order]
    if not scalars or [hdf5.shape_of(holder, n) for n in others] != wanted:
        warnings.warn(
            "The optimizer's state in the file does not fit the model: training goes on with a "
            "new state.",
            stacklevel=4,
        )
        return False
    own: list[list[Array]] = [[np.empty(0)] * slots for _ in variables]
    for name, (i, s) in zip(others, order, strict=True):
        own[i][s] = hdf5.array(holder, name, variables[i].shape)
    steps = int(hdf5.array(holder, scalars[0], ()))
    pairs = list(zip(variables, own, strict=True))
    rate = next((n for n in scalars[1:] if n == "1" or "learning_rate" in n), None)
    if rate is not None:
        _set_rate(model.optimizer, hdf5.array(holder, rate, ()))
    state.set_state(model, state.OptimizerState(steps, pairs))
    return True


def _set_rate(optimizer: Any, saved: Array) -> None:
    """Takes over a rate that differs from the configured one by more than its rounding."""
    rate = optimizer.get_config()["learning_rate"]
    if isinstance(rate, float) and np.float32(rate) != np.float32(saved):
        optimizer.learning_rate = float(saved)
