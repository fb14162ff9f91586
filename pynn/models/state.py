"""The optimizer's state in the engine, taken along when a model is copied, pickled or saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynn._graph.variable import Variable


@dataclass
class OptimizerState:
    """How far training has come.

    Attributes:
        iterations: calls of the optimizer.
        slots: every trained weight with its arrays, in the engine's order.
    """

    iterations: int
    slots: list[tuple[Variable, list[Any]]]


def read(trainer: Any, variables: list[Variable]) -> OptimizerState:
    """Returns a copy of the state of a trainer of these weights."""
    slots = [[slot.copy() for slot in own] for own in trainer.slots]
    return OptimizerState(trainer.iterations, list(zip(variables, slots, strict=True)))


def write(trainer: Any, variables: list[Variable], state: OptimizerState) -> None:
    """Continues from a state; weights that were not trained before start anew."""
    trainer.iterations = state.iterations
    saved = {id(variable): slots for variable, slots in state.slots}
    for variable, own in zip(variables, trainer.slots, strict=True):
        for slot, values in zip(own, saved.get(id(variable)) or own, strict=True):
            slot[...] = values


def of(model: Any) -> OptimizerState | None:
    """Returns a copy of a model's state; None before training."""
    if model._trainer is None:
        kept: OptimizerState | None = model._optimizer_state
        return kept
    return read(model._trainer, trained(model._trained_program))


def set_state(model: Any, state: OptimizerState) -> None:
    """Makes the training of a compiled model continue from ``state``, also one that runs."""
    if model._trainer is None:
        model._optimizer_state = state
    else:
        write(model._trainer, trained(model._trained_program), state)
    model.optimizer.calls = state.iterations


def trained(program: Any) -> list[Variable]:
    """The weights a program trains, in the engine's order."""
    return [v for v in program.graph.variables if id(v) in program.graph.trained]
