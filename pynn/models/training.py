"""compile and fit: the books around the engine's loop over batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pynn import optimizers
from pynn.losses import resolve
from pynn.models import checks, state
from pynn.models.batches import Batches, is_source
from pynn.models.batchwise import Batchwise
from pynn.models.checks import verbosity, whole
from pynn.models.data import (
    Data,
    by_output,
    class_weights_by_output,
    inputs,
    product,
    split,
    weights_by_output,
)
from pynn.models.in_flight import InFlight
from pynn.models.objective import Objective, warn_of_hints
from pynn.utils.arrays import as_arrays
from pynn.utils.random import draw_seed

if TYPE_CHECKING:
    from pynn._graph.program import Program
    from pynn.callbacks import History


class Training(InFlight, Batchwise):
    """The part of a model that learns. ``Model`` mixes it in."""

    def __init__(self) -> None:
        self.optimizer: Any = None
        self.loss: Any = None
        self.compiled = False
        self.stop_training = False
        self.history: History | None = None
        self._objective: Objective | None = None
        self._trainer: Any = None
        self._trained_program: Program | None = None
        self._evaluated_program: Program | None = None
        self._targets: list[int] = []  # which targets are inputs of the network, too
        self._rule = {}
        self._optimizer_state: state.OptimizerState | None = None  # of a copy, or from a file
        self._seed: Any = None  # of dropout and noise; drawn with the first trainer
        self.fitting = None

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
            loss: name, object or function of ``pynn.losses``; or a function ``(y_true, y_pred)``
                written with ``pynn.ops``. For several outputs a list in their order, or a
                dictionary by their names; a single one is for all of them.
            loss_weights: factors of the outputs' losses, a list or a dictionary.
            metrics: names, objects or functions of ``pynn.metrics``; they ignore sample weights.
                For several outputs a list with an entry (or a list) for each, or a dictionary.
            weighted_metrics: the same for metrics that use sample weights.
            run_eagerly, steps_per_execution, jit_compile, auto_scale_loss: Keras's hints how to
                execute a graph, which the engine decides itself; setting one gives a warning.

        Raises:
            ValueError: an unknown name.
            TypeError: something that cannot be used.
        """
        warn_of_hints(
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution != 1,
            jit_compile=jit_compile != "auto",
            auto_scale_loss=not auto_scale_loss,
        )
        objective = Objective(loss, loss_weights, metrics, weighted_metrics)
        self.optimizer, self.loss, self._objective = optimizers.get(optimizer), loss, objective
        self._compile_arguments = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
        }
        self.forget_trainer()
        self.compiled = True

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles consist of: not the engine's side, which is made anew."""
        kept = state.of(self)
        programs = ("_trained_program", "_evaluated_program", "_program", "_training_program")
        dropped = dict.fromkeys(("_trainer", "fitting", *programs))
        return {**vars(self), **dropped, "_optimizer_state": kept}

    def forget_trainer(self) -> None:
        """Drops the engine's trainer and with it the optimizer's state."""
        self._trainer = None
        self._trained_program = self._evaluated_program = None
        self._optimizer_state = None
        self._seed = None

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
        return [variable.numpy() for variable in self.optimizer.variables]

    def _ready(self, action: str) -> Objective:
        checks.check_own_steps(type(self))
        if self._objective is None:
            raise ValueError(f"{action}: compile the model first: model.compile(loss=...).")
        return self._objective

    def arrange(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None
    ) -> Data:
        """Checks samples, targets and weights, builds the model if needed, and its trainer."""
        objective = self._ready("fit")
        given = as_arrays("x", x)
        checks.some_rows(given)
        self.ensure_built(given)
        arrays = inputs(given, self.symbols, self.input_names)
        names = self.output_names
        shapes = [tensor.sample for tensor in self.program().flat_outputs]
        chosen, compared = list(objective.losses_by_output(names)), objective.compares(names)
        targets: list[Any] = [None] * len(names)
        if any(compared):
            values = by_output("y", y, names)
            for k, name in enumerate(names):
                if compared[k]:
                    chosen[k] = resolve(chosen[k], shapes[k], np.shape(values[k])[1:])
                    label = "y" if len(names) == 1 else f"y[{name!r}]"
                    targets[k] = checks.targets(label, values[k], shapes[k], chosen[k])
        labels = dict(zip(names, targets, strict=True)) if len(names) > 1 else {"y": targets[0]}
        checks.same_rows(x=arrays[0], **labels)
        weights = weights_by_output(sample_weight, names, len(arrays[0]), shapes)
        if class_weight is not None:
            sparse = [loss is not None and loss.sparse for loss in chosen]
            by_class = class_weights_by_output(class_weight, names, targets, sparse)
            weights = [product(a, b) for a, b in zip(weights, by_class, strict=True)]
        data = Data(arrays, targets, weights)
        if self._trainer is None:
            self._start(data)
        else:
            self.renew_rule()
        self._trainer.check(*self.for_engine(data))
        return data

    def for_engine(self, data: Data) -> tuple[Any, Any, Any]:
        """The arrays as the engine takes them: traced losses read their targets as inputs."""
        return [*data.x, *(data.y[k] for k in self._targets)], list(data.y), list(data.weight)

    def make_trainer(
        self, data: Data, training: bool = True, input_gradients: bool = False
    ) -> tuple[Program, Program, Any, list[int]]:
        """Makes a trainer and what it works on.

        Returns:
            The program it trains, the one it evaluates, the trainer, and the targets that are
            inputs of the programs, too.
        """
        from pynn import _core

        objective = self._ready("fit")
        shapes = [None if y is None else tuple(y.shape[1:]) for y in data.y]
        program = self.make_program(training=training, input_gradients=input_gradients)
        objective.resolve(
            self.output_names,
            [t.sample for t in program.flat_outputs],
            shapes,
            named=self.names_outputs,
            by_key=isinstance(program.outputs, Mapping),
        )
        specs = objective.attach(program, shapes)
        if not specs["losses"]:
            raise ValueError("fit: the model was compiled without a loss.")
        evaluated = program
        if training and program.differs_in_training:
            evaluated = self.make_program()
            objective.attach(evaluated, shapes)
        trainer = _core.Trainer(
            program.network,
            evaluated.network,
            specs["losses"],
            specs["metrics"],
            self.optimizer.spec(),
            self.optimizer.engine_options(program.graph.variables, program.graph.trained),
        )
        return program, evaluated, trainer, specs["targets"]

    def _start(self, data: Data) -> None:
        """Makes the trainer that the following calls go on with."""
        program, self._evaluated_program, self._trainer, self._targets = self.make_trainer(data)
        self._rule = self.optimizer.spec()
        self._trained_program = program  # keeps its variables alive
        trained = state.trained(program)
        if self._optimizer_state is not None:
            state.write(self._trainer, trained, self._optimizer_state)
        self.optimizer.attach(trained, self._trainer.slots)
        self.optimizer.calls = self._trainer.iterations
        if self._seed is None:  # a copy goes on with that of its model
            self._seed = draw_seed()

    def after_steps(self, iterations: int) -> None:
        self.optimizer.calls = iterations
        for variable in self.optimizer.constrained_by_python:
            variable.assign(variable.constraint(variable.numpy()))

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
                For several inputs a list, or a dictionary by their names. Or a source of batches: a
                ``pynn.utils.PyDataset``, a generator or another iterable of ``(x, y)`` or
                ``(x, y, sample_weight)``; then the model's batches are those that come.
            y: targets: class indices ``(n,)`` for sparse losses, else the output's shape; ``(n,)``
                also fits outputs ``(n, 1)``. For several outputs a list or a dictionary.
            batch_size: rows per step; 32 by default.
            epochs: number of the last epoch; 0 trains nothing.
            verbose: 0 silent, 1 or ``"auto"`` a bar, 2 one line per epoch.
            callbacks: objects of ``pynn.callbacks``.
            validation_split: the part of the rows, taken from the end as they stand, that is only
                evaluated.
            validation_data: ``(x, y)``, ``(x, y, sample_weight)`` or a source of batches to
                evaluate after each epoch; the batches of an iterator are kept for all epochs.
            shuffle: whether to train on the rows in a new random order each epoch.
            class_weight: weight of each class, ``{index: weight}``; with several outputs
                ``{output: {index: weight}}``.
            sample_weight: weight of each row; for several outputs one for all, a list or a
                dictionary.
            initial_epoch: number of epochs done before.
            steps_per_epoch: steps that make an epoch; by default one pass over the rows. The next
                epoch goes on where this one stopped.
            validation_steps: at most so many batches are evaluated, the first ones in every epoch;
                an iterator without end needs it.
            validation_batch_size: rows per step of the evaluation.
            validation_freq: evaluate after every so many epochs, or after those listed (from 1).

        Returns:
            The history: ``history.history["loss"]`` lists the loss of each epoch, and so on.

        Raises:
            ValueError: the model is not compiled.
            ValueError: arrays or numbers that do not fit; nothing has been trained then.

        Warns:
            DivergenceWarning: the loss became infinite or NaN.
        """
        from pynn.models.feeding import ArrayFeed, BatchFeed
        from pynn.models.fitting import Fitting

        self._ready("fit")
        verbose = verbosity(verbose)
        epochs, initial_epoch = whole("epochs", epochs, 0), whole("initial_epoch", initial_epoch, 0)
        validation_freq = checks.evaluation_epochs(validation_freq)
        checks.check_part("validation_split", validation_split)
        if steps_per_epoch is not None:
            steps_per_epoch = whole("steps_per_epoch", steps_per_epoch)
        feed: Any
        validation = None
        if is_source(x):
            checks.only_with_arrays(
                y=y,
                sample_weight=sample_weight,
                batch_size=batch_size,
                validation_split=validation_split or None,
            )
            batches = Batches(x, self, shuffle, class_weight)
            feed = BatchFeed(batches, steps_per_epoch)
        else:
            batch_size = whole("batch_size", 32 if batch_size is None else batch_size)
            data = self.arrange(x, y, sample_weight, class_weight)
            checks.check_all_finite(x=data.x, y=data.y)
            if validation_data is None and validation_split:
                data, validation = split(data, validation_split)
                if class_weight is not None:  # it weighs what is trained, not what is measured
                    whole_set = self.arrange(x, y, sample_weight)
                    validation = whole_set.slice(data.rows, whole_set.rows)
            feed = ArrayFeed(data, batch_size, steps_per_epoch, shuffle)
        if validation_data is not None:
            validation = self._validation(validation_data)
        size = validation_batch_size or batch_size
        size = whole("validation_batch_size", 32 if size is None else size)
        steps = None if validation_steps is None else whole("validation_steps", validation_steps)
        fitting = Fitting(self, feed, validation, steps, size)
        return fitting.run(epochs, initial_epoch, verbose, callbacks, validation_freq)

    def _validation(self, given: Any) -> Any:
        if is_source(given):
            return Batches(given, self, repeat=True)
        if not isinstance(given, (tuple, list)) or len(given) not in (1, 2, 3):
            raise ValueError(
                "fit: `validation_data` must be (x, y) or (x, y, sample_weight), or a source of "
                f"batches. Received: {type(given).__name__}"
            )
        data = self.arrange(*given)
        checks.check_all_finite(x=data.x, y=data.y)
        return data
