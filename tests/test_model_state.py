"""What belongs to a model besides its weights: the optimizer's state, layers of its own."""

from __future__ import annotations

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


def test_an_optimizer_changed_after_compile_asks_for_compile() -> None:
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(1)])
    model.compile(pynn.optimizers.SGD(momentum=0.5), "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    model.optimizer.lr = 0.25
    assert model.optimizer.learning_rate == 0.25
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    model.optimizer.momentum = 0.9
    with pytest.raises(RuntimeError, match="call compile"):
        model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


def test_a_layer_stands_in_a_model_once_and_shuffle_is_a_bool() -> None:
    layer = pynn.layers.Dense(3)
    with pytest.raises(ValueError, match="once"):
        pynn.Sequential([pynn.Input((3,)), layer, layer])
    model = pynn.Sequential([pynn.Input((3,)), layer])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="shuffle"):
        model.fit(np.ones((4, 3)), np.ones((4, 3)), shuffle="batch", verbose=0)  # type: ignore[arg-type]
