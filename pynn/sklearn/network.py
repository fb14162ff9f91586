"""The pynn model, and its optimizer, that an estimator's parameters describe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import constraints, initializers, layers, optimizers, regularizers
from pynn.models import Model, Sequential

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
) -> Model:
    """Returns the model of an estimator.

    Args:
        estimator: its parameters describe the layers.
        units: the numbers of inputs, of each hidden layer's units and of outputs.
        out_activation: scikit-learn's name of the activation of the outputs.
        dtype: what is computed in.
        stream: where random numbers come from.
    """
    features, *hidden, outputs = units
    at_input, rates = dropout_rates(estimator.dropout, len(hidden))
    penalty, norm = _penalty(estimator), None
    if estimator.max_norm is not None:
        norm = constraints.MaxNorm(estimator.max_norm)

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
    model = Sequential([layers.Input((features,), name="features")], name="mlp")
    if at_input:
        model.add(layers.Dropout(at_input, dtype=dtype, name="dropout_0"))
    activation = keras_activation(estimator.activation)
    for number, (size, rate) in enumerate(zip(hidden, rates, strict=True), 1):
        name = f"hidden_{number}"
        if estimator.batch_norm:
            model.add(dense(name, size, None, kernel_constraint=norm))
            normalize = layers.BatchNormalization(
                momentum=0.9, dtype=dtype, name=f"batch_norm_{number}"
            )
            model.add(normalize)
            model.add(layers.Activation(activation, dtype=dtype, name=f"activation_{number}"))
        else:
            model.add(dense(name, size, activation, kernel_constraint=norm))
        if rate:
            model.add(layers.Dropout(rate, dtype=dtype, name=f"dropout_{number}"))
    model.add(dense("output", outputs, keras_activation(out_activation)))
    if estimator.kernel_initializer is None:
        _draw(model, 2 if estimator.activation == "logistic" else 6, stream)
    return model


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
    alpha, ratio = estimator.alpha, estimator.l1_ratio
    return regularizers.PerSample(ratio * alpha, (1 - ratio) * alpha / 2) if alpha else None


def _initializer(given: Any, stream: np.random.RandomState) -> Any:
    """An initializer that draws what the stream says; zeros where weights are drawn later."""
    found = initializers.get("zeros" if given is None else given)
    if getattr(found, "seed", 0) is None:
        found = type(found).from_config({**found.get_config(), "seed": draw_seed(stream)})
    return found


def _draw(model: Model, factor: float, stream: np.random.RandomState) -> None:
    """Draws start weights as scikit-learn does: kernel and bias of one layer after the other.

    Formula: uniform in ``[-b, b]``, ``b = sqrt(factor / (fan_in + fan_out))``

    References:
        Glorot, Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html.
    """
    for layer in model.layers:
        if isinstance(layer, layers.Dense):
            kernel, bias = layer.trainable_variables
            bound = np.sqrt(factor / sum(kernel.shape))
            for variable in (kernel, bias):
                variable.assign(stream.uniform(-bound, bound, variable.shape))


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
