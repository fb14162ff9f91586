"""Optimizer state: steps by hand, running means, accumulated gradients, against real Keras."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

import keras_optimizers as recorded
import pynn
from pynn import optimizers
from pynn.optimizers import schedules

CASES = list(
    zip(recorded.CASES, json.loads(recorded.PATH.read_text(encoding="utf-8")), strict=True)
)


def ids(case: Any) -> str:
    return f"{case[0]}-{'-'.join(case[1])}" if isinstance(case, tuple) else ""


@pytest.mark.parametrize(("case", "wanted"), CASES, ids=ids)
@pytest.mark.parametrize("kind", [np.array, pynn.Variable])
def test_steps_by_hand_are_those_of_keras(case: Any, wanted: Any, kind: Any) -> None:
    name, options = case
    optimizer = getattr(optimizers, name)(0.1, **options)
    variables = [kind(v, dtype="float64") for v in recorded.start()]
    found = recorded.run(optimizer, variables)
    assert found["iterations"] == wanted["iterations"]
    # Keras keeps its scalars in float32, and with them Adafactor's r and c.
    tolerance = 1e-6 if name == "Adafactor" else 1e-12
    for key in ("weights", "final"):
        for got, right in zip(found[key], wanted[key], strict=True):
            np.testing.assert_allclose(got, right, rtol=tolerance)
    assert [np.shape(v) for v in found["state"]] == [np.shape(v) for v in wanted["state"]]
    for got, right in zip(found["state"], wanted["state"], strict=True):
        np.testing.assert_allclose(got, right, rtol=2e-6, atol=1e-12)


def linear_model(
    rate: Any = 0.1, name: str = "SGD", n: int = 12, **options: Any
) -> tuple[Any, Any, Any]:
    """A model of one weight matrix with its data."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 4)), rng.normal(size=(n, 3))
    layer = pynn.layers.Dense(3, use_bias=False, dtype="float64")
    model = pynn.Sequential([pynn.Input((4,)), layer])
    layer.set_weights([rng.normal(size=(4, 3))])
    model.compile(getattr(optimizers, name)(rate, **options), "mse")
    return model, x, y


def gradient(w: Any, x: Any, y: Any) -> Any:
    return 2 / y.size * x.T @ (x @ w - y)


@pytest.mark.parametrize("every", [None, 2])
def test_running_means_in_training(every: int | None) -> None:
    model, x, y = linear_model(use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=every)
    w = model.get_weights()[0]
    mean = np.zeros_like(w)
    model.fit(x, y, batch_size=12, epochs=5, verbose=0)
    for t in range(5):
        w = w - 0.1 * gradient(w, x, y)
        mean = w if t == 0 else 0.7 * mean + 0.3 * w
        if every and (t + 1) % every == 0:
            w = mean
    np.testing.assert_allclose(model.get_weights()[0], mean, rtol=1e-11)


@pytest.mark.parametrize("options", [{}, {"clipnorm": 0.1}, {"weight_decay": 0.2}], ids=str)
def test_accumulated_gradients_in_training(options: dict[str, Any]) -> None:
    """Three batches of four rows are one update by the mean of their gradients."""
    model, x, y = linear_model(n=24, gradient_accumulation_steps=3, **options)
    w = model.get_weights()[0]
    model.fit(x, y, batch_size=4, epochs=2, verbose=0, shuffle=False)
    assert model.optimizer.iterations == 4
    assert model.optimizer.calls == 12
    for t in range(4):
        rows = slice(12 * (t % 2), 12 * (t % 2) + 12)
        g = gradient(w, x[rows], y[rows])
        g *= min(1, options.get("clipnorm", np.inf) / np.linalg.norm(g))
        w = w * (1 - 0.1 * options.get("weight_decay", 0.0)) - 0.1 * g
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-11)


