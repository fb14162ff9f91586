"""The Sequential model: building, weights, layers, summary, calling."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import layers


@pytest.fixture(autouse=True)
def fresh_names() -> None:
    pynn.utils.clear_session()


def mnist_model() -> pynn.Sequential:
    return pynn.Sequential(
        [
            layers.Flatten(input_shape=[28, 28]),
            layers.Dense(300, activation="relu"),
            layers.Dense(100, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def test_the_lecture() -> None:
    model = mnist_model()
    assert [layer.name for layer in model.layers] == ["flatten", "dense", "dense_1", "dense_2"]
    hidden1 = model.layers[1]
    assert model.get_layer("dense") is hidden1
    assert model.get_layer(index=1) is hidden1
    weights, biases = hidden1.get_weights()
    assert weights.shape == (784, 300)
    assert weights.dtype == np.float32
    assert np.abs(weights).max() <= np.sqrt(6 / 1084)
    assert biases.tolist() == [0] * 300
    assert [layer.count_params() for layer in model.layers] == [0, 235_500, 30_100, 1_010]
    assert model.count_params() == 266_610
    assert (model.input_shape, model.output_shape) == ((None, 28, 28), (None, 10))


def text_of(model: pynn.Sequential, **kwargs: Any) -> str:
    parts: list[str] = []
    model.summary(print_fn=parts.append, **kwargs)
    return "".join(parts)


# What Keras 3.15 prints for these models.
SUMMARY_76 = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ flatten (Flatten)               │ (None, 784)            │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization             │ (None, 784)            │         3,136 │
│ (BatchNormalization)            │                        │               │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ (None, 300)            │       235,500 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ a_very_long_name_for_a_layer_i… │ (None, 100)            │        30,100 │
│ (Dense)                         │                        │               │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ leaky_re_lu (LeakyReLU)         │ (None, 100)            │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 10)             │         1,010 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 269,746 (1.03 MB)
 Trainable params: 268,178 (1.02 MB)
 Non-trainable params: 1,568 (6.12 KB)
"""
SUMMARY_50 = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━┓
┃ Layer (type)        ┃ Output Shape   ┃ Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━┩
│ flatten (Flatten)   │ (None, 784)    │       0 │
├─────────────────────┼────────────────┼─────────┤
│ batch_normalization │ (None, 784)    │   3,136 │
│ (BatchNormalizatio… │                │         │
├─────────────────────┼────────────────┼─────────┤
│ dense (Dense)       │ (None, 300)    │ 235,500 │
├─────────────────────┼────────────────┼─────────┤
│ a_very_long_name_f… │ (None, 100)    │  30,100 │
│ (Dense)             │                │         │
├─────────────────────┼────────────────┼─────────┤
│ leaky_re_lu         │ (None, 100)    │       0 │
│ (LeakyReLU)         │                │         │
├─────────────────────┼────────────────┼─────────┤
│ dense_1 (Dense)     │ (None, 10)     │   1,010 │
└─────────────────────┴────────────────┴─────────┘
 Total params: 269,746 (1.03 MB)
 Trainable params: 268,178 (1.02 MB)
 Non-trainable params: 1,568 (6.12 KB)
"""
SUMMARY_TRAINABLE = """\
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━┓
┃ Layer (type)                ┃ Output Shape          ┃    Param # ┃ Trai… ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━┩
│ flatten (Flatten)           │ (None, 784)           │          0 │   -   │
├─────────────────────────────┼───────────────────────┼────────────┼───────┤
│ batch_normalization         │ (None, 784)           │      3,136 │   Y   │
│ (BatchNormalization)        │                       │            │       │
├─────────────────────────────┼───────────────────────┼────────────┼───────┤
"""
SUMMARY_UNBUILT = """\
Model: "sequential_1"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ dense_2 (Dense)                 │ ?                      │   0 (unbuilt) │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 0 (0.00 B)
 Trainable params: 0 (0.00 B)
 Non-trainable params: 0 (0.00 B)
"""


def test_summary_is_that_of_keras(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    model = pynn.Sequential(
        [
            pynn.Input((28, 28)),
            layers.Flatten(),
            layers.BatchNormalization(),
            layers.Dense(300, activation="relu"),
            layers.Dense(100, name="a_very_long_name_for_a_layer_indeed_it_is"),
            layers.LeakyReLU(),
            layers.Dense(10),
        ]
    )
    model.summary()
    assert capsys.readouterr().out == SUMMARY_76
    assert text_of(model) == SUMMARY_76
    assert text_of(model, line_length=50) == SUMMARY_50
    assert SUMMARY_TRAINABLE in text_of(model, show_trainable=True)
    assert text_of(pynn.Sequential([layers.Dense(3)])) == SUMMARY_UNBUILT
    part = text_of(model, layer_range=["dense", "leaky.*"])
    assert "leaky_re_lu" in part
    assert "flatten" not in part


def test_summary_counts_the_optimizer() -> None:
    """Keras 3.15: two slots per weight, the step count and the learning rate."""
    model = pynn.Sequential([pynn.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(2)])
    model.compile("adam", "mse")
    assert "Optimizer" not in text_of(model)
    model.fit(np.zeros((4, 4)), np.zeros((4, 2)), verbose=0)
    assert text_of(model).endswith(
        " Total params: 71 (284.00 B)\n"
        " Trainable params: 23 (92.00 B)\n"
        " Non-trainable params: 0 (0.00 B)\n"
        " Optimizer params: 48 (192.00 B)\n"
    )


@pytest.mark.parametrize(
    ("optimizer", "count"),
    [
        (pynn.optimizers.Nadam(), 49),
        (pynn.optimizers.SGD(0.1), 2),
        (pynn.optimizers.SGD(pynn.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)), 1),
        (pynn.optimizers.Adam(lambda: 0.1), 47),
    ],
)
def test_numbers_beside_the_slots_are_those_of_keras(optimizer: Any, count: int) -> None:
    model = pynn.Sequential([pynn.Input((4,)), layers.Dense(3), layers.Dense(2)])
    model.compile(optimizer, "mse")
    model.fit(np.zeros((4, 4)), np.zeros((4, 2)), verbose=0)
    assert f" Optimizer params: {count} (" in text_of(model)


def test_add_pop_and_deferred_building() -> None:
    model = pynn.Sequential()
    model.add(layers.Dense(4, activation="relu"))
    model.add(layers.Dense(2))
    assert not model.built
    assert model.weights == []
    with pytest.raises(AttributeError, match="not built"):
        _ = model.output_shape
    assert model(np.zeros((3, 5))).shape == (3, 2)
    assert model.built
    assert model.count_params() == 34
    kept = model.layers[0].get_weights()
    model.add(layers.Dense(1))
    assert model(np.zeros((3, 5))).shape == (3, 1)
    assert np.array_equal(model.layers[0].get_weights()[0], kept[0])  # layers keep their weights
    removed = model.pop()
    assert removed.name == "dense_2"
    assert model(np.zeros((3, 5))).shape == (3, 2)


def test_building_by_hand() -> None:
    model = pynn.Sequential([layers.Dense(4), layers.Dense(2)])
    model.build((None, 16))
    assert len(model.weights) == 4
    assert model.count_params() == 16 * 4 + 4 + 4 * 2 + 2


def test_a_layer_that_does_not_fit_changes_nothing() -> None:
    model = pynn.Sequential([pynn.Input((6,)), layers.Dense(4)])
    with pytest.raises(ValueError, match="number of elements must stay the same"):
        model.add(layers.Reshape((3, 3)))
    assert len(model.layers) == 1
    assert model(np.zeros((1, 6))).shape == (1, 4)


def test_a_failed_build_leaves_nothing_behind() -> None:
    model = pynn.Sequential([layers.Dense(4), layers.Reshape((3, 3))])
    with pytest.raises(ValueError, match="number of elements must stay the same"):
        model(np.zeros((1, 6)))
    assert model.weights == []
    model.pop()
    assert model(np.zeros((1, 5))).shape == (1, 4)


def test_weights_in_order() -> None:
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2), layers.BatchNormalization()])
    assert [v.path.removeprefix("sequential/") for v in model.weights] == [
        "dense/kernel", "dense/bias", "batch_normalization/gamma", "batch_normalization/beta",
        "batch_normalization/moving_mean", "batch_normalization/moving_variance",
    ]  # fmt: skip
    assert len(model.trainable_weights) == 4
    assert len(model.non_trainable_weights) == 2
    values = [np.full(w.shape, i) for i, w in enumerate(model.get_weights())]
    model.set_weights(values)
    for i, w in enumerate(model.get_weights()):
        assert np.all(w == i)
    before = model.get_weights()
    with pytest.raises(ValueError, match="expected values of shape"):
        model.set_weights([*values[:-1], np.zeros(3)])
    with pytest.raises(ValueError, match="expected 6 weight arrays"):
        model.set_weights(values[:-1])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_trainable_reaches_all_layers() -> None:
    model = mnist_model()
    model.trainable = False
    assert not any(layer.trainable for layer in model.layers)
    assert model.trainable_weights == []
    model.trainable = True
    assert len(model.trainable_weights) == 6


def test_layers_shared_between_models() -> None:
    """The lecture's transfer: layers of a trained model, reused."""
    base = mnist_model()
    model = pynn.Sequential(base.layers[:-1])
    model.add(layers.Dense(1, activation="sigmoid"))
    x = np.random.default_rng(0).normal(size=(5, 28, 28))
    assert model(x).shape == (5, 1)
    assert model.layers[1] is base.layers[1]
    base.layers[1].set_weights([np.zeros((784, 300)), np.zeros(300)])
    assert np.all(model.layers[1].get_weights()[0] == 0)
    for layer in model.layers[:-1]:
        layer.trainable = False
    assert len(model.trainable_weights) == 2


def test_models_inside_models() -> None:
    inner = pynn.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(3)], name="inner")
    outer = pynn.Sequential([pynn.Input((5,)), inner, layers.Dense(2)])
    x = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    expected = outer.layers[1](inner(x))
    np.testing.assert_allclose(outer(x), expected, rtol=1e-6)
    assert outer.count_params() == 24 + 15 + 8
    assert "└ dense (Dense)" in text_of(outer, expand_nested=True)


