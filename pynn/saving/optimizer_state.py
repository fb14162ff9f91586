"""The optimizer's state as Keras orders it: calls, learning rate, arrays of the weights."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn.models import state
from pynn.saving import hdf5

Array = npt.NDArray[Any]

# Most optimizers keep the arrays of one weight together. Those named here are kept apart: one such
# array of every weight, then the next.
_APART = {"RMSprop": {"velocity", "momentum", "average_gradient"}}
_ALWAYS_APART = {"velocity_hat"}
_EXTRA = ("average", "gradient_accumulator")


@dataclass(frozen=True)
class Slot:
    """One array of an optimizer's state.

    Attributes:
        weight: the number of its weight among those that are trained.
        number: its number among the arrays that the engine keeps for this weight.
        name: what Keras calls it.
        shape: its shape.
    """

    weight: int
    number: int
    name: str
    shape: tuple[int, ...]


def layout(optimizer: Any, variables: Sequence[Any]) -> list[Slot]:
    """All arrays of an optimizer for these weights, in the order of files.

    The engine keeps running means of the weights and sums of gradients behind the rule's own arrays
    of a weight; in files they stand before all of those.
    """
    kept = (optimizer.use_ema, optimizer.gradient_accumulation_steps)
    extra = [name for name, wanted in zip(_EXTRA, kept, strict=True) if wanted]
    apart = _APART.get(type(optimizer).__name__, _ALWAYS_APART)
    slots = []
    for weight, variable in enumerate(variables):
        rule = optimizer.slot_shapes(variable.shape)
        named = [*rule, *((name, variable.shape) for name in extra)]
        for number, (name, shape) in enumerate(named):
            slots.append(Slot(weight, number, name, tuple(shape)))

    def place(slot: Slot) -> tuple[int, int, int]:
        if slot.name in extra:
            return (0, slot.number, slot.weight)
        return (
            (2, slot.number, slot.weight) if slot.name in apart else (1, slot.weight, slot.number)
        )

    return sorted(slots, key=place)


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
    for slot in layout(optimizer, variables):
        variable = variables[slot.weight]
        name = f"{variable.path.replace('/', '_')}_{slot.name}"
        found.append((name, own[id(variable)][slot.number]))
    if _keeps_product(optimizer):
        product = _momentum_product(saved.iterations, optimizer.beta_1)
        found.append(("u_product", np.array(product, np.float32)))
    return found


def _keeps_product(optimizer: Any) -> bool:
    return type(optimizer).__name__ == "Nadam"


def _momentum_product(steps: int, beta: float) -> float:
    """The product of Nadam's momentum schedule so far, which Keras keeps as a variable."""
    t = np.arange(1, steps + 1, dtype=np.float64)
    return float(np.prod(beta * (1 - 0.5 * 0.96**t)))


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
    slots = layout(optimizer, variables)
    if by_kind:
        slots = sorted(slots, key=lambda slot: (slot.number, slot.weight))
    tail = int(_keeps_product(optimizer) and not by_kind)
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
