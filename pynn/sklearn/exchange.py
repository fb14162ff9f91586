"""Fitted estimators to and from scikit-learn's own ``MLPClassifier`` and ``MLPRegressor``."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.validation import check_is_fitted

from pynn.models import state
from pynn.sklearn import inputs, network, weights
from pynn.sklearn.stochastic import Stopping

# What a fitted estimator of either library has, besides weights and the state of training.
_FITTED = (
    "n_features_in_", "feature_names_in_", "classes_", "n_outputs_", "n_layers_",
    "out_activation_", "loss_", "best_loss_", "loss_curve_", "validation_scores_",
    "best_validation_score_", "n_iter_", "t_",
)  # fmt: skip
_THEIR_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")


def from_sklearn(ours: type, theirs: Any) -> Any:
    """Returns an estimator of class ``ours`` that predicts, and goes on training, like ``theirs``.

    Raises:
        TypeError: ``theirs`` is not the fitting estimator of scikit-learn.
        NotFittedError: it was not fitted.
    """
    from pynn.sklearn.classifier import MLPClassifier as Ours

    twin = MLPClassifier if issubclass(ours, Ours) else MLPRegressor
    if not isinstance(theirs, twin):
        raise TypeError(
            f"{ours.__name__}.from_sklearn takes scikit-learn's {twin.__name__}. "
            f"Received: {type(theirs).__name__}"
        )
    check_is_fitted(theirs)
    made = ours(**theirs.get_params(deep=False))
    for name in _FITTED:
        if hasattr(theirs, name):
            value = getattr(theirs, name)
            setattr(made, name, list(value) if isinstance(value, list) else value)
    if twin is MLPClassifier:
        made._binarizer = theirs._label_binarizer
    made._columns = theirs.n_outputs_
    made.history_ = {"loss": list(getattr(theirs, "loss_curve_", []))}
    made._random_state = theirs._random_state
    made._goal = made._make_goal()
    units = [theirs.coefs_[0].shape[0], *(coef.shape[1] for coef in theirs.coefs_)]
    dtype = theirs.coefs_[0].dtype.name
    made.model_ = network.build(made, units, made.out_activation_, dtype, np.random.RandomState(0))
    made._noise_seed = 0
    for variable, array in zip(weights.variables(made.model_), _arrays(theirs), strict=True):
        variable.assign(array)
    made._link = weights.Link(made)
    if made.solver != "lbfgs":
        _take_training(made, theirs)
    return made


def _take_training(made: Any, theirs: Any) -> None:
    """The optimizer's moments and what the stopping rule has counted."""
    model, rule = made.model_, theirs._optimizer
    model.compile(network.optimizer(made), made._goal.loss, [made._goal.weight])
    if made.solver == "adam":
        steps, moments = rule.t, [[m, v] for m, v in zip(rule.ms, rule.vs, strict=True)]
    else:
        model.optimizer.learning_rate = rule.learning_rate
        steps, moments = 0, [[v] if made.momentum else [] for v in rule.velocities]
    slots = list(zip(weights.variables(model), moments, strict=True))
    state.set_state(model, state.OptimizerState(steps, slots))
    made._stopping = stopping = Stopping(made.early_stopping)
    stopping.idle = theirs._no_improvement_count
    stopping.best = theirs.best_validation_score_ if made.early_stopping else theirs.best_loss_


def to_sklearn(ours: Any) -> Any:
    """Returns scikit-learn's estimator that predicts what ``ours`` does.

    Parameters that scikit-learn lacks are left behind; they concern training only.

    Raises:
        NotFittedError: ``ours`` was not fitted.
        ValueError: scikit-learn's estimator cannot compute what ``ours`` does.
    """
    from pynn.sklearn.classifier import MLPClassifier as Ours

    check_is_fitted(ours)
    if ours.activation not in _THEIR_ACTIVATIONS or ours.batch_norm:
        raise ValueError(
            "to_sklearn: hidden layers must have no batch normalization and one of the activations "
            f"{', '.join(_THEIR_ACTIVATIONS)}. "
            f"Received: activation={ours.activation!r}, batch_norm={ours.batch_norm!r}"
        )
    added = inputs.prepared(ours)
    if added:
        raise ValueError(
            "to_sklearn: the hidden layers must read the samples as they are. "
            f"Received: {', '.join(f'{name}={getattr(ours, name)!r}' for name in added)}"
        )
    twin = MLPClassifier if isinstance(ours, Ours) else MLPRegressor
    if twin is MLPClassifier and not ours._goal.has_probabilities:
        raise ValueError(
            f"to_sklearn: the loss must learn probabilities. Received: loss={ours.loss!r}"
        )
    known = twin().get_params(deep=False)
    made = twin(**{name: value for name, value in ours.get_params(False).items() if name in known})
    for name in _FITTED:
        if hasattr(ours, name):
            value = getattr(ours, name)
            setattr(made, name, list(value) if isinstance(value, list) else value)
    if twin is MLPClassifier:
        made._label_binarizer = ours._binarizer
    made._random_state = ours._random_state
    ours._link.adopt(ours)
    made.coefs_ = [np.array(array, order="C") for array in ours.coefs_]
    made.intercepts_ = [np.array(array) for array in ours.intercepts_]
    if hasattr(ours, "_stopping"):
        made._no_improvement_count = ours._stopping.idle
        made._best_coefs = [array.copy() for array in made.coefs_]
        made._best_intercepts = [array.copy() for array in made.intercepts_]
    return made


def _arrays(theirs: Any) -> list[Any]:
    return [*theirs.coefs_, *theirs.intercepts_]
