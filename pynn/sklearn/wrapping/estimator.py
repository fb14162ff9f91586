"""What KerasClassifier and KerasRegressor share: a model made from parameters, trained, asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from pynn._graph.structure import flatten
from pynn.models import Model
from pynn.sklearn.wrapping.building import build, compile_arguments, compile_model, configured
from pynn.sklearn.wrapping.heads import Head, heads
from pynn.sklearn.wrapping.routing import METHODS, RoutedParameters
from pynn.utils.arrays import as_array
from pynn.utils.checks import is_integer
from pynn.utils.configurable import unknown_argument
from pynn.utils.random import SeedGenerator, seeds_from

if TYPE_CHECKING:
    from typing_extensions import Self

Array = npt.NDArray[Any]

_COMPILED = ("optimizer", "loss", "metrics")
# What a function that builds a model is told, each where an argument has its name.
_TOLD = (
    *("n_features_in_", "feature_names_in_", "X_shape_", "X_dtype_"),
    *("target_type_", "n_outputs_", "n_outputs_expected_", "classes_", "n_classes_"),
)


class KerasEstimator(RoutedParameters):
    """Base of the estimators around a model."""

    _y_numeric = False
    random_state: Any
    warm_start: bool
    model_: Model
    history_: dict[str, list[Any]]
    _target: Any
    _seeds: SeedGenerator | None

    # ---- training ----------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        **fit_params: Any,
    ) -> Self:
        """Makes the model and trains it.

        Args:
            X: samples, shape ``(n, features)``, or with more axes if the model takes such.
            y: targets, shape ``(n,)`` or ``(n, columns)``.
            sample_weight: weight of each row.
            X_val, y_val, sample_weight_val: samples that are evaluated after each epoch, in place
                of a ``validation_split``. ``validation_data=(X_val, y_val)`` means the same.
            fit_params: arguments of the model's ``fit`` for this call; they precede those that are
                parameters of the estimator.

        Returns:
            The estimator.

        Raises:
            ValueError, TypeError: data or parameters that do not fit.
        """
        if "validation_data" in fit_params:
            X_val, y_val, sample_weight_val = (*fit_params.pop("validation_data"), None)[:3]
        fresh = not (self.warm_start and hasattr(self, "model_"))
        X, encoded = self._prepare(X, y, fresh)
        validation = None
        if X_val is not None:
            validation = (*self._checked(X_val, y_val), sample_weight_val)
        return self._train(X, encoded, sample_weight, validation, fit_params)

    def initialize(self, X: Any, y: Any) -> Self:
        """Makes the model as ``fit`` does, without training it: a trained one can be used at once.

        Args:
            X: samples.
            y: targets; a classifier takes its classes from them.

        Returns:
            The estimator.
        """
        self._prepare(X, y, fresh=True)
        return self

    def _prepare(self, X: Any, y: Any, fresh: bool, classes: Any = None) -> tuple[Array, Array]:
        """Checks the data and, where training begins, makes what it needs.

        Returns:
            Samples and encoded targets.
        """
        self._refuse_unknown(self.model, self._routed, TypeError)
        if not fresh:
            return self._checked(X, y)
        X, y = self._validated(X, y, reset=True)
        self._target = self._make_target(y, classes)
        encoded: Array = self._target.encode(y)
        self.X_shape_, self.X_dtype_ = X.shape, X.dtype
        self.target_type_ = self._target.kind
        self.n_outputs_, self.n_outputs_expected_ = self._target.columns, self._target.outputs
        self._seeds = self._new_seeds()
        with seeds_from(self._seeds):
            self.model_ = self._make_model(X, encoded)
        self.history_ = {}
        return X, encoded

    def _checked(self, X: Any, y: Any) -> tuple[Array, Array]:
        """Data that must be like those of the beginning."""
        X, y = self._validated(X, y, reset=False)
        return X, self._target.encode(y)

    def _validated(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        X, y = validate_data(
            self,
            X,
            y,
            reset=reset,
            dtype="numeric",
            allow_nd=True,
            multi_output=True,
            y_numeric=self._y_numeric,
        )
        return X, self._as_target(y)

    def _as_target(self, y: Any) -> Array:
        raise NotImplementedError

    def _make_target(self, y: Array, classes: Any) -> Any:
        raise NotImplementedError

    def _class_weight(self, encoded: Array) -> Any:
        """What ``fit`` of the model gets as ``class_weight``."""
        return None

    def _new_seeds(self) -> SeedGenerator | None:
        random = check_random_state(self.random_state)
        if self.random_state is None:
            return None
        seed = self.random_state if is_integer(self.random_state) else random.randint(2**31 - 1)
        return SeedGenerator(int(seed))

    def _make_model(self, X: Array, encoded: Array) -> Model:
        owner = type(self).__name__
        parts = {name: getattr(self, name) for name in _COMPILED}
        options = {name: self._options(name) for name in (*_COMPILED, "compile")}
        told = {name: getattr(self, name) for name in _TOLD if hasattr(self, name)}
        offered = {
            **told,
            "meta": told,
            "params": self.get_params(),
            "compile_kwargs": compile_arguments(parts, options),
            "X": X,
            "y": self._target.wide(encoded),
        }
        model = build(owner, self.model, self._options("model"), offered)
        model.ensure_built(X)
        changes = any(part is not None for part in parts.values()) or any(options.values())
        if changes or isinstance(self.model, Model) or model.loss is None:

            def automatic_loss() -> Any:
                found = [self._target.loss(head) for head in heads(owner, model)]
                return found if len(found) > 1 else found[0]

            compile_model(model, automatic_loss, parts, options)
        return model

    def _train(
        self,
        X: Array,
        encoded: Array,
        sample_weight: Any,
        validation: tuple[Array, Array, Any] | None,
        fit_params: Mapping[str, Any],
    ) -> Self:
        outputs = self._heads()
        given: Any = None
        if validation is not None:
            x, y, weight = validation
            given = (x, self._for_model(y, outputs), *([] if weight is None else [weight]))
        with seeds_from(self._seeds):
            history = self.model_.fit(
                X,
                self._for_model(encoded, outputs),
                sample_weight=_some_weight(sample_weight),
                class_weight=self._class_weight(encoded),
                validation_data=given,
                **self._fit_arguments(fit_params),
            )
        for name, values in history.history.items():
            self.history_.setdefault(name, []).extend(values)
        return self

    def _fit_arguments(self, fit_params: Mapping[str, Any]) -> dict[str, Any]:
        for name in fit_params:
            if name not in METHODS["fit"]:
                owner = f"{type(self).__name__}.fit"
                raise TypeError(unknown_argument(owner, name, METHODS["fit"]))
        kept = {name: getattr(self, name) for name in METHODS["fit"] if hasattr(self, name)}
        arguments = {**kept, **self._options("fit"), **fit_params}
        objects = configured(
            lambda thing: thing, arguments["callbacks"], self._options("callbacks")
        )
        return {**arguments, "callbacks": _listed(objects)}

    def _for_model(self, encoded: Array, outputs: list[Head]) -> Any:
        parts = self._target.split(encoded, outputs)
        return parts if len(parts) > 1 else parts[0]

    # ---- prediction --------------------------------------------------------------------------

    def predict(self, X: Any) -> Array:
        """Returns predictions in the form of ``y``.

        Args:
            X: samples, as in ``fit``.

        Raises:
            NotFittedError: before ``fit``.
            ValueError: samples unlike those of ``fit``.
        """
        outputs = self._outputs(X)
        predictions: Array = self._target.decode(outputs, self._heads())
        return predictions

    def _outputs(self, X: Any) -> list[Array]:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype="numeric", allow_nd=True)
        return flatten(self.model_.predict(X, **{"verbose": 0, **self._options("predict")}))

    def _heads(self) -> list[Head]:
        return heads(type(self).__name__, self.model_)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")


def _some_weight(sample_weight: Any) -> Any:
    """Returns the weights of rows as an array.

    Raises:
        ValueError: all are zero.
    """
    if sample_weight is None:
        return None
    weight = as_array("sample_weight", sample_weight)
    if not weight.any():
        raise ValueError("`sample_weight` must not be zero for all rows. Received: only zeros")
    return weight


def _listed(objects: Any) -> Any:
    return list(objects.values()) if isinstance(objects, Mapping) else objects
