"""The multilayer perceptron that predicts classes, as scikit-learn's estimator."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    type_of_target,
    unique_labels,
)

from pynn.losses import Loss
from pynn.sklearn import goals
from pynn.sklearn.base import BaseMLP
from pynn.sklearn.data import Rows
from pynn.sklearn.goals import Goal
from pynn.sklearn.inputs import are_numbers_of, class_numbers

Array = npt.NDArray[Any]


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron that predicts classes: scikit-learn's, and more, on pynn's engine.

    The parameters up to ``max_fun`` are scikit-learn's, and the same ``random_state`` gives the
    same weights up to rounding. It minimizes the mean over the rows of ``-y log p - (1 - y) log(1 -
    p)``, summed over the labels, ``p`` being a logistic output, or for several classes of ``-log
    p_y`` of a softmax; plus ``alpha / (2 n) * sum(w ** 2)`` in a batch of ``n`` rows.

    Args:
        hidden_layer_sizes: units of each hidden layer; a number for one layer, () for none.
        activation: of the hidden layers: "relu" ``max(0, x)``, "logistic" ``1 / (1 + exp(-x))``,
            "tanh", "identity"; or any of ``pynn.activations`` by name or as a function.
        solver: "adam", "sgd" (gradient descent with momentum) or "lbfgs" (L-BFGS-B on all rows at
            once: often best for a few hundred rows); or any of ``pynn.optimizers``, by name or as
            an object, whose own learning rate then counts.
        alpha: factor of the penalty ``alpha / 2 * sum(w ** 2)`` beside the sum of the rows' losses;
            biases have none.
        batch_size: rows per step; "auto" is ``min(200, rows)``. "lbfgs" uses all rows.
        learning_rate: of "sgd": "constant", "invscaling" (``learning_rate_init / t ** power_t``
            after ``t`` rows) or "adaptive" (divided by 5 whenever training stalls). For every
            solver a schedule of ``pynn.optimizers.schedules``, or a function of the step.
        learning_rate_init: the (first) learning rate.
        power_t: exponent of "invscaling".
        max_iter: epochs at most; of "lbfgs" iterations.
        shuffle: whether every epoch has its own order of rows.
        random_state: seed, or generator, of start weights, shuffles, splits and dropout.
        tol: an epoch that is not better than the best by this much counts as idle.
        verbose: whether to print a line per epoch.
        warm_start: whether ``fit`` goes on from the weights of the last one.
        momentum: of "sgd", in [0, 1].
        nesterovs_momentum: whether the momentum of "sgd" looks ahead.
        early_stopping: whether idle epochs are counted by the score of rows held out, instead of
            the training loss; the weights of the best epoch are kept.
        validation_fraction: the part of the rows held out.
        beta_1, beta_2: decay of Adam's means of gradients and of their squares, in [0, 1).
        epsilon: what Adam adds to the root of the mean square.
        n_iter_no_change: training stops after more than this many idle epochs in a row.
        max_fun: calls of the loss at most, for "lbfgs".
        loss: "log_loss"; "focal", which fades out what is classified well; "hinge", whose outputs
            are margins that ``decision_function`` returns; or a loss of pynn, as an object or a
            function of targets and predictions.
        label_smoothing: how far targets are moved from 0 and 1 towards each other, in [0, 1].
        class_weight: ``{class: weight}``, "balanced" (``n / (classes * count)``), or a list with
            one for each label: as if each row's sample weight were multiplied by it.
        dropout: the part of the units left out in each step of training: a rate for every hidden
            layer, a sequence with one for each, or with one more in front for the inputs.
        batch_norm: whether each hidden layer is normalized over the batch before its activation.
        kernel_initializer: any of ``pynn.initializers`` for the kernels, and biases 0; None draws
            both uniformly in ``[-b, b]``, ``b = sqrt(6 / (fan_in + fan_out))`` ("logistic": 2), as
            scikit-learn does.
        l1_ratio: the part of ``alpha`` that weighs ``sum(|w|)`` instead of ``sum(w ** 2) / 2``.
        max_norm: the largest norm of the weights into each hidden unit.
        clip_norm: the largest norm of the gradient of all weights; longer ones are scaled down.
        dtype: "float32" or "float64", to which samples are converted; None keeps float32 and makes
            all else float64.
        n_threads: threads used at most; None leaves the choice to ``pynn.config``.
        scoring: how rows that are not trained on are judged, those that ``early_stopping`` holds
            out or ``X_val`` of ``fit``: the name of a scorer of scikit-learn, a function
            ``scorer(estimator, X, y)``, "loss" for the loss on these rows without penalties
            (negative, so that more is better), or None for the accuracy.
        callbacks: objects of ``pynn.callbacks``, which see the model ``model_`` and the logs that
            ``history_`` keeps. An iteration of "lbfgs" is an epoch of one batch to them.
        standardize: whether the model begins with a ``Normalization`` by the means and deviations
            of the first ``fit``'s weighted rows; targets stay as they are. Like the next parameters
            it refuses sparse samples, which centring would fill.
        missing: "error" refuses NaN; "indicator" reads the feature's mean instead, and one input of
            0 and 1 more for each feature that had NaN in the first ``fit``.
        categorical_features: a mask, places or names of columns, or "from_dtype" for a data frame's
            categorical ones. Each value becomes a vector that is learned (``Embedding``, with the
            penalty of kernels); all that are missing, or new after the first ``fit``, share one.
        embedding_dim: the length of these vectors; None: ``min(50, (values + 1) // 2)``.
        monotonic_cst: 1 for features that the second class never becomes less probable with, -1 for
            the contrary, else 0; a sequence, or a dict by name. Kernels are held at 0 or more, and
            ``coefs_[0]`` reads free features a second time, negated. Needs one output.

    Attributes:
        classes_: the classes in order, which ``predict_proba`` has its columns in.
        coefs_, intercepts_: kernels ``(inputs, units)`` and biases of all layers: live views of the
            model's weights. What is written into them, or assigned, takes effect.
        model_: the pynn model that is trained.
        loss_, loss_curve_: the loss of the last epoch and of each, penalty included.
        best_loss_: the lowest of them, None with early stopping.
        validation_scores_, best_validation_score_: with early stopping the score of each epoch,
            and the best.
        n_iter_: epochs of the last ``fit``; of "lbfgs" iterations.
        t_: rows seen in training.
        n_features_in_, feature_names_in_: number and, for data frames, names of the features.
        n_layers_, n_outputs_, out_activation_: layers counted with the inputs, number of outputs
            and the name of their activation.
        history_: for each key the list of its values after each epoch: "loss", that of
            ``loss_curve_``; "val_loss" (without penalties) and "val_score" where there are rows
            that are not trained on; "learning_rate", that of the epoch's last step (not for
            "lbfgs"); and what callbacks add. It goes on where training goes on.

    Raises:
        InvalidParameterError: in ``fit``, a parameter outside its range (a ValueError).

    Example:
        >>> X, y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), [0, 1, 1, 0]
        >>> est = MLPClassifier(solver="lbfgs", activation="tanh", random_state=1).fit(X, y)
        >>> est.predict(X).tolist(), est.coefs_[0].shape
        ([0, 1, 1, 0], (2, 100))

    References:
        Rumelhart, Hinton, Williams 1986, https://doi.org/10.1038/323533a0.
        Kingma, Ba 2014, https://arxiv.org/abs/1412.6980.
        Runje, Shankaranarayana 2023, https://arxiv.org/abs/2205.11775.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions(set(goals.CLASSIFIER_LOSSES)), Loss, callable],
        "label_smoothing": [Interval(Real, 0, 1, closed="both")],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: Any = "log_loss",
        label_smoothing: float = 0.0,
        class_weight: Any = None,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        kernel_initializer: Any = None,
        l1_ratio: float = 0.0,
        max_norm: float | None = None,
        clip_norm: float | None = None,
        dtype: str | None = None,
        n_threads: int | None = None,
        scoring: Any = None,
        callbacks: Any = None,
        standardize: bool = False,
        missing: str = "error",
        categorical_features: Any = None,
        embedding_dim: int | None = None,
        monotonic_cst: Any = None,
    ) -> None:
        self._store(locals())

    # ---- training ----------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> MLPClassifier:
        """Trains on samples and their classes.

        Args:
            X: samples, shape ``(n, features)``.
            y: classes, shape ``(n,)`` or ``(n, outputs)``.
            sample_weight: weights of the samples, shape ``(n,)``.
            X_val: samples that are not trained on. With ``early_stopping`` they decide when to
                stop, and all of ``X`` is trained on; without, they are reported in ``history_``.
            y_val: their classes.
            sample_weight_val: their weights, in loss and score.

        Raises:
            ValueError: arrays that do not fit, or one of ``X_val`` and ``y_val`` alone.
        """
        return self._fit(  # type: ignore[no-any-return]
            X, y, sample_weight, X_val, y_val, sample_weight_val
        )

    @available_if(lambda est: est._check_solver())  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> MLPClassifier:
        """Trains one epoch on these samples and keeps what was learned before."""
        if _check_partial_fit_first_call(self, classes):
            kind = type_of_target(y)
            self._binarizer = LabelBinarizer().fit(y if kind.startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight, incremental=True)  # type: ignore[no-any-return]

    def _check_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        X, y = self._check_arrays(X, y, reset)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._binarizer.classes_
        elif self.warm_start or not are_numbers_of(self.classes_, y):
            self._check_classes(unique_labels(y))
        return X, y

    def _check_further(self, X: Any, y: Any) -> tuple[Any, Any]:
        X, y = self._check_arrays(X, y, reset=False)
        labels = self._binarizer.y_type_.startswith("multilabel")
        if y.shape[1:] != ((len(self.classes_),) if labels else ()):
            raise ValueError(
                "y_val must have the form of y, whose classes are "
                f"{'columns' if labels else 'values'}. Received: y_val of the shape {y.shape}"
            )
        unknown = np.setdiff1d(unique_labels(y), self.classes_)
        if len(unknown):
            raise ValueError(f"y_val must have no other classes than y. Received: {unknown}")
        return X, y

    def _check_classes(self, found: Array) -> None:
        if self.warm_start:
            if set(found) != set(self.classes_):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous "
                    f"call to fit. Previously got {self.classes_}, `y` has {found}"
                )
        elif len(np.setdiff1d(found, self.classes_, assume_unique=True)):
            raise ValueError(
                "`y` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes_}. 'y' has {found}."
            )

    def _make_goal(self) -> Goal:
        kind = self._binarizer.y_type_
        outputs = 1 if kind == "binary" else len(self.classes_)
        return goals.classification(self.loss, kind, outputs, self.label_smoothing)

    def _encode(self, y: Any) -> Array:
        """Numbers of the classes; or columns of 0 and 1: one for two classes, else one for each."""
        encoded: Array
        if self._binarizer.y_type_ == "binary":
            encoded = class_numbers(self.classes_, y).astype(np.uint8)[:, np.newaxis]
        elif self._binarizer.y_type_ == "multiclass" and not self._goal.one_hot:
            encoded = class_numbers(self.classes_, y)
        else:
            encoded = self._binarizer.transform(y).astype(np.uint8)
        return encoded

    def _as_given(self, y: Array) -> Any:
        kind = self._binarizer.y_type_
        if kind.startswith("multilabel"):
            return y
        return self.classes_[y.argmax(1) if kind == "multiclass" and y.ndim == 2 else y.ravel()]

    def _weigh(self, y: Any, sample_weight: Any, incremental: bool) -> Any:
        if self.class_weight is None:
            return sample_weight
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit, which does not see all "
                "rows. Compute the weights with sklearn.utils.class_weight.compute_class_weight "
                "from all of y and give them as a dict. Received: class_weight='balanced'"
            )
        weight = compute_sample_weight(self.class_weight, y)
        return weight if sample_weight is None else weight * sample_weight

    @property
    def _stratifies(self) -> bool:  # type: ignore[override]
        return bool(self.n_outputs_ == 1)

    # ---- prediction --------------------------------------------------------------------------

    def predict(self, X: Any) -> Array:
        """Returns the most probable class of each sample, or its labels."""
        return self._decide(self._outputs(X))

    def _decide(self, y: Array) -> Array:
        found: Array
        if self._binarizer.y_type_ == "multiclass":
            found = self.classes_[y.argmax(1)]
        elif self._binarizer.y_type_ == "binary":
            last = len(self.classes_) - 1  # all samples of one class are learned, too
            found = self.classes_[np.minimum(y[:, 0] > self._threshold, last)]
        else:
            found = self._binarizer.inverse_transform(y, threshold=self._threshold)
        return found

    @property
    def _threshold(self) -> float:
        """The output above which a sample has a label."""
        return 0.5 if self._goal.has_probabilities else 0.0

    @available_if(lambda est: est._check_probabilities())  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any, return_std: bool = False, mc_samples: int = 100) -> Any:
        """Returns the probability of each class, or of each label.

        Args:
            X: samples, shape ``(n, n_features_in_)``.
            return_std: whether to return the means and standard deviations of predictions with
                different units dropped (Monte-Carlo dropout), which needs ``dropout``. They are
                drawn anew at each call; ``pynn.utils.set_random_seed`` makes them repeatable.
            mc_samples: how many such predictions.

        Raises:
            NotFittedError: before training.
            ValueError: samples that do not fit, or ``return_std`` without dropout.

        References:
            Gal, Ghahramani 2016, https://arxiv.org/abs/1506.02142
        """
        if not return_std:
            return self._probabilities(self._outputs(X))
        mean, deviation = self._sampled(X, mc_samples)
        several = self.n_outputs_ > 1
        return self._probabilities(mean), deviation if several else np.repeat(deviation, 2, axis=1)

    def _probabilities(self, y: Array) -> Array:
        if self.n_outputs_ > 1:
            return y
        both = np.empty((len(y), 2), y.dtype)
        np.subtract(1, y, out=both[:, :1])
        both[:, 1:] = y
        return both

    @available_if(lambda est: est._check_probabilities())  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Array:
        """Returns the logarithms of ``predict_proba``."""
        y: Array = self.predict_proba(X)
        return np.log(y, out=y)

    @available_if(lambda est: not est._check_probabilities(False))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Array:
        """Returns the distances from the border of each class, for a loss that learns these."""
        y: Array = self._outputs(X)
        return y.ravel() if self.n_outputs_ == 1 else y

    def _check_probabilities(self, wanted: bool = True) -> bool:
        """Whether the loss learns probabilities; raises where these are wanted and it does not."""
        learns = goals.learns_probabilities(self.loss)
        if wanted and not learns:
            raise AttributeError(
                "predict_proba needs a loss that learns probabilities. "
                f"Received: loss={self.loss!r}, whose outputs decision_function returns"
            )
        return learns

    def _score_of(self, outputs: Array, rows: Rows) -> float:
        if self._binarizer.y_type_ == "multiclass":
            hits = outputs.argmax(1) == (rows.y.argmax(1) if self._goal.one_hot else rows.y)
        else:
            hits = ((outputs > self._threshold) == rows.y).all(1)
        if rows.weight is None:
            return np.count_nonzero(hits) / len(hits)
        return float(np.average(hits, weights=rows.weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
