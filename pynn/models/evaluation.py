"""evaluate and predict, in one piece or batch by batch."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn import config
from pynn._graph.structure import pack
from pynn.models.batches import Batches, is_source
from pynn.models.checks import only_with_arrays, verbosity, whole
from pynn.models.data import Data, inputs
from pynn.utils.arrays import as_arrays

if TYPE_CHECKING:
    from pynn._graph.program import Program
    from pynn.callbacks import CallbackList
    from pynn.models.objective import Objective


class Evaluation:
    """The part of a model that is used without training."""

    name: str
    built: bool
    _objective: Objective | None
    _trainer: Any
    _evaluated_program: Program | None  # the network in which the trainer evaluates
    _program: Program | None  # for prediction

    # Given by Model and Training.
    @property
    def symbols(self) -> Any:
        raise NotImplementedError

    @property
    def input_names(self) -> list[str]:
        raise NotImplementedError

    @property
    def output_names(self) -> list[str]:
        raise NotImplementedError

    @property
    def names_outputs(self) -> bool:
        raise NotImplementedError

    def ensure_built(self, x: Any) -> None:
        raise NotImplementedError

    def make_program(self, training: bool = False, **options: Any) -> Program:
        raise NotImplementedError

    def program(self) -> Program:
        raise NotImplementedError

    def arrange(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None
    ) -> Data:
        raise NotImplementedError

    def for_engine(self, data: Data) -> tuple[Any, Any, Any]:
        raise NotImplementedError

    def predict_samples(self, x: Any, mc_samples: int) -> Any:
        raise NotImplementedError

    def _ready(self, action: str) -> Objective:
        raise NotImplementedError

    # ---- evaluate ----------------------------------------------------------------------------

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
            x: samples, or a source of batches, as in ``fit``.
            y: targets.
            batch_size: rows per step, 32 by default: concerns what is printed, how often callbacks
                are called, and layers that were called with ``training=True``.
            verbose: 0 silent, 1 or ``"auto"`` a bar, 2 one line.
            sample_weight: weight of each row.
            steps: at most so many batches are used.
            callbacks: objects of ``pynn.callbacks``.
            return_dict: whether to return a dictionary.

        Returns:
            The loss if there are no metrics, else a list of the loss and the metrics in the order
            given to ``compile``; or a dictionary of them.

        Raises:
            ValueError: the model is not compiled.
            ValueError: arrays that do not fit.
        """
        objective = self._ready("evaluate")
        size = whole("batch_size", 32 if batch_size is None else batch_size)
        limit = None if steps is None else whole("steps", steps)
        if is_source(x):
            only_with_arrays(y=y, sample_weight=sample_weight, batch_size=batch_size)
            source: Any = Batches(x, self)
            count = limit or source.steps
        else:
            source = self.arrange(x, y, sample_weight)
            if limit is not None:
                source = source.slice(0, limit * size)
            count = math.ceil(source.rows / size)
        hooks = self._hooks(callbacks, verbosity(verbose), count)
        try:
            results = self.run_evaluation(source, hooks, size, limit)
        finally:
            hooks.on_close()
        if return_dict:
            return objective.logs(results)
        values = objective.values(results)
        return values[0] if len(values) == 1 else values

    def run_evaluation(
        self,
        source: Data | Batches,
        hooks: CallbackList,
        batch_size: int = 32,
        steps: int | None = None,
    ) -> dict[str, Any]:
        """Evaluates checked data piece by piece and returns the engine's results."""
        objective = self._objective
        assert objective is not None
        by_batch = bool(
            hooks.wants_test_batches
            or objective.python_metrics
            or not objective.adds_up
            or isinstance(source, Batches)
            or self.program().graph.trains_in_prediction
            or (self._trainer is not None and self._trainer.whole_batch)
        )
        hooks.on_test_begin()
        if self._trainer is not None:
            self._trainer.results(reset=True, evaluation=True)
        objective.reset_python_metrics()
        results: dict[str, Any] = {}
        done = 0
        for part in _pieces(source, batch_size if by_batch else self.program().chunk_rows):
            if by_batch:
                hooks.on_test_batch_begin(done)
            self.evaluate_piece(part)
            results = self._trainer.results(evaluation=True)
            done += 1 if by_batch else math.ceil(part.rows / batch_size)
            logs = objective.logs(results)
            end = hooks.on_test_batch_end if by_batch else hooks.on_test_chunk_end
            end(done - 1, logs)
            if steps is not None and done >= steps:
                break
        if not results:
            raise ValueError("evaluate: there must be at least one batch. Received: none")
        if steps is not None and done < steps and isinstance(source, Batches):
            warnings.warn(
                "evaluate: the source of batches ran out before all steps were made. "
                f"Received: {done} batches for {steps} steps",
                stacklevel=2,
            )
        hooks.on_test_end(objective.logs(results))
        return results

    def evaluate_piece(self, part: Data) -> None:
        """Adds checked data to the sums of an evaluation."""
        objective, program = self._objective, self._evaluated_program
        assert objective is not None
        assert program is not None
        outputs = self._trainer.evaluate(
            *self.for_engine(part),
            config.n_threads(),
            *program.next_pass(),
            bool(objective.python_metrics),
        )
        objective.update_python_metrics(part, outputs)

    # ---- predict -----------------------------------------------------------------------------

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        mc_samples: int | None = None,
    ) -> Any:
        """Returns the outputs for samples; may be called from several threads at once.

        Args:
            x: samples, shape ``(n, ...)``: one array, or several as in ``fit``; or a source of
                batches.
            batch_size: rows per step, 32 by default: concerns what is printed, how often callbacks
                are called, and layers that were called with ``training=True``.
            verbose: 0 silent, 1 or ``"auto"`` a bar, 2 one line.
            steps: at most so many batches are used.
            callbacks: objects of ``pynn.callbacks``.
            mc_samples: so many predictions are made with dropout active, and their mean and
                standard deviation returned.

        Returns:
            Array of the model's float type, shape ``(n, ...)``; for several outputs the structure
            in which the model has them.

        Raises:
            ValueError: samples of another shape than the model was built for.
        """
        if mc_samples is not None:
            return self.predict_samples(x, mc_samples)
        size = whole("batch_size", 32 if batch_size is None else batch_size)
        limit = None if steps is None else whole("steps", steps)
        verbose, known = verbosity(verbose), self._program
        if known and not verbose and callbacks is limit is None and known.takes_at_once(x):
            return known.run([x])[0]
        if is_source(x):
            only_with_arrays(batch_size=batch_size)
            source: Any = Batches(x, self, targets=False)
            count = limit or source.steps
        else:
            given = as_arrays("x", x)
            self.ensure_built(given)
            arrays = inputs(given, self.symbols, self.input_names)
            source = Data(arrays, [], [])
            if limit is not None:
                source = source.slice(0, limit * size)
            count = math.ceil(source.rows / size)
        hooks = self._hooks(callbacks, verbose, count)
        try:
            return self._predict_pieces(source, hooks, size, limit)
        finally:
            hooks.on_close()

    def _predict_pieces(
        self, source: Data | Batches, hooks: CallbackList, size: int, limit: int | None
    ) -> Any:
        by_batch = isinstance(source, Batches) or hooks.wants_predict_batches
        by_batch = by_batch or self.program().needs_batches
        hooks.on_predict_begin()
        parts: list[list[Any]] = []
        done = 0
        for part in _pieces(source, size if by_batch else self.program().chunk_rows):
            if by_batch:
                hooks.on_predict_batch_begin(done)
            parts.append(self.program().run(list(part.x)))
            done += 1 if by_batch else math.ceil(part.rows / size)
            outputs = {"outputs": pack(self.program().outputs, parts[-1])}
            end = hooks.on_predict_batch_end if by_batch else hooks.on_predict_chunk_end
            end(done - 1, outputs)
            if limit is not None and done >= limit:
                break
        if not parts:
            raise ValueError("predict: there must be at least one batch. Received: none")
        hooks.on_predict_end()
        joined = [p[0] if len(p) == 1 else np.concatenate(p) for p in zip(*parts, strict=True)]
        return pack(self.program().outputs, joined)

    def _hooks(self, callbacks: Any, verbose: int, steps: int | None) -> CallbackList:
        from pynn.callbacks._base import as_callback_list

        return as_callback_list(callbacks, self, verbose=verbose, epochs=1, steps=steps)


def _pieces(source: Data | Batches, rows: int) -> Any:
    """The data in pieces: those a source hands out, or slices of some rows."""
    if isinstance(source, Batches):
        yield from source.epoch()
        return
    yield source.slice(0, rows)
    for start in range(rows, source.rows, rows):
        yield source.slice(start, start + rows)
