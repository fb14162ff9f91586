"""compile, fit, evaluate, predict against NumPy loops and facts of Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import pynn
from pynn import layers
from small_models import F64, Array, assert_weights, classes, classifier


@pytest.fixture(autouse=True)
def seeded() -> None:
    pynn.utils.set_random_seed(12)


def numpy_epochs(
    weights: list[Array],
    x: Array,
    y: npt.NDArray[np.int64],
    *,
    rate: float = 0.01,
    epochs: int = 1,
    batch: int = 32,
    weight: Array | None = None,
    l2: float = 0.0,
) -> tuple[list[Array], list[float]]:
    """Backpropagation written out for Dense(relu), Dense(softmax), cross-entropy and SGD."""
    w1, b1, w2, b2 = (w.copy() for w in weights)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for start in range(0, len(x), batch):
            xb, yb = x[start : start + batch], y[start : start + batch]
            wb = np.ones(len(xb)) if weight is None else weight[start : start + batch]
            hidden = np.maximum(xb @ w1 + b1, 0)
            z = hidden @ w2 + b2
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            picked = p[np.arange(len(xb)), yb]
            total += float(np.sum(-np.log(picked) * wb)) + l2 * np.sum(w1**2) * len(xb)
            dz = p.copy()
            dz[np.arange(len(xb)), yb] -= 1
            dz *= wb[:, None] / len(xb)
            dh = (dz @ w2.T) * (hidden > 0)
            w2 -= rate * hidden.T @ dz
            b2 -= rate * dz.sum(axis=0)
            w1 -= rate * (xb.T @ dh + 2 * l2 * w1)
            b1 -= rate * dh.sum(axis=0)
        losses.append(total / len(x))
    return [w1, b1, w2, b2], losses


@pytest.mark.parametrize("batch", [1, 7, 32, 200, 1000])
def test_sgd_is_backpropagation(batch: int) -> None:
    x, y = classes()
    model = classifier()
    expected, losses = numpy_epochs(model.get_weights(), x, y, epochs=3, batch=batch)
    history = model.fit(x, y, batch_size=batch, epochs=3, shuffle=False, verbose=0)
    assert_weights(model, expected)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-10)
    assert model.optimizer.iterations == 3 * -(-200 // batch)


def test_sample_weights() -> None:
    """A weighted loss is divided by the number of rows, not by the sum of the weights."""
    x, y = classes()
    weight = np.random.default_rng(2).uniform(0, 3, 200)
    model = classifier(weighted_metrics=["accuracy"], metrics=["acc"])
    expected, losses = numpy_epochs(model.get_weights(), x, y, weight=weight)
    history = model.fit(x, y, sample_weight=weight, shuffle=False, verbose=0)
    assert_weights(model, expected)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-10)
    result = model.evaluate(x, y, sample_weight=weight, verbose=0, return_dict=True)
    hit = model(x).argmax(axis=1) == y
    assert isinstance(result, dict)
    assert result["acc"] == pytest.approx(hit.mean())
    assert result["accuracy"] == pytest.approx((hit * weight).sum() / weight.sum())


def test_class_weight_is_sample_weight() -> None:
    x, y = classes()
    weights = {0: 2.0, 2: 0.5}
    models = [classifier() for _ in range(3)]
    start = models[0].get_weights()
    for model in models:
        model.set_weights(start)
    models[0].fit(x, y, class_weight=weights, shuffle=False, verbose=0)
    per_row = np.array([weights.get(int(label), 1.0) for label in y], dtype=np.float32)
    models[1].fit(x, y, sample_weight=per_row, shuffle=False, verbose=0)
    one_hot = pynn.utils.to_categorical(y, 3)
    models[2].compile("sgd", "categorical_crossentropy")
    models[2].fit(x, one_hot, class_weight=weights, shuffle=False, verbose=0)
    for a, b in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert_weights(models[2], models[0].get_weights())


def test_penalty_in_loss_and_gradient() -> None:
    x, y = classes()
    model = pynn.Sequential(
        [
            pynn.Input((5,)),
            layers.Dense(8, activation="relu", kernel_regularizer=pynn.regularizers.l2(0.1), **F64),
            layers.Dense(3, activation="softmax", **F64),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    expected, losses = numpy_epochs(model.get_weights(), x, y, l2=0.1)
    history = model.fit(x, y, shuffle=False, verbose=0)
    assert_weights(model, expected)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-10)
    p = model(x)[np.arange(200), y]
    w = model.get_weights()[0]
    assert model.evaluate(x, y, verbose=0) == pytest.approx(
        -np.log(p).mean() + 0.1 * np.sum(w**2), rel=1e-12
    )
    model.layers[0].trainable = False  # a frozen layer's penalty leaves the loss
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model.evaluate(x, y, verbose=0) == pytest.approx(-np.log(p).mean(), rel=1e-12)


def test_activity_regularizer_in_loss() -> None:
    x = np.random.default_rng(0).normal(size=(40, 5))
    model = pynn.Sequential(
        [pynn.Input((5,)), layers.Dense(2, activity_regularizer=pynn.regularizers.L1(0.3), **F64)]
    )
    model.compile("sgd", "mse")
    out = model(x)
    expected = np.mean(out**2) + 0.3 * np.abs(out).sum() / 40
    assert model.evaluate(x, np.zeros((40, 2)), verbose=0) == pytest.approx(expected, rel=1e-12)


def test_frozen_layer() -> None:
    x, y = classes()
    model = classifier()
    before = model.get_weights()
    model.layers[0].trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(before[:2], after[:2], strict=True))
    assert not np.array_equal(before[2], after[2])


def test_trainable_takes_effect_at_compile() -> None:
    x, y = classes()
    model = classifier()
    model.fit(x, y, verbose=0)
    model.layers[0].trainable = False
    before = model.get_weights()[0]
    model.fit(x, y, verbose=0)  # still trained: compiled before
    assert not np.array_equal(before, model.get_weights()[0])


def test_frozen_batch_normalization() -> None:
    x = np.random.default_rng(0).normal(3, 2, size=(64, 4))
    norm = layers.BatchNormalization()
    model = pynn.Sequential([pynn.Input((4,)), norm, layers.Dense(1)])
    norm.trainable = False
    model.compile("sgd", "mse")
    model.fit(x, x[:, 0], verbose=0)
    assert norm.moving_mean.numpy().tolist() == [0] * 4
    norm.trainable = True
    model.compile("sgd", "mse")
    model.fit(x, x[:, 0], batch_size=64, verbose=0)
    np.testing.assert_allclose(norm.moving_mean.numpy(), 0.01 * x.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_variance.numpy(), 0.99 + 0.01 * x.var(axis=0), rtol=1e-4)


def test_frozen_batch_normalization_in_a_call() -> None:
    """As in Keras, a call needs no compile to see what is frozen."""
    norm = layers.BatchNormalization(**F64)
    model = pynn.Sequential([pynn.Input((5,)), norm])
    x, _ = classes()
    moving = norm.get_weights()[2:]
    model(x)
    norm.trainable = False
    np.testing.assert_allclose(model(x, training=True), model(x))
    np.testing.assert_array_equal(norm.get_weights()[2:], moving)
    norm.trainable = True
    assert np.abs(model(x, training=True).mean(axis=0)).max() < 1e-12
    assert not np.array_equal(norm.get_weights()[2:], moving)


def test_second_fit_goes_on_and_second_compile_starts_anew() -> None:
    x, y = classes()
    once, twice = classifier(optimizer="adam"), classifier(optimizer="adam")
    start = once.get_weights()
    twice.set_weights(start)
    once.fit(x, y, epochs=4, shuffle=False, verbose=0)
    twice.fit(x, y, epochs=2, shuffle=False, verbose=0)
    assert twice.optimizer.iterations == 14
    twice.fit(x, y, epochs=4, initial_epoch=2, shuffle=False, verbose=0)
    assert twice.history is not None
    assert twice.history.epoch == [2, 3]
    for a, b in zip(once.get_weights(), twice.get_weights(), strict=True):
        assert np.array_equal(a, b)

    middle = once.get_weights()
    once.compile("adam", "sparse_categorical_crossentropy")
    once.fit(x, y, shuffle=False, verbose=0)
    fresh = classifier(optimizer="adam")
    fresh.set_weights(middle)
    fresh.fit(x, y, shuffle=False, verbose=0)
    for a, b in zip(once.get_weights(), fresh.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_seed_repeats_everything() -> None:
    def run() -> list[Any]:
        pynn.utils.set_random_seed(77)
        model = pynn.Sequential(
            [layers.Dense(16, activation="relu"), layers.Dropout(0.3), layers.GaussianNoise(0.1),
             layers.BatchNormalization(), layers.Dense(3, activation="softmax")]
        )  # fmt: skip
        model.compile("adam", "sparse_categorical_crossentropy")
        x, y = classes()
        history = model.fit(x, y, epochs=3, verbose=0)
        return [*model.get_weights(), np.array(history.history["loss"])]

    first, second = run(), run()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_do_not_change_a_bit(dtype: str) -> None:
    x, y = classes(500, 40)

    def run(threads: int) -> list[Any]:
        pynn.utils.set_random_seed(5)
        pynn.set_num_threads(threads, allow_oversubscription=True)
        model = pynn.Sequential(
            [layers.Dense(130, activation="tanh", dtype=dtype),
             layers.BatchNormalization(dtype=dtype), layers.Dropout(0.2, dtype=dtype),
             layers.Dense(3, activation="softmax", dtype=dtype)]
        )  # fmt: skip
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(x, y, epochs=3, verbose=0, validation_split=0.2)
        return [*model.get_weights(), history.history, model.predict(x, verbose=0)]

    try:
        expected = run(1)
        for threads in (2, 3, 8):
            for a, b in zip(expected, run(threads), strict=True):
                assert a == b if isinstance(a, dict) else np.array_equal(a, b)
    finally:
        pynn.set_num_threads(None)


def test_shuffling_visits_every_row_once() -> None:
    """The mean of the rows seen in an epoch is the mean of all rows only if each comes once."""
    x = np.eye(64)
    model = pynn.Sequential([pynn.Input((64,)), layers.Dense(1, use_bias=False,
                             kernel_initializer="zeros", **F64)])  # fmt: skip
    model.compile(pynn.optimizers.SGD(1.0), "mse")
    model.fit(x, np.ones(64), batch_size=1, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], 2.0)  # one step each: 0 - (-2)

    x, y = classes()
    weights: list[Any] = []
    for shuffle in (True, True, False):
        pynn.utils.set_random_seed(3 if len(weights) else 4)
        model = classifier()
        model.set_weights([np.full(w.shape, 0.1) for w in model.get_weights()])
        model.fit(x, y, shuffle=shuffle, verbose=0)
        weights.append(model.get_weights()[2])
    assert not np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[1], weights[2])


def test_divergence_is_reported() -> None:
    x = np.random.default_rng(0).normal(size=(100, 3)) * 100
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(1)])
    model.compile(pynn.optimizers.SGD(10.0), "mse")
    with pytest.warns(pynn.DivergenceWarning, match=r"in epoch \d+, .*learning_rate=10") as seen:
        model.fit(x, x[:, 0], epochs=20, verbose=0)
    assert len(seen) == 1


def test_evaluate_returns_what_keras_returns() -> None:
    x, y = classes()
    plain = classifier()
    loss = plain.evaluate(x, y, verbose=0)
    assert isinstance(loss, float)
    model = classifier(metrics=["accuracy", "sparse_categorical_crossentropy"])
    values = model.evaluate(x, y, verbose=0)
    assert isinstance(values, list)
    assert [type(v) for v in values] == [float] * 3
    assert values[0] == pytest.approx(values[2], rel=1e-12)
    assert model.metrics_names == ["loss", "accuracy", "sparse_categorical_crossentropy"]
    result = model.evaluate(x, y, verbose=0, return_dict=True)
    assert isinstance(result, dict)
    assert sorted(result.values()) == sorted(values)


def test_metric_names_are_those_given() -> None:
    x, y = classes()
    model = classifier(metrics=["acc", pynn.metrics.SparseCategoricalAccuracy(name="own")])
    history = model.fit(x, y, verbose=0)
    assert list(history.history) == ["acc", "loss", "own"]
    assert history.history["acc"] == history.history["own"]


def test_learning_rate_can_be_set_in_flight() -> None:
    x, y = classes()
    model = classifier()
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    model.optimizer.learning_rate = 0.5
    expected, _ = numpy_epochs(before, x, y, rate=0.5)
    model.fit(x, y, shuffle=False, verbose=0)
    assert_weights(model, expected)


def test_learns_a_line() -> None:
    """The least-squares solution is known."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    y = x @ [1.0, -2.0, 0.5] + 3 + rng.normal(scale=0.1, size=400)
    model = pynn.Sequential([layers.Dense(1, **F64)])
    model.compile(pynn.optimizers.SGD(0.1, momentum=0.5), "mse")
    model.fit(x, y, batch_size=400, epochs=300, verbose=0)
    design = np.column_stack([x, np.ones(400)])
    solution, *_ = np.linalg.lstsq(design, y, rcond=None)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose([*kernel[:, 0], *bias], solution, rtol=1e-6)


