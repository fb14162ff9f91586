"""Any model of pynn as an estimator of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import type_of_target

from pynn.sklearn.wrapping.estimator import KerasEstimator
from pynn.sklearn.wrapping.targets import Classes, Labels, Numbers, target_of_classes

if TYPE_CHECKING:
    from typing_extensions import Self

Array = npt.NDArray[Any]


class KerasClassifier(ClassifierMixin, KerasEstimator):  # type: ignore[misc]
    """A model that tells classes, as an estimator of scikit-learn.

    With an integer ``random_state`` of s, ``fit`` is ``keras.utils.set_random_seed(s)``, building,
    compiling and ``model.fit``; the library's own seeds stay where they are.

    Args:
        model: a function that returns a model, compiled or not; or a model, which is copied with
            its weights. Where the function's arguments are called so, it is given
            ``n_features_in_``, ``n_classes_``, ``classes_``, ``target_type_`` ("binary",
            "multiclass", "multilabel-indicator", "multiclass-multioutput"), ``n_outputs_`` (the
            columns of ``y``), ``n_outputs_expected_`` (the outputs of the model),
            ``feature_names_in_``, ``X_shape_``, ``X_dtype_``, ``meta`` (a dictionary of all
            these), ``X``, ``y`` (a column for each class), ``params`` and ``compile_kwargs``.
        optimizer: name, class or object of ``pynn.optimizers``; None for the one the model was
            compiled with, else "rmsprop".
        loss: name, class, object or function of ``pynn.losses``; None for the one the model was
            compiled with, else the cross-entropy that fits the target and the outputs, from logits
            where the last layer is a dense one without activation. Losses that are not sparse get
            a column for each class.
        metrics: names, objects or functions of ``pynn.metrics``.
        epochs: how often each row is used.
        batch_size: rows per step; 32 by default.
        verbose: 0 silent, 1 a bar, 2 one line per epoch.
        callbacks: objects of ``pynn.callbacks``, used as they are; or classes, of which each
            training makes new objects. One, a list or a dictionary.
        validation_split: the last part of the rows, which is only evaluated.
        shuffle: whether each epoch has an order of its own.
        class_weight: "balanced", or weights by class; for several targets a list of such.
        warm_start: whether ``fit`` goes on with the model of the ``fit`` before, which the
            parameters of model, optimizer, loss and metrics no longer change.
        random_state: integer, ``RandomState`` or None (the library's own seeds): determines initial
            weights, the order of rows and dropout.
        routed: parameters of the parts: ``model__name`` (or only ``name``) for the function;
            ``optimizer__name``, ``loss__name``, ``metrics__0__name`` and ``callbacks__0__name`` for
            constructors; ``compile__name``, ``fit__name`` and ``predict__name`` for methods.

    Attributes:
        model_: the trained model.
        history_: loss and metrics of each epoch, lists by name; later calls are appended.
        classes_: the classes in order; for several targets a list.
        n_classes_: how many.
        n_features_in_, feature_names_in_: of ``X``.
        target_type_, n_outputs_, n_outputs_expected_, X_shape_, X_dtype_: as above.

    Raises:
        TypeError: a parameter that no part takes.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> import pynn
        >>> def build(n_features_in_, n_classes_, hidden=10):
        ...     layers = [
        ...         pynn.layers.Dense(hidden, activation="relu"),
        ...         pynn.layers.Dense(n_classes_, activation="softmax"),
        ...     ]
        ...     return pynn.Sequential([pynn.Input((n_features_in_,)), *layers])
        >>> X, y = load_iris(return_X_y=True)
        >>> estimator = KerasClassifier(
        ...     build, optimizer="adam", optimizer__learning_rate=0.01, epochs=30, random_state=0
        ... )
        >>> estimator.set_params(model__hidden=20).fit(X, y).score(X, y) > 0.9
        True
        >>> estimator.predict_proba(X[:2]).shape
        (2, 3)

    References:
        - scikeras.wrappers.KerasClassifier and keras.wrappers.SKLearnClassifier, whose parameters
          these are.
    """

    def __init__(
        self,
        model: Any = None,
        *,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        epochs: int = 1,
        batch_size: int | None = None,
        verbose: Any = 0,
        callbacks: Any = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        class_weight: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        **routed: Any,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = metrics
        self.epochs = epochs
        self.batch_size = batch_size
        self.verbose = verbose
        self.callbacks = callbacks
        self.validation_split = validation_split
        self.shuffle = shuffle
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.random_state = random_state
        self._route(routed)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Trains one epoch, going on where the last call stopped.

        Args:
            X: samples.
            y: targets.
            classes: all classes that will come; needed in the first call only, and only if its
                ``y`` lacks some.
            sample_weight: weight of each row.

        Returns:
            The estimator.

        Raises:
            ValueError: a class that is not known, or ``class_weight="balanced"``.
        """
        if isinstance(self.class_weight, str):
            raise ValueError(
                "partial_fit: `class_weight` must be a dictionary or None: the balance of all rows "
                f"is not known. Received: class_weight={self.class_weight!r}"
            )
        fresh = not hasattr(self, "model_")
        X, encoded = self._prepare(X, y, fresh, classes)
        self._target.check_classes(classes)
        return self._train(X, encoded, sample_weight, None, {"epochs": 1})

    def predict_proba(self, X: Any) -> Any:
        """Returns the probability of each class.

        Args:
            X: samples.

        Returns:
            Shape ``(n, classes)``, columns in the order of ``classes_``; of several labels one
            column for each; for several targets of classes a list of arrays.

        Raises:
            AttributeError: the model was trained with a hinge loss, which knows no probabilities.
        """
        outputs = self._outputs(X)
        return self._target.probabilities(outputs, self._heads())

    def _as_target(self, y: Any) -> Array:
        return target_of_classes(y)

    def _make_target(self, y: Array, classes: Any) -> Numbers:
        kind = Labels if type_of_target(y) == "multilabel-indicator" else Classes
        target = kind(type(self).__name__, y, classes)
        self.classes_ = target.classes
        counts = [len(each) for each in target.each]
        self.n_classes_ = counts[0] if len(counts) == 1 else counts
        return target

    def _class_weight(self, encoded: Array) -> Any:
        if self.class_weight is None:
            return None
        return self._target.weights(self.class_weight, encoded, self.model_.output_names)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class KerasRegressor(RegressorMixin, KerasEstimator):  # type: ignore[misc]
    """A model that tells numbers, as an estimator of scikit-learn.

    With an integer ``random_state`` of s, ``fit`` is ``keras.utils.set_random_seed(s)``, building,
    compiling and ``model.fit``; the library's own seeds stay where they are.

    Args:
        model: as for ``KerasClassifier``; ``n_outputs_`` tells the function how many columns ``y``
            has. A model of several outputs shares these columns out among them.
        optimizer: name, class or object of ``pynn.optimizers``; None for the one the model was
            compiled with, else "rmsprop".
        loss: name, class, object or function of ``pynn.losses``; None for the one the model was
            compiled with, else the mean squared error.
        metrics, epochs, batch_size, verbose, callbacks, validation_split, shuffle, warm_start:
            as for ``KerasClassifier``.
        random_state: integer, ``RandomState`` or None (the library's own seeds): determines initial
            weights, the order of rows and dropout.
        routed: parameters of the parts, as for ``KerasClassifier``.

    Attributes:
        model_: the trained model.
        history_: loss and metrics of each epoch, lists by name; later calls are appended.
        n_features_in_, feature_names_in_, X_shape_, X_dtype_: of ``X``.
        target_type_, n_outputs_, n_outputs_expected_: of ``y``.

    Raises:
        TypeError: a parameter that no part takes.

    Example:
        >>> import numpy as np
        >>> import pynn
        >>> model = pynn.Sequential([pynn.layers.Dense(1, kernel_initializer="ones")])
        >>> X = np.linspace(-1, 1, 20)[:, None]
        >>> estimator = KerasRegressor(
        ...     model, optimizer="sgd", optimizer__learning_rate=0.5, epochs=50, random_state=0
        ... )
        >>> estimator.fit(X, 2 * X[:, 0] + 3).predict([[0.0]]).round(2)
        array([3.], dtype=float32)

    References:
        - scikeras.wrappers.KerasRegressor and keras.wrappers.SKLearnRegressor, whose parameters
          these are.
    """

    _y_numeric = True

    def __init__(
        self,
        model: Any = None,
        *,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        epochs: int = 1,
        batch_size: int | None = None,
        verbose: Any = 0,
        callbacks: Any = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
        **routed: Any,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = metrics
        self.epochs = epochs
        self.batch_size = batch_size
        self.verbose = verbose
        self.callbacks = callbacks
        self.validation_split = validation_split
        self.shuffle = shuffle
        self.warm_start = warm_start
        self.random_state = random_state
        self._route(routed)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Trains one epoch, going on where the last call stopped.

        Args:
            X: samples.
            y: targets.
            sample_weight: weight of each row.

        Returns:
            The estimator.
        """
        X, encoded = self._prepare(X, y, fresh=not hasattr(self, "model_"))
        return self._train(X, encoded, sample_weight, None, {"epochs": 1})

    def _as_target(self, y: Any) -> Array:
        return np.asarray(y)

    def _make_target(self, y: Array, classes: Any) -> Numbers:
        return Numbers(type(self).__name__, y)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
