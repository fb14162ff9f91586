"""From an estimator's parameters to a compiled model."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from pynn import losses, metrics, optimizers
from pynn.models import Model
from pynn.sklearn.wrapping.routing import builder_arguments

Parts = Mapping[str, Any]
Options = Mapping[str, Mapping[str, Any]]


def build(owner: str, model: Any, options: Mapping[str, Any], offered: Mapping[str, Any]) -> Model:
    """Returns a model to train: what the function makes, or a copy of a ready model.

    Args:
        owner: the estimator's name, for messages.
        model: a function or class that makes a model; or a model, of which the weights are kept.
        options: arguments for the function.
        offered: what it is given, too, where its arguments have these names.

    Raises:
        TypeError: it makes no model.
    """
    if isinstance(model, Model):
        return copy.deepcopy(model)
    if not callable(model):
        raise TypeError(
            f"{owner}: `model` must be a model or a function that returns one. "
            f"Received: model={model!r}"
        )
    wanted, _ = builder_arguments(model)
    given = {name: offered[name] for name in wanted if name in offered} | dict(options)
    missing = [name for name, required in wanted.items() if required and name not in given]
    if missing:
        raise TypeError(
            f"{owner}: the function given as `model` needs model__{missing[0]}=...; what it is "
            f"given by itself is {', '.join(offered)}. Received: no {', '.join(missing)}"
        )
    made = model(**given)
    if not isinstance(made, Model):
        raise TypeError(
            f"{owner}: the function given as `model` must return a model. Received: {made!r}"
        )
    return made


def compile_model(
    model: Model, automatic_loss: Callable[[], Any], parts: Parts, options: Options
) -> None:
    """Compiles a built model with what is given, and for the rest as it was compiled before.

    Args:
        model: a built model.
        automatic_loss: makes the loss if there is none.
        parts: the optimizer, the loss and the metrics; None where not given.
        options: for their constructors, and for ``compile``.
    """
    before = dict(model._compile_arguments, optimizer=model.optimizer) if model.compiled else {}
    parts = {name: before.get(name) if part is None else part for name, part in parts.items()}
    if parts["loss"] is None:
        parts["loss"] = automatic_loss()
    model.compile(**{**before, **compile_arguments(parts, options)})


def compile_arguments(parts: Parts, options: Options) -> dict[str, Any]:
    """Returns the arguments of ``compile``, made of copies."""
    metric_objects = copy.deepcopy(parts["metrics"])  # they count
    return {
        "optimizer": new_optimizer(parts["optimizer"] or "rmsprop", options["optimizer"]),
        "loss": configured(losses.resolve, parts["loss"], options["loss"]),
        "metrics": configured(metrics.get, metric_objects, options["metrics"]),
        **options["compile"],
    }


def new_optimizer(thing: Any, options: Mapping[str, Any]) -> Any:
    """Returns a new optimizer like ``thing``, a name, a class or an object."""
    if isinstance(thing, type):
        return thing(**options)
    found = copy.deepcopy(optimizers.get(thing))
    if not options:
        return found
    rate = found._learning_rate  # a function stays one, which the configuration cannot tell
    return type(found)(**{**found.get_config(), "learning_rate": rate, **options})


def configured(get: Callable[[Any], Any], things: Any, options: Mapping[str, Any]) -> Any:
    """Returns objects like those given but for some arguments of their constructors.

    Args:
        get: finds what a name means.
        things: a name, a class or an object; or a list or dictionary of them.
        options: arguments by name. Those that begin with a place or key, ``0__patience``, concern
            that entry, others every entry.

    Raises:
        TypeError: a function, which has no constructor; an argument the constructor does not know.
        ValueError: an option for an entry that is not there.
    """
    if not isinstance(things, (Mapping, list, tuple)):
        return _with_options(get, things, options)
    entries = dict(things) if isinstance(things, Mapping) else dict(enumerate(things))
    own: dict[str, dict[str, Any]] = {str(key): {} for key in entries}
    for name, value in options.items():
        key, _, rest = name.partition("__")
        if rest and key not in own:
            raise ValueError(f"Options must be for the entries {list(own)}. Received: {name!r}")
        for place in [key] if rest else own:
            own[place][rest or name] = value
    made = {key: configured(get, entry, own[str(key)]) for key, entry in entries.items()}
    return made if isinstance(things, Mapping) else list(made.values())


def _with_options(get: Callable[[Any], Any], thing: Any, options: Mapping[str, Any]) -> Any:
    if isinstance(thing, type):
        return thing(**options)
    if not options:
        return thing
    found = get(thing)
    if not hasattr(found, "get_config"):
        raise TypeError(
            f"Only classes and objects of pynn take options {list(options)}. Received: {thing!r}"
        )
    return type(found)(**{**found.get_config(), **options})
