"""What callbacks ask of a model while it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from pynn.models import state

if TYPE_CHECKING:
    from pynn.models.fitting import Fitting


class InFlight:
    """The part of a model that lets a training be changed, looked into and continued."""

    optimizer: Any
    fitting: Fitting | None  # the fit that runs
    _trainer: Any
    _rule: dict[str, Any]  # the optimizer as the trainer was given it
    _seed: int  # of dropout and noise
    _trained_program: Any

    def renew_rule(self) -> None:
        """Tells the engine hyper-parameters of the optimizer that were assigned meanwhile.

        Raises:
            RuntimeError: something else of the optimizer was changed.
        """
        rule = self.optimizer.spec()
        if rule == self._rule:
            return
        if {**rule, "fields": None} != {**self._rule, "fields": None}:
            raise RuntimeError(
                "fit: the optimizer was changed; call compile for it to take effect."
            )
        self._trainer.set_fields(rule["fields"])
        self._rule = rule

    def fit_state(self) -> dict[str, Any]:
        """The seeds of the fit that runs; with weights and optimizer all it depends on.

        Raises:
            RuntimeError: no fit runs.
        """
        return {"seed": self._seed, "order": self._fit_that_runs("fit_state").feed.state}

    def resume_fit(self, epoch: int, batch: int, seeds: Mapping[str, Any]) -> None:
        """Lets the fit that begins go on from an epoch and a batch of an earlier one.

        Weights and optimizer are loaded before. Called in ``on_train_begin``.

        Args:
            epoch: the epoch, counted from 0.
            batch: the batch in it.
            seeds: what ``fit_state`` returned then.

        Raises:
            RuntimeError: no fit runs.
        """
        fitting = self._fit_that_runs("resume_fit")
        self._seed, fitting.feed.state = seeds["seed"], seeds["order"]
        fitting.start = (epoch, batch)
        self._trainer.iterations = self.optimizer.calls

    def _fit_that_runs(self, method: str) -> Fitting:
        if self.fitting is None:
            raise RuntimeError(f"{method}: no fit runs; call it in a callback of `fit`.")
        return self.fitting

    def last_gradients(self) -> list[tuple[Any, npt.NDArray[Any]]]:
        """The trained variables, each with its gradient in the last batch that was trained."""
        if self._trainer is None:
            return []
        variables = state.trained(self._trained_program)
        return list(zip(variables, self._trainer.last_gradients(), strict=True))