def test_a_schedule_counts_every_batch() -> None:
    """As in Keras also those whose gradients are only added up."""
    rate = schedules.InverseTimeDecay(0.1, 1, 0.5)
    model, x, y = linear_model(rate, n=8, gradient_accumulation_steps=2)
    w = model.get_weights()[0]
    model.fit(x, y, batch_size=4, epochs=2, verbose=0, shuffle=False)
    for t in (1, 3):
        w = w - rate(t) * gradient(w, x, y)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-11)


def test_means_are_exchanged_and_started_anew() -> None:
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    w = np.array([1.0])
    for _ in range(2):  # w = 0, -1; mean = 0, -0.5
        optimizer.apply([np.array([1.0])], [w])
    optimizer.swap_averages()
    assert w.tolist() == [-0.5]
    optimizer.swap_averages()
    assert w.tolist() == [-1.0]
    optimizer.reset_averages()
    optimizer.finalize_variable_values([w])
    assert w.tolist() == [-1.0]
    with pytest.raises(ValueError, match="use_ema=True"):
        optimizers.SGD().swap_averages()


def test_a_function_of_nothing_is_asked_once_for_each_step() -> None:
    asked: list[int] = []

    def rate() -> float:
        asked.append(len(asked))
        return 0.1 / (1 + len(asked))

    model, x, y = linear_model(rate)
    asked.clear()
    w = model.get_weights()[0]
    model.fit(x, y, batch_size=4, epochs=2, verbose=0, shuffle=False)
    assert len(asked) == 6
    for t in range(6):
        rows = slice(4 * (t % 3), 4 * (t % 3) + 4)
        w = w - 0.1 / (2 + t) * gradient(w, x[rows], y[rows])
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-11)


def test_learning_rate_is_a_number_one_can_assign_to() -> None:
    optimizer: Any = optimizers.Adam(0.5)
    rate = optimizer.learning_rate
    assert rate == 0.5
    assert issubclass(type(rate), float)
    assert f"{rate:.3f} {rate * 2} {rate!r}" == "0.500 1.0 0.5"
    assert float(rate) == rate.numpy() == rate.value == np.asarray(rate) == optimizer.lr
    rate.assign(0.25)
    assert optimizer.learning_rate == 0.25
    optimizer.lr = 0.125
    assert optimizer.learning_rate.numpy() == 0.125
    assert json.loads(json.dumps({"lr": optimizer.learning_rate})) == {"lr": 0.125}
    assert type(pickle.loads(pickle.dumps(rate))) is float
    with pytest.raises(ValueError, match="finite and not negative"):
        rate.assign(-1.0)
    with pytest.raises(TypeError, match="follows a schedule"):
        optimizers.get(optimizers.SGD(schedules.PowerDecay(1.0))).learning_rate.assign(0.1)
    optimizer.iterations.assign(7)
    assert optimizer.iterations == 7
    assert optimizer.iterations.numpy() == 7
    assert isinstance(optimizer.iterations, int)


def test_apply_gradients() -> None:
    optimizer = optimizers.SGD(0.5, momentum=0.5)
    w, b = pynn.Variable([1.0, 2.0]), pynn.Variable(np.ones((2, 20)))
    assert optimizer.apply_gradients([(np.ones(2), w), (np.ones((2, 20)), b)]) == 1
    with pytest.warns(UserWarning, match="No gradients for the variables"):
        optimizer.apply([None, np.zeros((2, 20))], [w, b])
    np.testing.assert_allclose(w.numpy(), [0.5, 1.5])
    np.testing.assert_allclose(b.numpy(), np.full((2, 20), 0.25))
    optimizer.apply([np.ones(2), np.ones((2, 20))])
    assert optimizer.iterations == 3
    assert len(optimizer.variables) == 4
    saved = optimizer.get_weights()
    optimizer.set_weights([np.zeros_like(array) for array in saved])
    assert optimizer.iterations == 0
    assert not optimizer.variables[2].numpy().any()
    again = copy.deepcopy(optimizer)
    again.set_weights(saved)
    assert again.iterations == 3
    assert optimizer.iterations == 0
    with pytest.raises(ValueError, match="unknown variable"):
        optimizer.apply([np.ones(2)], [pynn.Variable([1.0, 2.0])])
    with pytest.raises(ValueError, match=r"gradient must have its variable's shape \(2,\)"):
        optimizer.apply([np.ones(3), np.ones((2, 20))])
    with pytest.raises(ValueError, match="no gradient for any variable"):
        optimizer.apply([None, None], [w, b])
    with pytest.raises(ValueError, match="one gradient for each of 2 variables"):
        optimizer.apply([np.ones(2)])
    with pytest.raises(ValueError, match="expected 4 arrays of state"):
        optimizer.set_weights([np.ones(2)])


