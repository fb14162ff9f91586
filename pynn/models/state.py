"""The optimizer's state in the engine, taken along when a model is copied or pickled."""

from __future__ import annotations

from typing import Any


def read(trainer: Any) -> dict[str, Any]:
    """Returns copies of the step count and of the state arrays of a trainer."""
    slots = [[slot.copy() for slot in slots] for slots in trainer.slots]
    return {"iterations": trainer.iterations, "slots": slots}


def write(trainer: Any, state: dict[str, Any]) -> None:
    """Continues from a state that ``read`` returned for the same layers and optimizer."""
    trainer.iterations = state["iterations"]
    for slots, saved in zip(trainer.slots, state["slots"], strict=True):
        for slot, values in zip(slots, saved, strict=True):
            slot[...] = values