def test_interruption_leaves_a_usable_model() -> None:
    x, y = classes()
    model = classifier()

    class Interrupt(pynn.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 3:
                raise KeyboardInterrupt

    expected, _ = numpy_epochs(model.get_weights(), x[:128], y[:128])
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, shuffle=False, verbose=0, callbacks=[Interrupt()])
    assert_weights(model, expected)
    model.fit(x, y, verbose=0)
    assert np.isfinite(model.evaluate(x, y, verbose=0))


def test_execution_hints_of_keras_warn_that_they_change_nothing() -> None:
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(1)])
    hints: dict[str, Any] = {
        "run_eagerly": True,
        "steps_per_execution": 8,
        "jit_compile": True,
        "auto_scale_loss": False,
    }
    for name, value in hints.items():
        with pytest.warns(UserWarning, match=f"`{name}` changes nothing"):
            model.compile(loss="mse", **{name: value})


def test_metrics_of_one_name_keep_their_values() -> None:
    x, y = classes()
    weights = np.random.default_rng(0).uniform(size=len(x))
    model = classifier(metrics=["accuracy", "accuracy"], weighted_metrics=["accuracy"])
    logs = model.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True)
    right = model(x).argmax(axis=1) == y
    assert logs["accuracy"] == logs["accuracy_1"] == pytest.approx(right.mean())
    assert logs["weighted_accuracy"] == pytest.approx(np.average(right, weights=weights))
    assert model.metrics_names == ["loss", "accuracy", "accuracy_1", "weighted_accuracy"]
    history = model.fit(x, y, validation_split=0.2, verbose=0).history
    assert "val_weighted_accuracy" in history