def test_call_and_predict_agree() -> None:
    model = pynn.Sequential([pynn.Input((4,)), layers.Dense(3), layers.Dropout(0.5)])
    x = np.random.default_rng(0).normal(size=(10_000, 4))
    kernel, bias = model.layers[0].get_weights()
    expected = x @ kernel + bias
    np.testing.assert_allclose(model(x), expected, atol=1e-5)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-5)
    assert (model(x, training=True) == 0).mean() == pytest.approx(0.5, abs=0.02)
    assert np.array_equal(model.predict(x, verbose=0, steps=2), model.predict(x, verbose=0)[:64])


@pytest.mark.parametrize("kind", ["uint8", "int8", "int64", "bool", "float16", "float64", ">f4"])
def test_any_type_of_data(kind: str) -> None:
    model = pynn.Sequential([pynn.Input((6,)), layers.Dense(3)])
    x = np.random.default_rng(0).integers(0, 2, size=(50, 6)).astype(kind)
    expected = model(x.astype(np.float32))
    assert np.array_equal(model(x), expected)
    for view in (np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], np.flip(np.flip(x, 1), 1)):
        assert np.array_equal(model.predict(view, verbose=0), expected)
    assert np.array_equal(model(x.tolist()), expected)


def test_many_threads_one_model() -> None:
    model = pynn.Sequential(
        [pynn.Input((20,)), layers.Dense(50, activation="relu"), layers.Dense(3)]
    )
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(n, 20)) for n in (1, 7, 300, 1000)]
    expected = [model(x) for x in inputs]
    failures: list[int] = []

    def work(i: int) -> None:
        same = [np.array_equal(model(inputs[i]), expected[i]) for _ in range(50)]
        failures.extend(i for equal in same if not equal)

    threads = [threading.Thread(target=work, args=(i % 4,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_configuration_round_trip() -> None:
    model = mnist_model()
    twin = pynn.Sequential.from_config(model.get_config())
    assert twin.get_config() == model.get_config()
    twin.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(3, 28, 28))
    assert np.array_equal(twin(x), model(x))


def test_copies_and_pickles() -> None:
    model = mnist_model()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.random.default_rng(0).normal(size=(40, 28, 28)), np.arange(40) % 10
    model.fit(x, y, verbose=0)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(twin(x), model(x))
        before = model.get_weights()[0]
        twin.fit(x, y, verbose=0)
        assert not np.array_equal(twin.get_weights()[0], before)
        assert np.array_equal(model.get_weights()[0], before)


def test_automatic_names_make_room() -> None:
    """Layers from elsewhere may have the names that new layers would get."""
    model = pynn.Sequential([pynn.Input((2,)), layers.Dense(2), layers.Dense(2)])
    pynn.utils.clear_session()  # as in a new process
    fresh = layers.Dense(1)
    assert fresh.name == "dense"
    model.add(fresh)
    assert [layer.name for layer in model.layers] == ["dense", "dense_1", "dense_2"]
    assert fresh.kernel.path == f"{model.name}/dense_2/kernel"


def test_repr() -> None:
    assert repr(mnist_model()) == "<Sequential name=sequential, built=True>"
    assert repr(pynn.Sequential()) == "<Sequential name=sequential_1, built=False>"


def test_empty_model() -> None:
    model = pynn.Sequential()
    assert model.layers == []
    assert model.count_params() == 0
    with pytest.raises(ValueError, match="no layers"):
        model(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="no layer to pop"):
        model.pop()


def test_no_rows() -> None:
    model = pynn.Sequential([pynn.Input((4,)), layers.Dense(3)])
    assert model(np.zeros((0, 4))).shape == (0, 3)
    assert model.predict(np.zeros((0, 4)), verbose=0).shape == (0, 3)


def test_a_model_of_another_float_type_inside_a_model() -> None:
    inner = pynn.Sequential([pynn.Input((3,)), layers.Dense(2, dtype="float64")])
    model = pynn.Sequential([inner, layers.Dense(1, dtype="float64")])
    assert model(np.ones((4, 3))).dtype == np.float64
    with pytest.raises(ValueError, match="the same float type"):
        pynn.Sequential([inner, layers.Dense(1)])(np.ones((4, 3)))
