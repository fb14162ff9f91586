"""What all optimizers share: learning rate, clipping, weight decay, configuration."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from pynn import _catalog, _legacy, constraints
from pynn.optimizers import schedules
from pynn.optimizers._numbers import Iterations, LearningRate
from pynn.optimizers._options import CLIPS, DEFAULTS, by_position, checked
from pynn.optimizers._state import Stateful
from pynn.optimizers.schedules import InverseTimeDecay, LearningRateSchedule
from pynn.utils.configurable import serialize, unknown_argument
from pynn.utils.naming import to_snake_case

if TYPE_CHECKING:
    from typing_extensions import Self

Rate = float | LearningRateSchedule | Callable[..., float]

_ROWS = _catalog.rows("optimizer")


class Optimizer(Stateful):
    """Base of all optimizers.

    Each step the gradient is scaled or clipped, weights shrink by ``learning_rate * weight_decay``,
    and then the optimizer's own rule applies.

    Args:
        learning_rate: a number, a schedule of ``pynn.optimizers.schedules``, or a function that
            returns a number: of the number of steps done, or of nothing, which is called once
            before each step.
        fields: the parameters of the engine's rule by name.
        weight_decay: the share of every weight that is taken away each step, per unit of learning
            rate (decoupled decay).
        clipnorm: the largest norm of one variable's gradient; longer ones are scaled down.
        clipvalue: the largest absolute value of an element of a gradient.
        global_clipnorm: the largest norm of all gradients together.
        use_ema: keep exponential running means of the weights, with which ``fit`` overwrites the
            weights when it ends.
        ema_momentum: the share of the mean that is kept each step, between 0 and 1.
        ema_overwrite_frequency: overwrite the weights also after every so many updates.
        loss_scale_factor: by which ``scale_loss`` multiplies and ``apply`` divides. ``fit`` does
            neither, as the two cancel.
        gradient_accumulation_steps: update once in so many steps, by the mean of their gradients.
        name: what the optimizer is called.

    Raises:
        ValueError: a value outside its range, or more than one way of clipping.
        TypeError: an unknown argument, or something that is not a number.

    References:
        Decoupled decay: Loshchilov, Hutter 2017, https://arxiv.org/abs/1711.05101.
        Clipping: Pascanu et al. 2012, https://arxiv.org/abs/1211.5063.
        Averages: Polyak, Juditsky 1992, https://doi.org/10.1137/0330046.
    """

    row: ClassVar[_catalog.Row]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        by_class = {row.class_name: row for row in _ROWS.values()}
        if cls.__name__ in by_class:
            cls.row = by_class[cls.__name__]
        if "options" in inspect.signature(cls.__init__).parameters:
            cls.__init__ = by_position(cls.__init__)  # type: ignore[method-assign]

    def __init__(
        self, learning_rate: Rate, fields: Mapping[str, Any], options: Mapping[str, Any]
    ) -> None:
        super().__init__()
        owner = type(self).__name__
        if not hasattr(self, "row"):
            raise TypeError(
                f"{owner}: an optimizer is one of pynn.optimizers or a subclass of one: its rule "
                "is compiled in the engine."
            )
        given = _legacy.modern("optimizer", owner, options)
        learning_rate = given.pop("learning_rate", learning_rate)
        decay = given.pop("decay", None)
        if decay:  # Keras 1 and 2: the rate falls with the inverse of time
            if not isinstance(learning_rate, (int, float)):
                raise TypeError(f"{owner}: `decay` needs a learning rate that is a number.")
            learning_rate = InverseTimeDecay(float(learning_rate), 1, float(decay))
        self.fields = {name: given.pop(name, value) for name, value in fields.items()}
        for key in given:
            if key not in DEFAULTS:
                known = [*self.fields, "learning_rate", *DEFAULTS]
                raise TypeError(unknown_argument(owner, key, known))
        for name, value in {**self.fields, **checked(owner, given)}.items():
            setattr(self, name, value)
        self.name = self.name or to_snake_case(owner)
        self.calls = 0  # steps made; with gradient accumulation several are one iteration
        self._excluded: tuple[set[int], re.Pattern[str] | None] = (set(), None)
        self._learning_rate: Rate = 0.0
        self.learning_rate = learning_rate
        self.spec()  # checks the fields

    @property
    def iterations(self) -> Iterations:
        """How many updates were made; can be assigned."""
        updates = self.calls // (self.gradient_accumulation_steps or 1)
        return Iterations(updates, lambda value: setattr(self, "iterations", value))

    @iterations.setter
    def iterations(self, value: Any) -> None:
        self.calls = int(value) * (self.gradient_accumulation_steps or 1)

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next step; a number, schedule or function can be assigned."""
        rate = float(self.learning_rates(self.calls, 1)[0])
        return LearningRate(rate, lambda value: setattr(self, "learning_rate", value))

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, Mapping):
            value = schedules.get(value)
        if not callable(value):
            if isinstance(self._learning_rate, LearningRateSchedule):
                raise TypeError(
                    f"{type(self).__name__}: the learning rate follows a schedule and cannot be "
                    f"set to a number. Received: learning_rate={value!r}"
                )
            try:
                number = float(value)
            except (TypeError, ValueError):
                raise TypeError(
                    f"{type(self).__name__}: `learning_rate` must be a number, a schedule or a "
                    f"function. Received: learning_rate={value!r}"
                ) from None
            if not (number >= 0 and np.isfinite(number)):
                raise ValueError(
                    f"{type(self).__name__}: `learning_rate` must be finite and not negative. "
                    f"Received: learning_rate={value!r}"
                )
            value = number
        self._learning_rate = value

    lr = learning_rate  # its name before Keras 2.3

    def learning_rates(self, first_step: int, count: int) -> npt.NDArray[np.float64]:
        """Returns the learning rates of ``count`` steps from ``first_step`` on."""
        rate: Any = self._learning_rate
        if not callable(rate):
            return np.full(count, rate)
        steps = np.arange(first_step, first_step + count)
        if isinstance(rate, LearningRateSchedule) and not overrides_call(rate):
            return np.array(rate(steps), dtype=np.float64)
        takes_step = _takes_step(rate)
        rates = [rate(int(step)) if takes_step else rate() for step in steps]
        for step, value in zip(steps, rates, strict=True):
            is_number = isinstance(value, (int, float, np.number)) or np.shape(value) == ()
            if value is None or not is_number or not 0 <= float(value) < np.inf:
                raise ValueError(
                    f"{type(self).__name__}: the function given as `learning_rate` must return a "
                    f"finite number that is not negative. Received: {value!r} for step {step}"
                )
        return np.array(rates, dtype=np.float64)

    @property
    def rate_is_asked_each_step(self) -> bool:
        """Whether the learning rate comes from a function of nothing: not known ahead."""
        return callable(self._learning_rate) and not _takes_step(self._learning_rate)

    def spec(self) -> dict[str, Any]:
        """The optimizer as the engine's trainer takes it.

        Raises:
            ValueError: a parameter outside its range.
            TypeError: a parameter that is not a number.
        """
        given = {field.name: getattr(self, field.name) for field in self.row.fields}
        return {
            "name": self.row.name,
            "fields": list(self.row.params(type(self).__name__, given)),
            "weight_decay": self.weight_decay,
            **{name: getattr(self, name) for name in CLIPS},
            "accumulation": self.gradient_accumulation_steps,
            "ema_momentum": self.ema_momentum if self.use_ema else None,
            "ema_overwrite_frequency": self.ema_overwrite_frequency if self.use_ema else None,
        }

    def engine_options(self, variables: Sequence[Any], trained: Collection[int]) -> dict[str, Any]:
        """What the engine's trainer does to single variables in each step.

        Args:
            variables: all variables of the network, in its order.
            trained: ``id`` of those that are trained.
        """
        penalties = [
            (place, *variable.regularizer.factors, variable.regularizer.by_sample)
            for place, variable in enumerate(variables)
            if id(variable) in trained and getattr(variable.regularizer, "factors", None)
        ]
        engine, _ = constraints.split(variables)
        return {
            "penalties": penalties,
            "no_decay": self.no_decay(variables),
            "constraints": engine,
        }

    def scalars(self) -> list[npt.NDArray[Any]]:
        """The numbers that Keras keeps as variables: step count and, where set, learning rate."""
        steps = np.array(self.calls, np.int32)
        rate = self._learning_rate
        return [steps] if callable(rate) else [steps, np.array(rate, np.float32)]

    def rule_scalars(self) -> dict[str, npt.NDArray[Any]]:
        """Numbers that Keras's rule keeps beside its arrays; here they follow from the step."""
        return {}

    def exclude_from_weight_decay(
        self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Says which variables do not decay; call it before training.

        Args:
            var_list: the variables themselves.
            var_names: parts of their names (regular expressions).
        """
        pattern = re.compile("|".join(var_names)) if var_names else None
        self._excluded = ({id(variable) for variable in var_list or ()}, pattern)

    def no_decay(self, variables: Sequence[Any]) -> list[int]:
        """The places in this list of the variables that do not decay."""
        ids, pattern = self._excluded
        return [
            place
            for place, variable in enumerate(variables)
            if id(variable) in ids or (pattern is not None and pattern.search(str(variable.name)))
        ]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data (for JSON)."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            rate = schedules.serialize(rate)  # type: ignore[assignment]
        return {
            "name": self.name,
            "learning_rate": rate if isinstance(rate, (float, dict)) else serialize(rate),
            **{name: getattr(self, name) for name in DEFAULTS if name != "name"},
            **{name: getattr(self, name) for name in self.fields},
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Makes the optimizer that ``get_config`` described.

        Args:
            config: the constructor's arguments.
            custom_objects: classes of schedules by name, beside those of pynn.
        """
        rate = config.get("learning_rate")
        if isinstance(rate, Mapping):
            config = {**config, "learning_rate": schedules.deserialize(rate, custom_objects)}
        return cls(**config)

    def __repr__(self) -> str:
        shown: dict[str, Any] = {"learning_rate": self._learning_rate}
        shown |= {name: getattr(self, name) for name in self.fields}
        defaults = {**DEFAULTS, "weight_decay": self.row.facts["weight_decay"] or None}
        shown |= {
            name: getattr(self, name)
            for name, default in defaults.items()
            if name != "name" and getattr(self, name) != default
        }
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in shown.items())})"


def overrides_call(schedule: LearningRateSchedule) -> bool:
    """Whether a subclass defines ``__call__``, which may then take single steps only."""
    return type(schedule).__call__ is not LearningRateSchedule.__call__


def _takes_step(rate: Callable[..., Any]) -> bool:
    """Whether a function wants the number of steps done."""
    return isinstance(rate, LearningRateSchedule) or bool(inspect.signature(rate).parameters)
