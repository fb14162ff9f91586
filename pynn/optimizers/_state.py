"""The state of an optimizer, and steps made by hand: ``optimizer.apply(gradients, variables)``.

``fit`` keeps the state in the engine, whose arrays the optimizer then looks at (``attach``). A
training loop written in Python has no such engine: the optimizer keeps NumPy arrays, and each step
is one call of the engine's kernel per variable. Both hold, for every variable, the slots of the
rule, then the running mean of the weights and the sum of gradients where these are kept.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import _core, constraints
from pynn.optimizers._arrays import Array, Slot, StateArray, in_keras_order
from pynn.utils.configurable import Configurable


class Stateful(Configurable):
    """The part of ``Optimizer`` that holds state."""

    name: str
    calls: int
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    weight_decay: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None

    def __init__(self) -> None:
        self._variables: list[Any] = []
        self._slots: list[list[Array]] = []

    # Given by Optimizer.
    def spec(self) -> dict[str, Any]:
        raise NotImplementedError

    def learning_rates(self, first_step: int, count: int) -> npt.NDArray[np.float64]:
        raise NotImplementedError

    def no_decay(self, variables: Sequence[Any]) -> list[int]:
        raise NotImplementedError

    def scalars(self) -> list[Any]:
        raise NotImplementedError

    def rule_scalars(self) -> dict[str, Array]:
        raise NotImplementedError

    @property
    def built(self) -> bool:
        """Whether the optimizer has state for the variables it is to change."""
        return bool(self._variables)

    def build(self, variables: Iterable[Any]) -> None:
        """Makes the state for these variables, for training loops written by hand.

        Args:
            variables: ``Variable`` objects or NumPy arrays, which the steps then change in place.
        """
        if self.built:
            return
        self._variables = list(variables)
        self._slots = [self._new_slots(_values(variable)) for variable in self._variables]

    def attach(self, variables: Sequence[Any], slots: Sequence[Sequence[Array]]) -> None:
        """Looks at state that is kept elsewhere: live arrays for each variable.

        Args:
            variables: the trained variables.
            slots: ``_core.Trainer.slots``, one list for each of them.
        """
        self._variables, self._slots = list(variables), [list(own) for own in slots]

    @property
    def constrained_by_python(self) -> list[Any]:
        """The variables whose constraint the engine cannot apply."""
        _, places = constraints.split(self._variables)
        return [self._variables[place] for place in places]

    def _new_slots(self, w: Array) -> list[Array]:
        slots = [
            np.array(w) if start is None else np.full(shape, start, w.dtype)
            for _, shape, start in self._rule_slots(w.shape)
        ]
        return slots + [np.zeros_like(w) for _ in range(self._extra_slots)]

    def _rule_slots(self, shape: Sequence[int]) -> list[tuple[str, list[int], float | None]]:
        spec = self.spec()
        return _core.optimizer_slots(spec["name"], spec["fields"], shape)

    @property
    def _extra_names(self) -> list[str]:
        """What the engine keeps for a weight behind the rule's own arrays."""
        wanted = {
            "average": self.use_ema,
            "gradient_accumulator": self.gradient_accumulation_steps,
        }
        return [name for name, is_kept in wanted.items() if is_kept]

    @property
    def _extra_slots(self) -> int:
        return len(self._extra_names)

    def layout(self, shapes: Sequence[Sequence[int]]) -> list[Slot]:
        """All arrays of the state for weights of these shapes, in Keras's order."""
        slots = []
        for weight, shape in enumerate(shapes):
            own = [(name, tuple(sizes)) for name, sizes, _ in self._rule_slots(shape)]
            own += [(name, tuple(shape)) for name in self._extra_names]
            slots += [Slot(weight, number, *kind) for number, kind in enumerate(own)]
        return in_keras_order(self.spec()["name"], slots, self._extra_names)

    def _averages(self) -> list[Array]:
        if not self.use_ema:
            raise ValueError(
                f"{type(self).__name__}: running means of the weights are kept with use_ema=True. "
                "Received: use_ema=False"
            )
        return [own[len(own) - self._extra_slots] for own in self._slots]

    # ---- what Keras lists and stores ---------------------------------------------------------

    @property
    def variables(self) -> list[StateArray]:
        """The state in Keras's order: step count, learning rate, means, sums, slots."""
        setters: dict[str, Callable[[Any], None]] = {
            "iteration": lambda value: setattr(self, "calls", int(value)),
            "learning_rate": lambda value: setattr(self, "learning_rate", float(value)),
        }
        scalars = [
            StateArray(f"{self.name}/{name}", array, setters[name])
            for name, array in zip(setters, self.scalars(), strict=False)
        ]
        if not self.built:
            return scalars
        slots = [
            StateArray(
                f"{self.name}/{_path(self._variables[slot.weight])}_{slot.name}",
                self._slots[slot.weight][slot.number],
            )
            for slot in self.layout([_values(variable).shape for variable in self._variables])
        ]
        last = [
            StateArray(f"{self.name}/{name}", array) for name, array in self.rule_scalars().items()
        ]
        return [*scalars, *slots, *last]

    def get_weights(self) -> list[Array]:
        """Returns copies of the state arrays."""
        return [variable.numpy() for variable in self.variables]

    def set_weights(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Overwrites the state arrays.

        Raises:
            ValueError: another number of arrays, or other shapes.
        """
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(
                f"{type(self).__name__}: expected {len(variables)} arrays of state. "
                f"Received: {len(weights)}"
            )
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)

    # ---- running means of the weights --------------------------------------------------------

    def finalize_variable_values(self, var_list: Iterable[Any] | None = None) -> None:
        """Overwrites variables with the running means of their values; without EMA does nothing.

        Args:
            var_list: the variables; by default all.
        """
        if self.use_ema:
            averages = self._averages()
            for variable in self._variables if var_list is None else var_list:
                _values(variable)[...] = averages[self._place(variable)]

    def swap_averages(self) -> None:
        """Exchanges the variables' values and their running means."""
        for variable, average in zip(self._variables, self._averages(), strict=True):
            values = _values(variable)
            kept = values.copy()
            values[...] = average
            average[...] = kept

    def reset_averages(self) -> None:
        """Starts the running means anew at the variables' values."""
        for variable, average in zip(self._variables, self._averages(), strict=True):
            average[...] = _values(variable)

    # ---- steps by hand -----------------------------------------------------------------------

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> Any:
        """Makes a step from pairs of a gradient and its variable; returns the number of steps.

        Example:
            >>> from pynn.optimizers import SGD
            >>> w = np.ones(2)
            >>> _ = SGD(0.5).apply_gradients([(np.array([1.0, 2.0]), w)])
            >>> w.tolist()
            [0.5, 0.0]
        """
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self.calls

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Any] | None = None) -> None:
        """Makes a step.

        Args:
            grads: the gradients; None for a variable that has none.
            trainable_variables: the variables, in the same order; by default those of ``build``.

        Raises:
            ValueError: a variable that the optimizer was not built with, no gradient at all, or a
                gradient of another shape than its variable.
        """
        gradients = list(grads)
        if not gradients:
            return
        if trainable_variables is None:
            variables = list(self._variables)
        else:
            variables = list(trainable_variables)
            self.build(variables)
        if len(gradients) != len(variables):
            raise ValueError(
                f"{type(self).__name__}: expected one gradient for each of {len(variables)} "
                f"variables. Received: {len(gradients)} gradients"
            )
        places = {self._place(variable): gradient for variable, gradient in
                  zip(variables, gradients, strict=True) if gradient is not None}  # fmt: skip
        if not places:
            raise ValueError(f"{type(self).__name__}: no gradient for any variable was given.")
        if len(places) < len(gradients):
            missing = [getattr(v, "path", "an array") for v, g in
                       zip(variables, gradients, strict=True) if g is None]  # fmt: skip
            warnings.warn(f"No gradients for the variables {missing}.", stacklevel=2)
        prepared = {place: self._gradient(place, given) for place, given in places.items()}
        if self._accumulate(prepared):
            self._update(prepared)
        if self.use_ema:
            self._average()
        for place in prepared:
            constraint = getattr(self._variables[place], "constraint", None)
            if constraint is not None:
                values = _values(self._variables[place])
                values[...] = np.asarray(constraint(values.copy()))
        self.calls += 1

    def scale_loss(self, loss: Any) -> Any:
        """Returns the loss times ``loss_scale_factor``, by which ``apply`` divides gradients."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def _place(self, variable: Any) -> int:
        for place, known in enumerate(self._variables):
            if known is variable:
                return place
        raise ValueError(
            f"{type(self).__name__}: unknown variable: an optimizer changes the variables it was "
            f"built with; make a new one for others. Received: {variable!r}"
        )

    def _gradient(self, place: int, given: Any) -> Array:
        w = _values(self._variables[place])
        gradient = np.array(given, w.dtype, order="C")
        if gradient.shape != w.shape:
            raise ValueError(
                f"{type(self).__name__}: a gradient must have its variable's shape {w.shape}. "
                f"Received: gradient.shape={gradient.shape}"
            )
        return gradient if self.loss_scale_factor is None else gradient / self.loss_scale_factor

    def _accumulate(self, gradients: dict[int, Array]) -> bool:
        """Whether enough steps have come together; the gradients are then their mean."""
        steps = self.gradient_accumulation_steps
        if steps is None:
            return True
        due = (self.calls + 1) % steps == 0
        for place, gradient in gradients.items():
            total = self._slots[place][-1]
            total += gradient
            if due:
                gradient[...] = total / steps
                total[...] = 0
        return due

    def _update(self, gradients: dict[int, Array]) -> None:
        spec, rate = self.spec(), float(self.learning_rates(self.calls, 1)[0])
        step = self.calls // (self.gradient_accumulation_steps or 1) + 1
        norms = {place: float(np.linalg.norm(g)) for place, g in gradients.items()}
        limit, total = self.clipnorm or self.global_clipnorm, math.hypot(*norms.values())
        still = self.no_decay(self._variables)
        for place, gradient in gradients.items():
            norm = norms[place] if self.clipnorm else total
            values = _values(self._variables[place])
            w = np.ascontiguousarray(values)
            kept = self._slots[place][: len(self._slots[place]) - self._extra_slots]
            slots = [np.ascontiguousarray(slot).reshape(slot.shape) for slot in kept]
            decay = 0.0 if place in still else (self.weight_decay or 0.0)
            _core.optimizer_step(
                spec["name"],
                spec["fields"],
                rate,
                step,
                w,
                gradient,
                slots,
                grad_scale=limit / norm if limit and norm > limit else 1.0,
                grad_limit=self.clipvalue or math.inf,
                keep=1 - rate * decay,
            )
            for array, changed in zip([values, *kept], [w, *slots], strict=True):
                if array is not changed:
                    array[...] = changed

    def _average(self) -> None:
        updates = self.calls // (self.gradient_accumulation_steps or 1)
        keep = self.ema_momentum if updates else 0.0
        every = self.ema_overwrite_frequency
        for variable, average in zip(self._variables, self._averages(), strict=True):
            values = _values(variable)
            average *= keep
            average += (1 - keep) * values
            if every and (updates + 1) % every == 0:
                values[...] = average


def _path(variable: Any) -> str:
    """What the arrays of a variable are called after."""
    return str(getattr(variable, "path", "variable")).replace("/", "_")


def _values(variable: Any) -> Array:
    """The live values of a ``Variable``, or a NumPy array itself."""
    values: Array = variable if isinstance(variable, np.ndarray) else variable.value
    return values
