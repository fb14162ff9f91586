"""The arguments that every optimizer has beside those of its own rule."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from pynn.utils.checks import is_integer


class SharedOptions(TypedDict, total=False):
    """Keyword arguments of every optimizer."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    name: str | None


class Options(SharedOptions, total=False):
    """The same with weight decay, which ``AdamW`` has among its own arguments."""

    weight_decay: float | None


CLIPS = ("clipnorm", "global_clipnorm", "clipvalue")

# In the order in which they follow an optimizer's own arguments.
DEFAULTS: Mapping[str, Any] = {
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
    "name": None,
}


def by_position(init: Callable[..., None]) -> Callable[..., None]:
    """A constructor whose ``**options`` can also be given by position, after its own arguments."""
    signature = inspect.signature(init)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    names = [name for name in DEFAULTS if name not in signature.parameters]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    shared = [inspect.Parameter(name, kind, default=DEFAULTS[name]) for name in names]

    @functools.wraps(init)
    def constructor(self: Any, *args: Any, **kwargs: Any) -> None:
        args, rest = args[: len(own) - 1], args[len(own) - 1 :]
        if len(rest) > len(names):
            raise TypeError(f"{type(self).__name__}: too many arguments")
        for name, value in zip(names, rest, strict=False):
            if name in kwargs:
                raise TypeError(f"{type(self).__name__}: got `{name}` twice")
            kwargs[name] = value
        init(self, *args, **kwargs)

    constructor.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*own, *shared]
    )
    return constructor


def checked(owner: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The shared options, defaults filled in.

    Raises:
        ValueError: a value outside its range, or more than one way of clipping.
        TypeError: something that is not a number.
    """
    options = {**DEFAULTS, **given}
    for name in ("weight_decay", *CLIPS, "loss_scale_factor"):
        options[name] = _limit(owner, name, options[name])
    clips = {name: options[name] for name in CLIPS if options[name] is not None}
    if len(clips) > 1:
        raise ValueError(
            f"{owner}: give one of `clipnorm`, `clipvalue` and `global_clipnorm`. Received: "
            + ", ".join(f"{name}={value!r}" for name, value in clips.items())
        )
    options["use_ema"] = bool(options["use_ema"])
    if options["use_ema"] and not 0 <= options["ema_momentum"] <= 1:
        raise ValueError(
            f"{owner}: `ema_momentum` must be between 0 and 1. "
            f"Received: ema_momentum={options['ema_momentum']!r}"
        )
    _count(owner, "ema_overwrite_frequency", options, 1)
    _count(owner, "gradient_accumulation_steps", options, 2)
    if options["loss_scale_factor"] == 0:
        raise ValueError(f"{owner}: `loss_scale_factor` must be above 0. Received: 0")
    return options


def _limit(owner: str, name: str, value: Any) -> float | None:
    """A number that is not negative, or None."""
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"{owner}: `{name}` must be a number or None. Received: {name}={value!r}"
        ) from None
    if not number >= 0:
        raise ValueError(f"{owner}: `{name}` must not be negative. Received: {name}={value!r}")
    return number


def _count(owner: str, name: str, options: dict[str, Any], least: int) -> None:
    """Checks a whole number; nothing, 0 and False stand for None."""
    value = options[name] or None
    if value is not None and (not is_integer(value) or value < least):
        raise ValueError(
            f"{owner}: `{name}` must be a whole number of at least {least}, or None. "
            f"Received: {name}={value!r}"
        )
    options[name] = None if value is None else int(value)
