"""A trained model as plain numbers and text, for pickles and for files such as those of skops."""

from __future__ import annotations

from typing import Any

from pynn import optimizers
from pynn.models import state
from pynn.saving import model_from_json


def pack(model: Any) -> dict[str, Any]:
    """Returns what ``unpack`` makes an equal model of, its optimizer's state included.

    Args:
        model: of an estimator. Its layers are those of pynn.
    """
    places = {id(variable): place for place, variable in enumerate(model.variables)}
    kept = state.of(model) if model.compiled else None
    steps = None
    if kept is not None:
        slots = [[places[id(variable)], arrays] for variable, arrays in kept.slots]
        steps = {"iterations": int(kept.iterations), "slots": slots}
    return {
        "json": model.to_json(),
        "weights": model.get_weights(),
        "optimizer": optimizers.serialize(model.optimizer) if model.compiled else None,
        "steps": steps,
    }


def unpack(packed: dict[str, Any], loss: Any, weight: float) -> Any:
    """Returns the model again.

    Args:
        packed: the result of ``pack``.
        loss: what it is compiled with.
        weight: the loss's factor.
    """
    model = model_from_json(packed["json"])
    model.set_weights(packed["weights"])
    if packed["optimizer"] is None:
        return model
    model.compile(optimizers.deserialize(packed["optimizer"]), loss, [weight])
    if packed["steps"] is not None:
        slots = [(model.variables[place], arrays) for place, arrays in packed["steps"]["slots"]]
        state.set_state(model, state.OptimizerState(packed["steps"]["iterations"], slots))
    return model
