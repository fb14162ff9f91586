"""The optimizer's state as Keras orders it: calls, learning rate, arrays of the weights."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn.models import state
from pynn.saving import hdf5

Array = npt.NDArray[Any]


def arrays(model: Any) -> list[tuple[str, Array]]:
    """Names and values of the optimizer's variables, in Keras's order; none before training."""
    saved = state.of(model)
    if saved is None:
        return []
    optimizer, variables = model.optimizer, model.trainable_variables
    found = [("iteration", np.array(saved.iterations, np.int32))]
    rate = _own_rate(optimizer)
    if rate is not None:
        found.append(("learning_rate", np.array(rate, np.float32)))
    own = {id(variable): slots for variable, slots in saved.slots}
    for slot in optimizer.layout([variable.shape for variable in variables]):
        variable = variables[slot.weight]
        name = f"{variable.path.replace('/', '_')}_{slot.name}"
        found.append((name, own[id(variable)][slot.number]))
    return found + list(optimizer.rule_scalars().items())


def _own_rate(optimizer: Any) -> float | None:
    """The learning rate where it is a number, None where a schedule or function gives it."""
    rate = optimizer.get_config()["learning_rate"]
    return float(rate) if isinstance(rate, (int, float)) else None


def restore(holder: Any, names: Sequence[str], model: Any, by_kind: bool = False) -> None:
    """Continues from the optimizer's variables in a file.

    Args:
        holder: the group that has them.
        names: their names, in order.
        model: a built and compiled model.
        by_kind: whether arrays of one kind stand together, as before Keras 2.11.

    Warns:
        UserWarning: they do not fit the optimizer, which then starts anew.
    """
    optimizer, variables = model.optimizer, model.trainable_variables
    slots = optimizer.layout([variable.shape for variable in variables])
    if by_kind:
        slots = sorted(slots, key=lambda slot: (slot.number, slot.weight))
    tail = 0 if by_kind else len(optimizer.rule_scalars())  # they follow from the step
    lead = len(names) - len(slots) - tail
    if lead not in (1, 2):
        if len(names) > 2:  # else it was saved before training
            _warn(f"{len(slots)} arrays expected, {len(names)} found")
        return
    own: list[list[Array]] = [[] for _ in variables]
    values: dict[tuple[int, int], Array] = {}
    try:
        steps = int(hdf5.array(holder, names[0], ()))
        rate = float(hdf5.array(holder, names[1], ())) if lead == 2 else None
        for slot, name in zip(slots, names[lead:], strict=False):
            values[slot.weight, slot.number] = hdf5.array(holder, name, slot.shape)
    except ValueError as error:
        _warn(str(error))
        return
    for weight, number in sorted(values):
        own[weight].append(values[weight, number])
    configured = _own_rate(optimizer)
    if rate is not None and configured is not None and np.float32(configured) != np.float32(rate):
        optimizer.learning_rate = rate
    state.set_state(model, state.OptimizerState(steps, list(zip(variables, own, strict=True))))


def _warn(what: str) -> None:
    warnings.warn(
        f"The optimizer's state in the file does not fit the model ({what}): training goes on "
        "with a new state.",
        stacklevel=5,
    )