def test_apply_respects_constraints_and_scaled_losses() -> None:
    w = pynn.Variable([3.0, -4.0])
    w.constraint = pynn.constraints.UnitNorm()
    optimizer = optimizers.SGD(1.0, loss_scale_factor=8.0)
    assert optimizer.scale_loss(0.5) == 4.0
    optimizer.apply([np.zeros(2)], [w])
    np.testing.assert_allclose(w.numpy(), [0.6, -0.8], rtol=1e-6)


def test_state_while_a_model_trains() -> None:
    """The optimizer looks at the engine's arrays, in Keras's order."""
    model, x, y = linear_model(name="Nadam", use_ema=True, gradient_accumulation_steps=2)
    model.fit(x, y, batch_size=4, epochs=1, verbose=0)
    names = [variable.name for variable in model.optimizer.variables]
    path = model.trainable_variables[0].path.replace("/", "_")
    wanted = [f"{path}_{kind}" for kind in
              ("average", "gradient_accumulator", "momentum", "velocity")]  # fmt: skip
    assert names == ["iteration", "learning_rate", *wanted, "u_product"]
    assert [v.shape for v in model.optimizer.variables][2:6] == [(4, 3)] * 4
    np.testing.assert_allclose(model.optimizer.variables[-1].numpy(), 0.9 * (1 - 0.48), rtol=1e-6)
    assert int(model.optimizer.variables[0].numpy()) == 3


@pytest.mark.parametrize(
    ("optimizer", "kinds"),
    [
        (optimizers.RMSprop(momentum=0.9, centered=True),
         ["k_velocity", "b_velocity", "k_momentum", "b_momentum",
          "k_average_gradient", "b_average_gradient"]),
        (optimizers.Adam(amsgrad=True),
         ["k_momentum", "k_velocity", "b_momentum", "b_velocity",
          "k_velocity_hat", "b_velocity_hat"]),
    ],
)  # fmt: skip
def test_arrays_are_in_the_order_of_keras(optimizer: Any, kinds: list[str]) -> None:
    optimizer.build([pynn.Variable(np.ones((2, 2)), name="k"), pynn.Variable(np.ones(2), name="b")])
    names = [variable.name for variable in optimizer.variables]
    assert names == ["iteration", "learning_rate", *kinds]


def test_errors() -> None:
    with pytest.raises(ValueError, match="`gradient_accumulation_steps` must be a whole number"):
        optimizers.SGD(gradient_accumulation_steps=1)
    with pytest.raises(ValueError, match="`ema_momentum` must be between 0 and 1"):
        optimizers.SGD(use_ema=True, ema_momentum=1.5)
    with pytest.raises(ValueError, match="`ema_overwrite_frequency` must be a whole number"):
        optimizers.SGD(use_ema=True, ema_overwrite_frequency=0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`loss_scale_factor` must be above 0"):
        optimizers.SGD(loss_scale_factor=0.0)

    class Own(optimizers.Optimizer):
        pass

    with pytest.raises(TypeError, match="its rule is compiled in the engine"):
        Own(0.1, {}, {})

    with pytest.raises(ValueError, match="at most 2 axes"):
        optimizers.Adafactor().apply([np.ones((2, 2, 2))], [np.ones((2, 2, 2))])
