"""The pynn model, and its optimizer, that an estimator's parameters describe."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from pynn import activations, constraints, initializers, layers, optimizers, regularizers
from pynn.models import Model, Sequential
from pynn.sklearn.front import Front, three_ways

# scikit-learn's words for activations, where pynn has others.
ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid", "exp": "exponential"}
SOLVERS = frozenset(
    name.lower() for name in optimizers.__all__ if name != "Optimizer" and name[0].isupper()
) | {"lbfgs"}


def build(
    estimator: Any,
    units: Sequence[int],
    out_activation: str,
    dtype: str,
    stream: np.random.RandomState,
    front: Front | None = None,
) -> Model:
    """Returns the model of an estimator.

    Args:
        estimator: its parameters describe the layers.
        units: the numbers of inputs, of each hidden layer's units and of outputs.
        out_activation: scikit-learn's name of the activation of the outputs.
        dtype: what is computed in.
        stream: where random numbers come from.
        front: the layers before the first hidden one.
    """
    features, *hidden, outputs = units
    at_input, rates = dropout_rates(estimator.dropout, len(hidden))
    if at_input and estimator._reads_sparse:
        raise ValueError(
            "dropout of the inputs needs dense samples, as X.toarray() gives. "
            f"Received: dropout={estimator.dropout!r} and a sparse X"
        )
    penalty = _penalty(estimator)
    rises = front is not None and front.signs is not None  # with all that enters a layer
    positive = constraints.NonNeg() if rises else None
    held = positive if estimator.max_norm is None else constraints.MaxNorm(estimator.max_norm)

    def dense(name: str, size: int, activation: Any, **options: Any) -> layers.Dense:
        initializer = _initializer(estimator.kernel_initializer, stream)
        return layers.Dense(
            size,
            activation,
            name=name,
            kernel_initializer=initializer,
            kernel_regularizer=penalty,
            dtype=dtype,
            **options,
        )

    # Names of their own: those that pynn counts up stay with the user's layers.
    steps: list[Any] = []
    if at_input:
        steps.append(layers.Dropout(at_input, dtype=dtype, name="dropout_0"))
    activation = keras_activation(estimator.activation)
    for number, (size, rate) in enumerate(zip(hidden, rates, strict=True), 1):
        name = f"hidden_{number}"
        apart = estimator.batch_norm or rises  # the activation comes later
        steps.append(dense(name, size, None if apart else activation, kernel_constraint=held))
        if estimator.batch_norm:
            normalize = layers.BatchNormalization(
                momentum=0.9,
                gamma_constraint=positive,
                dtype=dtype,
                name=f"batch_norm_{number}",
            )
            steps.append(normalize)
        if rises:
            steps.append(partial(three_ways, activations.get(activation)))
        elif apart:
            steps.append(layers.Activation(activation, dtype=dtype, name=f"activation_{number}"))
        if rate:
            steps.append(layers.Dropout(rate, dtype=dtype, name=f"dropout_{number}"))
    final = keras_activation(out_activation)
    steps.append(dense("output", outputs, final, kernel_constraint=positive))
    if front is None:
        x = layers.Input((features,), name="features", sparse=estimator._reads_sparse)
        model: Model = Sequential([x, *steps], name="mlp")
    else:
        x = layers.Input((features,), name="features", dtype=dtype)
        y = front.connect(x, penalty, stream)
        for step in steps:
            y = step(y)
        model = Model(x, y, name="mlp")
    if estimator.kernel_initializer is None:
        _draw(model, 2 if estimator.activation == "logistic" else 6, stream)
    _hold(model)
    return model


def _hold(model: Model) -> None:
    """Lets weights of at least 0 begin as such: training may end before a batch is done."""
    for variable in model.trainable_variables:
        if isinstance(variable.constraint, constraints.NonNeg):
            variable.assign(variable.constraint(variable.numpy()))


def keras_activation(activation: Any) -> Any:
    """Keras's name of scikit-learn's activation; others stay what they are."""
    return ACTIVATIONS.get(activation, activation) if isinstance(activation, str) else activation


def dropout_rates(dropout: Any, hidden: int) -> tuple[float, list[float]]:
    """The rates after the inputs and after each hidden layer.

    Raises:
        ValueError: a rate outside [0, 1), or a wrong number of them.
    """
    if np.ndim(dropout) == 0:
        rates = [0.0, *[float(dropout)] * hidden]
    else:
        rates = [float(rate) for rate in dropout]
        rates = [0.0] * (len(rates) == hidden) + rates
    if len(rates) != hidden + 1 or not all(0 <= rate < 1 for rate in rates):
        raise ValueError(
            "dropout must be a rate in [0, 1), or one for each hidden layer, or one more in front "
            f"of them for the inputs. Received: dropout={dropout!r} with {hidden} hidden layers"
        )
    return rates[0], rates[1:]


def _penalty(estimator: Any) -> Any:
    return regularizers.PerSample(*_factors(estimator))


def _factors(estimator: Any) -> tuple[float, float]:
    """Of the L1 and the L2 penalty."""
    return estimator.l1_ratio * estimator.alpha, (1 - estimator.l1_ratio) * estimator.alpha / 2


def renew_penalty(model: Model, estimator: Any) -> bool:
    """Gives a model's weights the penalty that the estimator has now; whether that is another."""
    factors, changed = _factors(estimator), False
    for variable in model.trainable_variables:
        penalty = variable.regularizer
        if isinstance(penalty, regularizers.PerSample) and penalty.factors != factors:
            penalty.l1, penalty.l2 = factors
            changed = True
    return changed


def _initializer(given: Any, stream: np.random.RandomState) -> Any:
    """An initializer that draws what the stream says; zeros where weights are drawn later."""
    found = initializers.get("zeros" if given is None else given)
    if getattr(found, "seed", 0) is None:
        found = type(found).from_config({**found.get_config(), "seed": draw_seed(stream)})
    return found


def _draw(model: Model, factor: float, stream: np.random.RandomState) -> None:
    """Draws start weights as scikit-learn does: kernel and bias of one layer after the other.

    Formula: uniform in ``[-b, b]``, ``b = sqrt(factor / (fan_in + fan_out))``; kernels of at least
    0 in ``[0, 4 / fan_in]``, so that what they sum up grows with the depth as little

    References:
        Glorot, Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html.
    """
    for layer in model.layers:
        if isinstance(layer, layers.Dense):
            kernel, bias = layer.trainable_variables
            bound = np.sqrt(factor / sum(kernel.shape))
            for variable in (kernel, bias):
                low, high = -bound, bound
                if isinstance(variable.constraint, constraints.NonNeg):
                    low, high = 0, 4 / kernel.shape[0]
                variable.assign(stream.uniform(low, high, variable.shape))


def draw_seed(stream: np.random.RandomState) -> int:
    """A seed for the engine's own generator."""
    return int(stream.randint(np.iinfo(np.int32).max))


def optimizer(estimator: Any) -> Any:
    """The optimizer that an estimator names as its solver."""
    solver, rate = estimator.solver, estimator.learning_rate_init
    if not isinstance(estimator.learning_rate, str):
        rate = estimator.learning_rate
    made: Any
    if solver == "sgd":
        made = optimizers.SGD(rate, estimator.momentum, estimator.nesterovs_momentum)
    elif solver in ("adam", "lbfgs"):
        made = optimizers.Adam(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon)
    elif isinstance(solver, str):
        made = type(optimizers.get(solver))(learning_rate=rate)
    else:
        made = type(solver).from_config(solver.get_config())
    if estimator.clip_norm is not None:
        made.global_clipnorm = float(estimator.clip_norm)
    return made
