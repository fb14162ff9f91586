"""Single batches, gradients, repeated predictions: what one does around training."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pynn import config
from pynn._graph.structure import pack
from pynn.models.checks import whole
from pynn.models.data import inputs
from pynn.models.evaluation import Evaluation
from pynn.utils.arrays import as_arrays
from pynn.utils.random import draw_seed

if TYPE_CHECKING:
    from pynn.callbacks import LearningRateFinder


class Batchwise(Evaluation):
    """The part of a model for training loops of one's own, and for looking inside."""

    optimizer: Any
    _seed: int

    # ---- one batch ---------------------------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[Any, Any] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Makes one step of the optimizer.

        Args:
            x: the samples of the batch.
            y: their targets.
            sample_weight: their weights.
            class_weight: weight of each class.
            return_dict: whether to return a dictionary.

        Returns:
            Loss and metrics of this batch, as ``evaluate`` returns them.

        Raises:
            ValueError: the model is not compiled.
            ValueError: arrays that do not fit.
        """
        objective = self._ready("train_on_batch")
        data = self.arrange(x, y, sample_weight, class_weight)
        self.reset_metrics()
        rates = self.optimizer.learning_rates(self._trainer.iterations, 1)
        order = np.arange(data.rows, dtype=np.int64)
        self._trainer.train(
            *self.for_engine(data),
            order,
            data.rows,
            0,
            1,
            rates,
            1.0,
            self._seed,
            config.n_threads(),
        )
        self.after_steps(self._trainer.iterations)
        if objective.python_metrics:
            objective.update_python_metrics(data, self._trainer.outputs())
        return self._report(self._trainer.results(), return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Returns loss and metrics of one batch, without training.

        Args:
            x: the samples of the batch.
            y: their targets.
            sample_weight: their weights.
            return_dict: whether to return a dictionary.

        Raises:
            ValueError: the model is not compiled.
            ValueError: arrays that do not fit.
        """
        self._ready("test_on_batch")
        data = self.arrange(x, y, sample_weight)
        self.reset_metrics()
        self.evaluate_piece(data)
        return self._report(self._trainer.results(evaluation=True), return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Returns the outputs for one batch of samples: ``predict`` without anything around it."""
        return self(as_arrays("x", x))  # type: ignore[operator]

    def reset_metrics(self) -> None:
        """Starts loss and metrics anew."""
        if self._objective is not None:
            self._objective.reset_python_metrics()
        if self._trainer is not None:
            for evaluation in (False, True):
                self._trainer.results(reset=True, evaluation=evaluation)

    def _report(self, results: dict[str, Any], return_dict: bool) -> Any:
        objective = self._ready("evaluate")
        if return_dict:
            return objective.logs(results)
        values = objective.values(results)
        return values[0] if len(values) == 1 else values

    def after_steps(self, iterations: int) -> None:
        """Tells the optimizer how many steps were made; applies constraints of the user's own."""
        raise NotImplementedError

    # ---- gradients ---------------------------------------------------------------------------

    def gradients(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        training: bool = False,
        inputs: bool = False,
    ) -> Any:
        """Returns the gradients of the loss on these samples, taken as one batch.

        The model stays as it is, its moving statistics included.

        Args:
            x: samples.
            y: targets.
            sample_weight: weights.
            training: whether layers act as in training (dropout, statistics of the batch).
            inputs: whether to return the gradients at the inputs, too.

        Returns:
            One array for each of ``trainable_weights``; with ``inputs=True`` these and the
            gradients of ``x`` in its structure. Penalties are part of the loss.

        Raises:
            ValueError: the model is not compiled.
            ValueError: arrays that do not fit.

        Example:
            >>> import numpy as np
            >>> import pynn
            >>> model = pynn.Sequential([pynn.Input((2,)), pynn.layers.Dense(1, use_bias=False)])
            >>> model.compile(loss="mse")
            >>> model.set_weights([[[1.0], [2.0]]])
            >>> model.gradients(np.array([[1.0, 1.0]]), [[0.0]])[0].tolist()
            [[6.0], [6.0]]
        """
        self._ready("gradients")
        data = self.arrange(x, y, sample_weight)
        program, _, trainer, targets = self.make_trainer(data, training, inputs)
        statistics = [(v, v.numpy()) for v in program.graph.variables if training]
        _, by_variable, by_input = trainer.gradients(
            [*data.x, *(data.y[k] for k in targets)],
            list(data.y),
            list(data.weight),
            draw_seed(),
            training,
            config.n_threads(),
            inputs,
        )
        for variable, values in statistics:  # a pass in training moves those of the batches
            variable.assign(values)
        found = {
            id(variable): gradient
            for variable, gradient in zip(program.graph.variables, by_variable, strict=True)
        }
        weights = self.trainable_weights  # type: ignore[attr-defined]
        zeros = (np.zeros(v.shape, v.dtype) for v in weights)
        gradients = [found.get(id(v), zero) for v, zero in zip(weights, zeros, strict=True)]
        if not inputs:
            return gradients
        return gradients, pack(self.symbols, by_input[: len(data.x)])

    def make_trainer(self, data: Any, training: bool, input_gradients: bool) -> Any:
        """Returns the programs to train and to evaluate, a trainer, the targets that are inputs."""
        raise NotImplementedError

    # ---- what dropout knows ------------------------------------------------------------------

    def predict_samples(self, x: Any, mc_samples: int) -> tuple[Any, Any]:
        """Returns mean and standard deviation of predictions with dropout active.

        Every prediction draws other units to drop; batch normalization keeps to its moving
        statistics.

        Args:
            x: samples.
            mc_samples: how many predictions are made, at least 2.

        References:
            Gal, Ghahramani 2016, Dropout as a Bayesian approximation,
            https://arxiv.org/abs/1506.02142
        """
        count = whole("mc_samples", mc_samples, 2)
        given = as_arrays("x", x)
        self.ensure_built(given)
        arrays = inputs(given, self.symbols, self.input_names)
        program = self.make_program(dropout=True)
        total: list[npt.NDArray[np.float64]] | None = None
        squares: list[npt.NDArray[np.float64]] = []
        for i in range(count):  # Welford's running mean and sum of squared deviations
            outputs = [y.astype(np.float64) for y in program.run(arrays)]
            if total is None:
                total, squares = outputs, [np.zeros_like(y) for y in outputs]
                continue
            for k, y in enumerate(outputs):
                delta = y - total[k]
                total[k] += delta / (i + 1)
                squares[k] += delta * (y - total[k])
        assert total is not None
        mean = [y.astype(program.dtype) for y in total]
        deviation = [np.sqrt(s / (count - 1)).astype(program.dtype) for s in squares]
        return pack(program.outputs, mean), pack(program.outputs, deviation)

    def fuse(self) -> Any:
        """Returns a copy for prediction with batch normalization folded into the dense layers.

        See ``pynn.models.fusing``: the copy is compared with the model on random samples.
        """
        from pynn.models.fusing import fuse

        return fuse(self)

    # ---- learning rate -----------------------------------------------------------------------

    def find_lr(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        min_rate: float = 1e-6,
        max_rate: float = 10.0,
        steps: int = 100,
        sample_weight: Any = None,
    ) -> LearningRateFinder:
        """Tries growing learning rates; the model is as before afterwards.

        Args:
            x: samples.
            y: targets.
            batch_size: rows per step, 32 by default.
            min_rate: the first learning rate.
            max_rate: the last.
            steps: how many batches are trained on.
            sample_weight: weights.

        Returns:
            The finder: ``.suggestion`` is a good rate, ``.plot()`` draws loss over rate.
        """
        from pynn.callbacks import LearningRateFinder
        from pynn.models.fitting import DivergenceWarning

        finder = LearningRateFinder(min_rate, max_rate, whole("steps", steps, 2))
        history = self.history  # type: ignore[has-type]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DivergenceWarning)  # it is where the search ends
            self.fit(  # type: ignore[attr-defined]
                x,
                y,
                batch_size=batch_size,
                steps_per_epoch=steps,
                sample_weight=sample_weight,
                callbacks=[finder],
                verbose=0,
            )
        self.history = history
        return finder
