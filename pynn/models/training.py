"""compile, fit, evaluate, predict: the books around the engine's loop over batches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pynn import config, optimizers
from pynn.models import data as checks
from pynn.models import state
from pynn.models.data import Data, verbosity, whole
from pynn.models.objective import Objective, warn_of_hints
from pynn.utils.arrays import as_array
from pynn.utils.progress import Progress
from pynn.utils.random import draw_seed

if TYPE_CHECKING:
    from pynn.callbacks import CallbackList, History
    from pynn.layers._program import Program


class Training:
    """The part of a model that learns. ``Model`` mixes it in."""

    name: str
    built: bool

    def __init__(self) -> None:
        self.optimizer: Any = None
        self.loss: Any = None
        self.compiled = False
        self.stop_training = False
        self.history: History | None = None
        self._objective: Objective | None = None
        self._trainer: Any = None
        self._trained_program: Program | None = None
        self._rule: dict[str, Any] = {}  # the optimizer as the trainer was given it
        self._optimizer_state: dict[str, Any] | None = None  # of a copy
        self._seed = 0

    # Given by Model.
    def ensure_built(self, x: npt.NDArray[Any]) -> None:
        raise NotImplementedError

    def make_program(self) -> Program:
        raise NotImplementedError

    def program(self) -> Program:
        raise NotImplementedError

    # ---- compile -----------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Sets what training minimizes, by which rule, and what it reports.

        The state of an optimizer used before is dropped. Which layers are trained is read here
        and at the first ``fit`` after it; a later change of ``trainable`` needs a new ``compile``.

        Args:
            optimizer: name or object of ``pynn.optimizers``.
            loss: name, object or function of ``pynn.losses``.
            loss_weights: only None: there is one output.
            metrics: names or objects of ``pynn.metrics``; they ignore sample weights.
            weighted_metrics: the same for metrics that use sample weights.
            run_eagerly, steps_per_execution, jit_compile, auto_scale_loss: Keras's hints how to
                execute a graph, which the engine decides itself; setting one gives a warning.

        Raises:
            ValueError: an unknown name.
            TypeError: something that cannot be used.
        """
        if loss_weights is not None:
            raise ValueError(
                "compile: `loss_weights` must be None: the model has one output. "
                f"Received: loss_weights={loss_weights!r}"
            )
        warn_of_hints(
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution != 1,
            jit_compile=jit_compile != "auto",
            auto_scale_loss=not auto_scale_loss,
        )
        objective, rule = Objective(loss, metrics, weighted_metrics), optimizers.get(optimizer)
        self.optimizer, self.loss, self._objective = rule, loss, objective
        self.forget_trainer()
        self.compiled = True

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles consist of: not the engine's side, which is made anew."""
        kept = self._optimizer_state if self._trainer is None else state.read(self._trainer)
        dropped = dict.fromkeys(("_trainer", "_trained_program", "_program"))
        return {**vars(self), **dropped, "_optimizer_state": kept}

    def forget_trainer(self) -> None:
        """Drops the engine's trainer and with it the optimizer's state."""
        self._trainer = None
        self._trained_program = None
        self._optimizer_state = None

    @property
    def metrics_names(self) -> list[str]:
        """The keys of the logs: ``loss`` and the metrics."""
        return self._objective.names if self._objective else []

    @property
    def metrics(self) -> list[Any]:
        """The metric objects (known after the first fit or evaluate)."""
        return list(self._objective.metrics) if self._objective else []

    def optimizer_state(self) -> list[npt.NDArray[Any]]:
        """The optimizer's arrays and the numbers Keras keeps beside them; empty before training."""
        if self._trainer is None:
            return []
        slots = [slot for own in self._trainer.slots for slot in own]
        return [*self.optimizer.scalars(), *slots, *self.optimizer.rule_scalars().values()]

    def _ready(self, action: str) -> Objective:
        if self._objective is None:
            raise RuntimeError(f"{action}: compile the model first: model.compile(loss=...).")
        if self._objective.loss is None:
            raise ValueError(f"{action}: the model was compiled without a loss.")
        return self._objective

    def _data(self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None) -> Data:
        """Checks samples, targets and weights, builds the model if needed, and its trainer."""
        objective = self._ready("fit")
        shape = getattr(self, "_input_shape", None)
        rows = checks.samples("x", x, shape)
        target = as_array("y", y)
        if target.ndim == 0:
            raise ValueError(f"`y` must be an array of targets. Received: y={y!r}")
        checks.same_rows(x=rows, y=target)
        self.ensure_built(rows)
        output_shape = self.program().output.shape
        name = objective.loss.name
        target = checks.targets(target, output_shape, objective.sparse, name)
        weight = checks.sample_weights(sample_weight, len(rows))
        if class_weight is not None:
            if weight is not None:
                raise ValueError("Give either `class_weight` or `sample_weight`, not both.")
            weight = checks.class_weights(class_weight, target, objective.sparse)
        if self._trainer is None:
            self._make_trainer(objective, output_shape, target.shape[1:])
        elif self._rule != self.optimizer.spec():
            raise RuntimeError(
                "fit: the optimizer was changed; call compile for it to take effect."
            )
        self._trainer.check(rows, target, weight)
        return Data(rows, target, weight)

    def _make_trainer(
        self, objective: Objective, output_shape: tuple[int, ...], target_shape: tuple[int, ...]
    ) -> None:
        from pynn import _core

        objective.resolve(output_shape, target_shape)
        program = self.make_program()
        variables = program.graph.variables
        self._rule = self.optimizer.spec()
        self._trainer = _core.Trainer(
            program.network,
            objective.loss.spec(),
            objective.metric_specs,
            self._rule,
            {
                "penalties": program.penalties,
                "no_decay": self.optimizer.no_decay(variables),
            },
        )
        self._trained_program = program  # keeps its variables alive
        if self._optimizer_state is not None:
            state.write(self._trainer, self._optimizer_state)
        self.optimizer.iterations = self._trainer.iterations
        self._seed = draw_seed()

    # ---- fit ---------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[Any, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Trains the model.

        Args:
            x: samples, shape ``(n, ...)``: any array-like of numbers. It is read batch by batch.
            y: targets: class indices ``(n,)`` for sparse losses, else the output's shape; ``(n,)``
                also fits outputs ``(n, 1)``.
            batch_size: rows per step; 32 by default.
            epochs: number of the last epoch; 0 trains nothing.
            verbose: 0 silent, 1 or ``"auto"`` a bar, 2 one line per epoch.
            callbacks: objects of ``pynn.callbacks``.
            validation_split: the part of the rows, taken from the end as they stand, that is only
                evaluated.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)`` to evaluate after each epoch.
            shuffle: whether to train on the rows in a new random order each epoch.
            class_weight: weight of each class, ``{index: weight}``.
            sample_weight: weight of each row.
            initial_epoch: number of epochs done before.
            steps_per_epoch: steps that make an epoch; by default one pass over the rows. The next
                epoch goes on where this one stopped.
            validation_steps: at most so many batches are evaluated.
            validation_batch_size: rows per step of the evaluation.
            validation_freq: evaluate after every so many epochs, or after those listed (from 1).

        Returns:
            The history: ``history.history["loss"]`` lists the loss of each epoch, and so on.

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: arrays or numbers that do not fit; nothing has been trained then.

        Warns:
            DivergenceWarning: the loss became infinite or NaN.
        """
        from pynn.models.fitting import Fitting

        self._ready("fit")
        verbose = verbosity(verbose)
        epochs, initial_epoch = whole("epochs", epochs, 0), whole("initial_epoch", initial_epoch, 0)
        validation_freq = checks.evaluation_epochs(validation_freq)
        batch_size = whole("batch_size", 32 if batch_size is None else batch_size)
        if steps_per_epoch is not None:
            steps_per_epoch = whole("steps_per_epoch", steps_per_epoch)
        checks.check_part("validation_split", validation_split)
        data = self._data(x, y, sample_weight, class_weight)
        checks.check_finite("x", data.x)
        checks.check_finite("y", data.y)
        validation = None
        if validation_data is not None:
            if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
                raise ValueError(
                    "fit: `validation_data` must be (x, y) or (x, y, sample_weight). "
                    f"Received: {type(validation_data).__name__}"
                )
            validation = self._data(*validation_data)
        elif validation_split:
            data, validation = checks.split(data, validation_split)
        if validation is not None and validation_steps is not None:
            size = whole("validation_batch_size", validation_batch_size or batch_size)
            validation = validation.slice(0, whole("validation_steps", validation_steps) * size)
        fitting = Fitting(self, data, batch_size, steps_per_epoch, shuffle)
        return fitting.run(epochs, initial_epoch, verbose, callbacks, validation, validation_freq)

    # ---- evaluate and predict ----------------------------------------------------------------

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Returns loss and metrics on these samples, without training.

        Args:
            x: samples.
            y: targets.
            batch_size: rows per step, 32 by default: concerns only what is printed.
            verbose: 0 silent, 1 or ``"auto"`` a bar, 2 one line.
            sample_weight: weight of each row.
            steps: at most so many batches are used.
            callbacks: objects of ``pynn.callbacks``.
            return_dict: whether to return a dictionary.

        Returns:
            The loss if there are no metrics, else a list of the loss and the metrics in the order
            given to ``compile``; or a dictionary of them.

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: arrays that do not fit.
        """
        objective = self._ready("evaluate")
        batch_size = whole("batch_size", 32 if batch_size is None else batch_size)
        data = self._data(x, y, sample_weight)
        if steps is not None:
            data = data.slice(0, whole("steps", steps) * batch_size)
        hooks = self._hooks(callbacks, {"verbose": verbose, "epochs": 1})
        progress = Progress(math.ceil(data.rows / batch_size), verbosity(verbose))
        results = self.run_evaluation(data, hooks, progress, batch_size)
        if return_dict:
            return objective.logs(results)
        values = objective.values(results)
        return values[0] if len(values) == 1 else values

    def run_evaluation(
        self,
        data: Data,
        hooks: CallbackList,
        progress: Progress | None = None,
        batch_size: int = 32,
    ) -> dict[str, Any]:
        """Evaluates checked data chunk by chunk and returns the engine's results."""
        assert self._objective is not None
        hooks.on_test_begin()
        rows = self.program().chunk_rows
        try:
            self._trainer.results(reset=True, evaluation=True)
            for start in range(0, data.rows, rows):
                part = data.slice(start, start + rows)
                self._trainer.evaluate(part.x, part.y, part.weight, config.n_threads())
                results: dict[str, Any] = self._trainer.results(evaluation=True)
                if progress is not None:
                    done = min(start + rows, data.rows) // batch_size
                    progress.update(done, self._objective.logs(results))
            logs = self._objective.logs(results)
            hooks.on_test_end(logs)
            if progress is not None:
                progress.finish(logs)
        finally:
            if progress is not None:
                progress.close()
        return results

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> npt.NDArray[Any]:
        """Returns the outputs for samples; may be called from several threads at once.

        Args:
            x: samples, shape ``(n, ...)``.
            batch_size: rows per step, 32 by default: concerns only what is printed.
            verbose: 0 silent, 1 or ``"auto"`` a bar, 2 one line.
            steps: at most so many batches are used.
            callbacks: objects of ``pynn.callbacks``.

        Returns:
            Array of the model's float type, shape ``(n, ...)``.

        Raises:
            ValueError: samples of another shape than the model was built for.
        """
        batch_size = whole("batch_size", 32 if batch_size is None else batch_size)
        samples = checks.samples("x", x, getattr(self, "_input_shape", None))
        self.ensure_built(samples)
        program = self.program()
        if steps is not None:
            samples = samples[: whole("steps", steps) * batch_size]
        hooks = self._hooks(callbacks, {"verbose": verbose, "epochs": 1})
        progress = Progress(math.ceil(len(samples) / batch_size), verbosity(verbose))
        hooks.on_predict_begin()
        rows = self.program().chunk_rows
        try:
            if len(samples) <= rows:
                output = program.predict(samples)
            else:
                output = np.empty((len(samples), *program.output.shape), program.dtype)
                for start in range(0, len(samples), rows):
                    output[start : start + rows] = program.predict(samples[start : start + rows])
                    progress.update(min(start + rows, len(samples)) // batch_size)
            progress.finish()
        finally:
            progress.close()
        hooks.on_predict_end()
        return output

    def _hooks(self, callbacks: Any, params: dict[str, Any]) -> CallbackList:
        from pynn.callbacks import CallbackList

        if isinstance(callbacks, CallbackList):
            return callbacks
        return CallbackList(callbacks, model=self, **params)
