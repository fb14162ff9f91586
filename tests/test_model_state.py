"""What belongs to a model besides its weights: the optimizer's state, layers of its own."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import pynn


def test_copies_continue_with_the_optimizer_s_state() -> None:
    x, y = np.random.default_rng(0).normal(size=(64, 3)), np.zeros((64, 1))
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(1)])
    schedule = pynn.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)
    model.compile(pynn.optimizers.Adam(schedule), "mse")
    model.fit(x, y, shuffle=False, verbose=0)
    twin = pickle.loads(pickle.dumps(model))
    for each in (model, twin):
        each.fit(x, y, shuffle=False, verbose=0)
        assert each.optimizer.iterations == 4
    for mine, its in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_hyper_parameters_can_be_assigned_after_compile() -> None:
    """Momentum m makes a step -r g + m (the step before)."""
    layer = pynn.layers.Dense(1, use_bias=False, kernel_initializer="zeros", dtype="float64")
    model = pynn.Sequential([pynn.Input((1,)), layer])
    model.compile(pynn.optimizers.SGD(0.1, momentum=0.5), "mse")
    x, y = np.ones((4, 1)), np.ones((4, 1))
    w = step = 0.0
    for rate, momentum in ((0.1, 0.5), (0.25, 0.5), (0.25, 0.9), (0.25, 0.9)):
        model.optimizer.lr = rate
        model.optimizer.momentum = momentum
        model.fit(x, y, verbose=0)
        step = momentum * step - rate * 2 * (w - 1)
        w += step
        assert float(layer.kernel.numpy()[0, 0]) == pytest.approx(w, rel=1e-12)


def test_a_copy_draws_the_same_dropout() -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dropout(0.5), pynn.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, x[:, :1], shuffle=False, verbose=0)
    copied = copy.deepcopy(model)
    for one in (model, copied):
        one.fit(x, x[:, :1], shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), copied.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_rule_asks_for_compile() -> None:
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(1)])
    model.compile(pynn.optimizers.SGD(), "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    model.optimizer.clipnorm = 1.0
    with pytest.raises(RuntimeError, match="call compile"):
        model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


def test_shuffle_is_a_bool() -> None:
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(3)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="shuffle"):
        model.fit(np.ones((4, 3)), np.ones((4, 3)), shuffle="batch", verbose=0)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["train_step", "test_step", "compute_loss"])
def test_a_step_that_would_not_be_called(name: str) -> None:
    step = {name: lambda self, *args: {}, "call": lambda self, x: x}
    model = type("Own", (pynn.Model,), step)()
    model.compile("sgd", "mse")
    with pytest.raises(NotImplementedError, match=rf"Own\.{name} would not be called"):
        model.fit(np.ones((3, 2)), np.ones((3, 2)), verbose=0)
