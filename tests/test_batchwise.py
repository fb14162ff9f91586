"""Single batches, gradients, Monte-Carlo dropout, fused copies, and the search for a rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pynn
from fixed import Array, fill, numeric_gradients, rows
from pynn import layers, ops

X, Y = rows(6, 3), rows(6, 2, 1)


@pytest.fixture(autouse=True)
def float64() -> Any:
    pynn.config.set_floatx("float64")
    pynn.backend.clear_session()
    yield
    pynn.config.set_floatx("float32")


def _close(a: Any, b: Any, rtol: float = 1e-10) -> None:
    np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


def _linear(**kwargs: Any) -> tuple[Any, Array, Array]:
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2)])
    kernel, bias = fill(model)
    model.compile(pynn.optimizers.SGD(0.1), "mse", **kwargs)
    return model, kernel, bias


# ---- one batch -------------------------------------------------------------------------------


def test_train_on_batch_is_one_step() -> None:
    model, k, b = _linear(metrics=["mae"])
    for step in range(3):
        error = X @ k + b - Y
        found = model.train_on_batch(X, Y, return_dict=step == 1)
        expected = [(error**2).mean(), np.abs(error).mean()]  # of this batch alone
        _close([found["loss"], found["mae"]] if step == 1 else found, expected)
        k, b = k - 0.1 * X.T @ error * 2 / error.size, b - 0.1 * error.sum(axis=0) * 2 / error.size
        _close(model.get_weights()[0], k)
        _close(model.get_weights()[1], b)
    assert int(model.optimizer.iterations) == 3


def test_weights_on_one_batch() -> None:
    w = np.arange(6.0)
    model, k, b = _linear(metrics=["mae"], weighted_metrics=["mae"])
    error = X @ k + b - Y
    each = np.abs(error).mean(axis=1)
    expected = [
        ((error**2).mean(axis=1) * w).mean(),
        np.abs(error).mean(),
        (each * w).sum() / w.sum(),
    ]
    _close(model.test_on_batch(X, Y, sample_weight=w), expected)
    _close(model.train_on_batch(X, Y, sample_weight=w), expected)
    slope = error * w[:, None] * 2 / error.size
    _close(model.get_weights()[0], k - 0.1 * X.T @ slope)


def test_class_weights_on_one_batch() -> None:
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2, activation="softmax")])
    k, b = fill(model)
    model.compile(pynn.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    labels = np.arange(6) % 2
    z = np.exp(X @ k + b)
    p = z / z.sum(axis=1, keepdims=True)
    w = np.where(labels, 3.0, 0.5)
    found = model.train_on_batch(X, labels, class_weight={0: 0.5, 1: 3.0})
    _close(found, (-np.log(p[np.arange(6), labels]) * w).mean())
    slope = (p - np.eye(2)[labels]) * w[:, None] / 6
    _close(model.get_weights()[0], k - 0.1 * X.T @ slope)


def test_test_and_predict_on_batch_change_nothing() -> None:
    model, k, b = _linear()
    error = X @ k + b - Y
    for _ in range(2):
        _close(model.test_on_batch(X, Y), (error**2).mean())
        assert model.test_on_batch(X, Y, return_dict=True) == {
            "loss": pytest.approx((error**2).mean())
        }
        _close(model.predict_on_batch(X), X @ k + b)
    np.testing.assert_array_equal(model.get_weights()[0], k)
    assert int(model.optimizer.iterations) == 0


def test_metrics_after_reset_are_those_of_the_next_rows() -> None:
    model, k, b = _linear(metrics=["mae", pynn.metrics.MeanSquaredError(name="own")])
    model.train_on_batch(X, Y)
    model.reset_metrics()
    k, b = model.get_weights()
    error = X[:2] @ k + b - Y[:2]
    found = model.test_on_batch(X[:2], Y[:2], return_dict=True)
    expected = {"mae": np.abs(error).mean(), "own": (error**2).mean(), "loss": (error**2).mean()}
    assert found == pytest.approx(expected)
    pynn.Sequential([layers.Dense(1)]).reset_metrics()  # nothing to do before compile


def test_metric_objects_hold_what_was_reported() -> None:
    mae, auc = pynn.metrics.MeanAbsoluteError(), pynn.metrics.AUC()
    model, k, b = _linear(metrics=[mae])
    model.evaluate(X, Y, verbose=0)
    assert mae.result() == pytest.approx(np.abs(X @ k + b - Y).mean())
    model.fit(X, Y, verbose=0, validation_data=(X[:2], Y[:2]))
    k, b = model.get_weights()
    assert mae.result() == pytest.approx(np.abs(X[:2] @ k + b - Y[:2]).mean())
    assert model.metrics == [mae]
    binary = pynn.Sequential([pynn.Input((3,)), layers.Dense(1, activation="sigmoid")])
    fill(binary)
    binary.compile("sgd", "binary_crossentropy", metrics=[auc])
    found = binary.evaluate(X, np.arange(6) % 2, verbose=0)
    assert auc.result() == pytest.approx(found[1])


def test_a_loop_of_ones_own_equals_fit() -> None:
    looped, _, _ = _linear()
    fitted, _, _ = _linear()
    for model in (looped, fitted):
        model.compile(pynn.optimizers.Adam(0.05), "mse")
    for _ in range(3):
        for start in (0, 2, 4):
            looped.train_on_batch(X[start : start + 2], Y[start : start + 2])
    fitted.fit(X, Y, batch_size=2, epochs=3, shuffle=False, verbose=0)
    for ours, theirs in zip(looped.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_batches_that_do_not_fit() -> None:
    model, _, _ = _linear()
    for function in (model.train_on_batch, model.test_on_batch, model.gradients):
        for x, y in ((rows(2, 4), rows(2, 2)), (X, rows(6, 3)), (X, Y[:3]), (X, None)):
            with pytest.raises(ValueError, match="Received"):
                function(x, y)
    bare = pynn.Sequential([pynn.Input((3,)), layers.Dense(2)])
    for name in ("train_on_batch", "test_on_batch", "gradients"):
        with pytest.raises(ValueError, match=f"{name}: compile the model first"):
            getattr(bare, name)(X, Y)


# ---- gradients -----------------------------------------------------------------------------------


def _net() -> Any:
    a, b = pynn.Input((3,), name="a"), pynn.Input((2,), name="b")
    hidden = layers.Dense(4, activation="tanh", kernel_regularizer="l2")(a)
    out = layers.Dense(2)(layers.concatenate([hidden * 2, b]))
    model = pynn.Model({"a": a, "b": b}, out)
    fill(model)
    model.compile("sgd", "mse")
    return model


def _net_loss(w: list[Array], x: dict[str, Array], weight: Array) -> float:
    hidden = 2 * np.tanh(x["a"] @ w[0] + w[1])
    error = np.hstack([hidden, x["b"]]) @ w[2] + w[3] - Y
    return float(((error**2).mean(axis=1) * weight).mean() + 0.01 * (w[0] ** 2).sum())


def test_gradients_of_weights_and_inputs() -> None:
    model = _net()
    x = {"a": rows(6, 3), "b": rows(6, 2, 1)}
    w = [np.array(v) for v in model.get_weights()]
    weight = np.arange(6.0)
    by_weight, by_input = model.gradients(x, Y, sample_weight=weight, inputs=True)
    expected = numeric_gradients(lambda v: _net_loss(v, x, weight), w)
    for ours, theirs in zip(by_weight, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
    names = ["a", "b"]
    copies = [x[name].copy() for name in names]
    expected = numeric_gradients(
        lambda v: _net_loss(w, dict(zip(names, v, strict=True)), weight), copies
    )
    assert sorted(by_input) == names
    for name, theirs in zip(names, expected, strict=True):
        np.testing.assert_allclose(by_input[name], theirs, rtol=1e-6, atol=1e-9)


def test_gradients_leave_the_model_alone() -> None:
    model = _net()
    x = {"a": rows(6, 3), "b": rows(6, 2, 1)}
    before = model.get_weights()
    first = model.gradients(x, Y)
    second = model.gradients(x, Y)
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, two)
    assert int(model.optimizer.iterations) == 0
    model.layers[1].trainable = False
    model.compile("sgd", "mse")
    assert len(model.gradients(x, Y)) == len(model.trainable_weights) == 2


def test_gradients_in_training_use_the_batch_s_statistics() -> None:
    model = pynn.Sequential([pynn.Input((3,)), layers.BatchNormalization(), layers.Dense(2)])
    model.compile("sgd", "mse")
    w = [np.array(v) for v in fill(model)]
    w[3] = np.abs(w[3]) + 1
    model.set_weights(w)
    before = model.get_weights()

    def loss(weights: list[Array], batch: bool) -> float:
        gamma, beta, mean, variance, k, b = weights
        if batch:
            mean, variance = X.mean(axis=0), X.var(axis=0)
        hat = (X - mean) / np.sqrt(variance + 1e-3)
        return float((((hat * gamma + beta) @ k + b - Y) ** 2).mean())

    for batch in (False, True):
        expected = numeric_gradients(lambda v, batch=batch: loss(v, batch), w)
        ours = model.gradients(X, Y, training=batch)
        for one, two in zip(ours, [*expected[:2], *expected[4:]], strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-8)
    for one, two in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, two)  # the moving statistics, too


# ---- Monte-Carlo dropout -----------------------------------------------------------------------


def test_mean_and_deviation_of_dropout() -> None:
    """Dropout of rate r: mean x, standard deviation x sqrt(r / (1 - r)), for each output."""
    a = pynn.Input((4,))
    dropped = layers.Dropout(0.2)(a)
    model = pynn.Model(a, {"same": dropped, "sum": ops.sum(dropped, axis=-1, keepdims=True)})
    x = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, -1.0, 10.0, 0.5]])
    pynn.utils.set_random_seed(3)
    count = 4000
    mean, deviation = model.predict(x, mc_samples=count)
    sigma = np.abs(x) * np.sqrt(0.2 / 0.8)
    np.testing.assert_array_less(np.abs(mean["same"] - x), 5 * sigma / np.sqrt(count) + 1e-9)
    np.testing.assert_allclose(deviation["same"], sigma, rtol=0.1)
    total = np.sqrt((sigma**2).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(deviation["sum"], total, rtol=0.1)
    _close(model.predict(x, verbose=0)["same"], x)  # without it nothing is dropped
    _close(mean["sum"], mean["same"].sum(axis=1, keepdims=True), 1e-9)


def test_two_samples_by_hand_and_wrong_numbers() -> None:
    model = pynn.Sequential([pynn.Input((50,)), layers.Dropout(0.5)])
    x = np.ones((3, 50))
    mean, deviation = model.predict(x, mc_samples=2)
    # two draws of 0 or 2 have the mean 0, 1 or 2 and the sample deviation 0 or sqrt(2)
    assert set(np.unique(mean)) == {0.0, 1.0, 2.0}
    _close(deviation, np.where(mean == 1, np.sqrt(2), 0))
    wrong: Any
    for wrong in (1, 0, 2.5, "many"):
        with pytest.raises(ValueError, match="`mc_samples` must be an integer >= 2"):
            model.predict(x, mc_samples=wrong)


def test_normalization_keeps_to_its_moving_statistics_there() -> None:
    model = pynn.Sequential([pynn.Input((3,)), layers.BatchNormalization(), layers.Dropout(0.5)])
    before = model.get_weights()
    model.predict(X, mc_samples=3)
    for one, two in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, two)


# ---- fused copies --------------------------------------------------------------------------------


def _deep(functional: bool) -> Any:
    stack: list[Any] = [
        layers.Dense(4, use_bias=False, name="d1"),
        layers.BatchNormalization(name="b1"),
        layers.ReLU(name="r1"),
        layers.Dense(3, activation="tanh", name="d2"),  # its activation comes before:
        layers.BatchNormalization(name="b2"),  # so this one stays
        layers.Dense(2, name="d3"),
        layers.BatchNormalization(scale=False, name="b3"),
    ]
    if functional:
        a = pynn.Input((3,))
        y = a
        for layer in stack:
            y = layer(y)
        model = pynn.Model(a, y)
    else:
        model = pynn.Sequential([pynn.Input((3,)), *stack])
    weights = fill(model)
    model.set_weights([np.abs(w) + 0.1 for w in weights])
    return model


@pytest.mark.parametrize("functional", [False, True])
def test_fused_copies_predict_the_same_with_fewer_layers(functional: bool) -> None:
    model = _deep(functional)
    before = model.get_weights()
    fused = model.fuse()
    kinds = [type(layer).__name__ for layer in fused.layers if "Input" not in type(layer).__name__]
    assert kinds == ["Dense", "ReLU", "Dense", "BatchNormalization", "Dense"]
    x = rows(40, 3)
    np.testing.assert_allclose(fused.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-9)
    gamma, beta, mean, variance = model.get_layer("b1").get_weights()
    scale = gamma / np.sqrt(variance + 1e-3)
    kernel = fused.get_layer("d1").get_weights()
    _close(kernel[0], model.get_layer("d1").get_weights()[0] * scale)
    _close(kernel[1], beta - mean * scale)
    for one, two in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_is_read_twice_is_not_fused() -> None:
    a = pynn.Input((3,))
    hidden = layers.Dense(4)(a)
    model = pynn.Model(a, [layers.BatchNormalization()(hidden), hidden])
    fill(model)
    model.set_weights([np.abs(w) + 0.1 for w in model.get_weights()])
    fused = model.fuse()
    assert any(isinstance(layer, layers.BatchNormalization) for layer in fused.layers)
    for one, two in zip(fused.predict(X, verbose=0), model.predict(X, verbose=0), strict=True):
        _close(one, two)


def test_what_cannot_be_fused() -> None:
    class Own(pynn.Model):
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(TypeError, match="only Sequential and functional"):
        Own().fuse()
    with pytest.raises(ValueError, match="build the model first"):
        pynn.Sequential([layers.Dense(2)]).fuse()


# ---- the search for a learning rate --------------------------------------------------------------


def test_find_lr_leaves_all_as_it_was() -> None:
    model = pynn.Sequential(
        [pynn.Input((3,)), layers.Dense(4, activation="tanh"), layers.BatchNormalization()]
    )
    model.compile(pynn.optimizers.Adam(0.01), "mse", metrics=["mae"])
    x, y = rows(60, 3), rows(60, 4, 1)
    model.fit(x, y, epochs=2, shuffle=False, verbose=0)
    other = pynn.models.clone_model(model)
    weights, history = model.get_weights(), model.history
    state = [a.copy() for a in model.optimizer_state()]
    finder = model.find_lr(x, y, batch_size=10, steps=30, min_rate=1e-5, max_rate=1.0)
    for one, two in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(model.optimizer_state(), state, strict=True):
        np.testing.assert_array_equal(one, two)
    assert model.history is history
    assert float(model.optimizer.learning_rate) == 0.01
    assert int(model.optimizer.iterations) == 4
    assert 1e-5 <= finder.suggestion <= 1.0
    other.set_weights(weights)
    continued = model.fit(x, y, epochs=1, shuffle=False, verbose=0).history
    assert len(continued["loss"]) == 1
