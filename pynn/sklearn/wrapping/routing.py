"""Parameters of an estimator that belong to its parts: ``optimizer__learning_rate`` and the like.

A prefix says which part a parameter is handed to: ``model__hidden`` to the function that builds the
model, ``fit__validation_freq`` to the model's ``fit``. Parts in lists or dictionaries are named by
place or key: ``callbacks__0__patience``.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from sklearn.base import BaseEstimator

from pynn.models import Model
from pynn.utils.configurable import argument_names, unknown_argument

# The arguments of the model's methods that a prefix reaches. Data come with the call.
METHODS = {
    "fit": (
        *("batch_size", "epochs", "verbose", "callbacks", "validation_split", "shuffle"),
        *("initial_epoch", "steps_per_epoch", "validation_steps", "validation_batch_size"),
        "validation_freq",
    ),
    "compile": (
        *("loss_weights", "weighted_metrics", "run_eagerly", "steps_per_execution"),
        *("jit_compile", "auto_scale_loss"),
    ),
    "predict": ("batch_size", "verbose", "callbacks"),
}
# Objects whose constructors know what they take.
OBJECTS = ("optimizer", "loss", "metrics", "callbacks")


class RoutedParameters(BaseEstimator):  # type: ignore[misc]
    """An estimator that takes, beside its own parameters, those of its parts.

    A name without a prefix that is an argument of the function that builds the model is handed to
    that function.
    """

    model: Any
    _routed: dict[str, Any]

    def _route(self, given: Mapping[str, Any]) -> None:
        """Keeps the parameters of the parts; constructors call it.

        Raises:
            TypeError: a name that no part takes.
        """
        self._routed = dict(given)
        self._refuse_unknown(self.model, given, TypeError)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the parameters by name, and those of the parts that were given.

        Args:
            deep: whether to add the parameters of parameters that are estimators.
        """
        return {**super().get_params(deep), **self._routed}

    def set_params(self, **params: Any) -> Any:
        """Sets parameters, also those of parts: ``optimizer__learning_rate=0.01``.

        Args:
            params: values by name.

        Returns:
            The estimator.

        Raises:
            ValueError: an unknown name; nothing has been set then.
        """
        own = {name: params[name] for name in argument_names(type(self)) if name in params}
        routed = {name: value for name, value in params.items() if name not in own}
        self._refuse_unknown(own.get("model", self.model), routed, ValueError)
        super().set_params(**own)
        self._routed = {**self._routed, **routed}
        return self

    def _options(self, prefix: str) -> dict[str, Any]:
        """The parameters of one part, by their names there."""
        start = f"{prefix}__"
        return {
            name.removeprefix(start): value
            for name, value in self._routed.items()
            if name.startswith(start) or (prefix == "model" and "__" not in name)
        }

    def _refuse_unknown(self, model: Any, names: Iterable[str], error: type[Exception]) -> None:
        """Raises an error that tells the name that was probably meant."""
        if not callable(model):
            return  # what it takes is not known; fit refuses it
        owner = type(self).__name__
        arguments, takes_any = builder_arguments(model)
        methods: dict[str, Iterable[str]] = {"model": arguments, **METHODS}
        for name in names:
            part, _, rest = name.partition("__")
            if part in OBJECTS or (part == "model" and takes_any):
                is_known = bool(rest)
            else:
                is_known = rest in methods.get(part, ()) if rest else name in arguments
            if is_known:
                continue
            if part == "model" and isinstance(model, Model):
                raise error(
                    f"{owner}: only a function that builds the model takes arguments. "
                    f"Received: {name} with a ready model"
                )
            parts: dict[str, Iterable[str]] = {each: [rest or name] for each in OBJECTS} | methods
            parts = {part: methods[part]} if part in methods else parts
            routed = [f"{each}__{argument}" for each in parts for argument in parts[each]]
            raise error(
                unknown_argument(owner, name, [*argument_names(type(self)), *arguments, *routed])
            )


def builder_arguments(builder: Any) -> tuple[dict[str, bool], bool]:
    """The arguments of a function that builds models, and whether it takes any others.

    Args:
        builder: a function, or a class of models; a model has no arguments.

    Returns:
        Names, with whether they must be given; and True for a function with ``**kwargs``.
    """
    if isinstance(builder, Model):
        return {}, False
    parameters = list(inspect.signature(_function(builder)).parameters.values())
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    takes_any = any(p.kind == p.VAR_KEYWORD for p in parameters)
    return {p.name: p.default is p.empty for p in named}, takes_any


def _function(builder: Any) -> Any:
    """A class's constructor without ``self``: the signature of a class may be that of __new__."""
    constructor: Any = getattr(builder, "__init__")  # noqa: B009
    return constructor.__get__(builder) if isinstance(builder, type) else builder
