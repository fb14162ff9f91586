"""Wrong input on purpose: the rule and the received value are named, and nothing is lost."""

# ruff: noqa: E501 - one case, one line

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pynn as keras

# What stands below is wrong on purpose, also for a type checker.
pynn: Any = keras
layers: Any = keras.layers


def model(**kwargs: Any) -> Any:
    made = pynn.Sequential(
        [pynn.Input((4,)), layers.Dense(3, activation="softmax", name="out")], name="net"
    )
    made.compile(**{"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", **kwargs})
    return made


X = np.zeros((6, 4))
Y = np.array([0, 1, 2, 0, 1, 2])

Trial = Callable[[], Any]
CASES: list[tuple[type[Exception], str, Trial]] = [
    # layers
    (ValueError, "`units` must be a positive integer. Received: units=0", lambda: layers.Dense(0)),
    (ValueError, "`units` must be a positive integer. Received: units=2.5", lambda: layers.Dense(2.5)),
    (ValueError, "Received: units=True", lambda: layers.Dense(True)),
    (ValueError, "Did you mean", lambda: layers.Dense(2, activation="rleu")),
    (ValueError, "Did you mean 'he_normal'", lambda: layers.Dense(2, kernel_initializer="he-normal")),
    (ValueError, "Unknown regularizer", lambda: layers.Dense(2, kernel_regularizer="l3")),
    (ValueError, "Unknown constraint", lambda: layers.Dense(2, kernel_constraint="max_nrm")),
    (TypeError, "Dense: unknown argument `actvation`. Did you mean `activation`?",
     lambda: layers.Dense(2, actvation="relu")),
    (TypeError, "`name` must be a string. Received: name=3", lambda: layers.Dense(2, name=3)),
    (ValueError, "float32 or float64. Received: dtype='int32'", lambda: layers.Dense(2, dtype="int32")),
    (ValueError, "Received: dtype='float31'", lambda: layers.Dense(2, dtype="float31")),
    (ValueError, "expected one input; Concatenate", lambda: layers.Dense(2)([np.zeros((2, 3))] * 2)),
    (ValueError, "expected one input; Concatenate", lambda: layers.Dense(2)({"a": X})),
    (ValueError, "of the shapes {'a': (None, 3)}", lambda: layers.Flatten()({"a": pynn.Input((3,))})),
    (ValueError, "of the shapes {'a': (None, 3)}", lambda: layers.Dense(2).build({"a": (None, 3)})),
    (ValueError, "sequential: expected one input", lambda: pynn.Sequential([layers.Dense(2)], name="sequential")({"a": X})),
    (ValueError, "`rate` must be a number in [0, 1). Received: rate=1", lambda: layers.Dropout(1)),
    (ValueError, "Received: rate=-0.1", lambda: layers.Dropout(-0.1)),
    (ValueError, "Received: rate='half'", lambda: layers.AlphaDropout("half")),
    (ValueError, "Received: noise_shape=3", lambda: layers.Dropout(0.5, noise_shape=3)),
    (ValueError, "Received: noise_shape=(2, 3) for x.shape=(None, 3)",
     lambda: layers.Dropout(0.5, noise_shape=(2, 3))(np.zeros((2, 3)), training=True)),
    (ValueError, "`stddev` must be finite and >= 0", lambda: layers.GaussianNoise(-1)),
    (ValueError, "`momentum` must be a number in [0, 1]", lambda: layers.BatchNormalization(momentum=2)),
    (ValueError, "`epsilon` must be finite and > 0", lambda: layers.BatchNormalization(epsilon=0)),
    (ValueError, "`axis` must be one of a sample's axes", lambda: layers.BatchNormalization(axis=3)(np.zeros((2, 3, 4)))),
    (ValueError, "`axis` must be between -3 and 2", lambda: layers.Softmax(axis=3)(np.zeros((2, 3, 4)))),
    (ValueError, "on one machine", lambda: layers.BatchNormalization(synchronized=True)),
    (ValueError, "divide the number of features", lambda: layers.GroupNormalization(2)(np.zeros((2, 3)))),
    (ValueError, "`groups` must be a positive integer", lambda: layers.GroupNormalization(0)),
    (TypeError, "`axis` must be an integer", lambda: layers.UnitNormalization("a")),
    (ValueError, "given together", lambda: layers.Normalization(mean=1.0)),
    (ValueError, "must have the same shape", lambda: layers.Normalization(mean=[1.0], variance=1.0)),
    (ValueError, "nothing to take from data", lambda: layers.Normalization(mean=1.0, variance=1.0).adapt(X)),
    (ValueError, "numbers of a sample's axes, from 1", lambda: layers.Permute((1, 3))),
    (ValueError, "expected samples with 2 axes", lambda: layers.Permute((2, 1))(np.zeros((2, 3)))),
    (TypeError, "`n` must be an integer", lambda: layers.RepeatVector(1.5)),
    (ValueError, "`n` must be positive", lambda: layers.RepeatVector(0)),
    (ValueError, "of shape (batch, features)", lambda: layers.RepeatVector(2)(np.zeros((2, 3, 4)))),
    (ValueError, "`data_format` must be", lambda: layers.GlobalAveragePooling1D("first")),
    (ValueError, "`data_format` must be", lambda: layers.Flatten("first")),
    (ValueError, "of shape (batch, steps, features)", lambda: layers.GlobalMaxPooling1D()(np.zeros((2, 3)))),
    (ValueError, "`layer` must be a layer", lambda: layers.TimeDistributed("dense")),
    (ValueError, "of shape (batch, steps, ...)", lambda: layers.TimeDistributed(layers.Dense(2))(np.zeros((2, 3)))),
    (ValueError, "`input_dim` must be a positive integer", lambda: layers.Embedding(0, 2)),
    (ValueError, "`output_mode` must be", lambda: layers.CategoryEncoding(3, "hot")),
    (ValueError, "`num_tokens` must be a positive integer", lambda: layers.CategoryEncoding()),
    (ValueError, "belong to output_mode='count'", lambda: layers.CategoryEncoding(3)([[1]], count_weights=np.ones((1, 1)))),
    (TypeError, "`function` must be callable", lambda: layers.Lambda("square")),
    (ValueError, "output_shape=(3,)", lambda: layers.Lambda(lambda x: x, output_shape=(3,))(np.zeros((2, 4)))),
    (ValueError, "code is not part of a configuration",
     lambda: layers.Lambda.from_config(layers.Lambda(lambda x: x).get_config())),
    (ValueError, "expected a list of inputs", lambda: layers.Add()(np.zeros((2, 3)))),
    (ValueError, "exactly 2 inputs. Received: 1", lambda: layers.Subtract()([np.zeros((2, 3))])),
    (ValueError, "shapes (None, 2) and (None, 3)", lambda: layers.Add()([np.zeros((2, 2)), np.zeros((2, 3))])),
    (ValueError, "Received: axis=0", lambda: layers.Concatenate(0)([np.zeros((2, 2)), np.zeros((2, 2))])),
    (ValueError, "equally long along `axes`", lambda: layers.Dot(1)([np.zeros((2, 2)), np.zeros((2, 3))])),
    (TypeError, "`axes` must be an integer or a pair", lambda: layers.Dot("a")),
    (ValueError, "one may be -1", lambda: layers.Reshape((-1, -1))),
    (ValueError, "number of elements must stay the same", lambda: layers.Reshape((5,))(X)),
    (ValueError, "number of elements must stay the same", lambda: layers.Reshape((3, -1))(X)),
    (ValueError, "`negative_slope` must be finite and >= 0", lambda: layers.LeakyReLU(-1)),
    (ValueError, "`max_value` must be finite and >= 0", lambda: layers.ReLU(max_value=-1)),
    (ValueError, "0 <= lower <= upper", lambda: layers.RReLU(0.5, 0.1)),
    (TypeError, "LeakyReLU: `negative_slope` must be a number. Received: negative_slope='a'", lambda: layers.LeakyReLU("a")),
    (TypeError, "`axis` must be an integer. Received: axis=None", lambda: layers.Concatenate(None)),
    (ValueError, "`shared_axes` must be axes of a sample", lambda: layers.PReLU(shared_axes=[0])),
    (ValueError, "Received: dims=2", lambda: layers.Permute(2)),
    (TypeError, "Received: no inputs", lambda: layers.Dense(2)()),
    (AttributeError, "Use model.save('model.keras')", lambda: model().export("folder")),
    (AttributeError, "'Dense' object has no attribute 'quantize': keras.Dense.quantize", lambda: layers.Dense(2).quantize("int8")),
    (AttributeError, "has no input yet", lambda: layers.Dense(2).input),
    (AttributeError, "'Dense' object has no attribute 'nothing'", lambda: layers.Dense(2).nothing),
    (TypeError, "`layers` must be a list of layers", lambda: pynn.Sequential(layers.Dense(2))),
    (RuntimeError, "no fit runs", lambda: model().fit_state()),
    (ValueError, "layers. Received: index=a", lambda: model().get_layer(index="a")),
    (TypeError, "`json_string` must be text", lambda: pynn.models.model_from_json(3)),
    (TypeError, "`initializer` must consist of", lambda: pynn.Variable("zeros", shape=(2,))),
    (ValueError, "`value` must be finite and >= 0", lambda: pynn.config.set_epsilon(-1)),
    (ValueError, "`num_classes` must be a positive integer", lambda: pynn.utils.to_categorical([1], "a")),
    (ValueError, "`line_length` must be a positive integer", lambda: model().summary(line_length="a")),
    (ValueError, "Received: batch_shape=3", lambda: pynn.Input(batch_shape=3)),
    (TypeError, "`decay_rate` must be a number", lambda: pynn.optimizers.schedules.ExponentialDecay(0.1, 10, None)),
    (TypeError, "`stddev` must be a number", lambda: pynn.initializers.RandomNormal(stddev="a")),
    (TypeError, "`label_smoothing` must be a number", lambda: pynn.losses.BinaryCrossentropy(label_smoothing=None)),
    (TypeError, "`fn` must be a function", lambda: pynn.losses.LossFunctionWrapper("mse")),
    (ValueError, "`num_classes` must be a positive integer", lambda: pynn.metrics.MeanIoU("a")),
    (TypeError, "EarlyStopping: `patience` must be a number", lambda: pynn.callbacks.EarlyStopping(patience="a")),
    (ValueError, "`scale` must be finite", lambda: layers.Rescaling([1, np.inf])),
    (ValueError, "`l1` must be finite and >= 0. Received: l1=-1", lambda: layers.ActivityRegularization(l1=-1)),
    (ValueError, "`shape` is missing", lambda: pynn.Input()),
    (ValueError, "positive integers (without the batch dimension). Received: shape=(None, 3)",
     lambda: pynn.Input((None, 3))),
    (ValueError, "Received: shape=(0,)", lambda: pynn.Input((0,))),
    (ValueError, "Received: shape='4'", lambda: pynn.Input("4")),
    # building models
    (TypeError, "only layers can be added", lambda: pynn.Sequential([3])),
    (TypeError, "of type type", lambda: pynn.Sequential([layers.Dense])),
    (ValueError, "different names. Received: another layer named 'a'",
     lambda: pynn.Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")])),
    (ValueError, "a second Input", lambda: pynn.Sequential([pynn.Input((2,)), pynn.Input((2,))])),
    (ValueError, "must be the first layer", lambda: pynn.Sequential([layers.Dense(2), pynn.Input((2,))])),
    (ValueError, "the same float type", lambda: pynn.Sequential(
        [pynn.Input((2,)), layers.Dense(1), layers.Dense(1, dtype="float64")])(np.zeros((1, 2)))),
    (ValueError, "expected 4 input features (set when the layer was built). Received: x.shape=(n, 3)",
     lambda: pynn.Sequential([pynn.Input((3,)), model().layers[0]])),
    (ValueError, "Did you mean 'out'", lambda: model().get_layer("oute")),
    (ValueError, "either `name` or `index`", lambda: model().get_layer()),
    (ValueError, "the model has 1 layers. Received: index=5", lambda: model().get_layer(index=5)),
    (ValueError, "samples of shape (4,). Received: input_shape=(None, 3)", lambda: model().build((None, 3))),
    # compile
    (ValueError, "Did you mean 'adam'", lambda: model(optimizer="adan")),
    (ValueError, "Did you mean", lambda: model(loss="sparse_categorical_crosentropy")),
    (ValueError, "Did you mean", lambda: model(metrics=["acuracy"])),
    (ValueError, "`loss_weights` must have one entry for each of the 1 outputs",
     lambda: model(loss_weights=[1.0, 2.0]).fit(X, Y)),
    (ValueError, "keys of `metrics` must be outputs",
     lambda: model(metrics={"other": "accuracy"}).fit(X, Y)),
    # fit, evaluate, predict
    (ValueError, "compile the model first", lambda: pynn.Sequential([layers.Dense(1)]).fit(X, Y)),
    (ValueError, "compile the model first", lambda: pynn.Sequential([layers.Dense(1)]).evaluate(X, Y)),
    (ValueError, "without a loss", lambda: model(loss=None).fit(X, Y)),
    (ValueError, "`y` is missing", lambda: model().fit(X)),
    (ValueError, "`x` is missing", lambda: model().fit(None, Y)),
    (ValueError, "samples of shape (4,), (n, 4) in all. Received: x.shape=(6, 3)", lambda: model().fit(X[:, :3], Y)),
    (ValueError, "For a single sample pass x[np.newaxis]", lambda: model().predict(X[0])),
    (ValueError, "same number of rows. Received: len(x)=6, len(y)=5", lambda: model().fit(X, Y[:5])),
    (ValueError, "at least one row", lambda: model().fit(X[:0], Y[:0])),
    (ValueError, "class indices, whole numbers in [0, 3)", lambda: model().fit(X, Y + 1)),
    (ValueError, "class indices, whole numbers in [0, 3)", lambda: model().fit(X, Y - 1)),
    (ValueError, "class indices, whole numbers in [0, 3)", lambda: model().fit(X, Y + 0.5)),
    (ValueError, "use the loss 'categorical_crossentropy'", lambda: model().fit(X, np.eye(3)[Y])),
    (ValueError, "use the loss 'sparse_categorical_crossentropy'",
     lambda: model(loss="categorical_crossentropy").fit(X, Y)),
    (ValueError, "`y` must have the shape (n, 3)", lambda: model(loss="mse").fit(X, np.zeros((6, 2)))),
    (TypeError, "must consist of numbers", lambda: model().fit(np.array([["a"] * 4] * 6, object), Y)),
    (TypeError, "real numbers", lambda: model().fit(X.astype(complex), Y)),
    (TypeError, "real numbers", lambda: model().fit(np.array([["a"] * 4] * 6), Y)),
    (ValueError, "`y` is for arrays: a source of batches hands out (x, y, sample_weight)",
     lambda: model().fit((r for r in X), Y)),
    (ValueError, "all rows need the same shape", lambda: model().fit([[1, 2, 3, 4], [1]], Y)),
    (ValueError, "NaN or infinity in row 3", lambda: model().fit(np.where(np.arange(6)[:, None] == 3, np.nan, X), Y)),
    (ValueError, "`x` must consist of finite numbers", lambda: model().fit(X + np.inf, Y)),
    (ValueError, "`y` must consist of finite numbers", lambda: model(loss="mse").fit(X, np.full((6, 3), np.nan))),
    (ValueError, "`batch_size` must be an integer >= 1. Received: batch_size=0", lambda: model().fit(X, Y, batch_size=0)),
    (ValueError, "Received: batch_size=2.5", lambda: model().predict(X, batch_size=2.5)),
    (ValueError, "Received: epochs=-1", lambda: model().fit(X, Y, epochs=-1)),
    (ValueError, "`verbose` must be 0, 1, 2", lambda: model().fit(X, Y, verbose=3)),
    (ValueError, "`validation_split` must be a number in [0, 1)", lambda: model().fit(X, Y, validation_split=1)),
    (ValueError, "Received: validation_split='0.2'", lambda: model().fit(X, Y, validation_split="0.2")),
    (ValueError, "Received: validation_freq=0",
     lambda: model().fit(X, Y, validation_data=(X, Y), validation_freq=0)),
    (ValueError, "Received: validation_freq='all'", lambda: model().fit(X, Y, validation_freq="all")),
    (ValueError, "`class_weight` must hold finite numbers", lambda: model().fit(X, Y, class_weight={0: np.nan})),
    (ValueError, "Received: -1 for class 2", lambda: model().fit(X, Y, class_weight={2: -1})),
    (ValueError, "Received: 'b' for class 0", lambda: model().fit(X, Y, class_weight={0: "b"})),
    (TypeError, "with elements such as 'b'",
     lambda: model().fit(np.array([[1, 2, 3, "b"]] * 6, object), Y)),
    (ValueError, "Received: nan for step 0",
     lambda: model(optimizer=pynn.optimizers.SGD(lambda: float("nan"))).fit(X, Y)),
    (ValueError, "Received: -1.0 for step 0",
     lambda: model(optimizer=pynn.optimizers.SGD(lambda step: -1.0)).fit(X, Y)),
    (ValueError, "leaves no rows for training", lambda: model().fit(X, Y, validation_split=0.99)),
    (ValueError, "`validation_data` must be", lambda: model().fit(X, Y, validation_data=X)),
    (ValueError, "one number per row, shape (6,)", lambda: model().fit(X, Y, sample_weight=np.ones(5))),
    (ValueError, "finite and not negative", lambda: model().fit(X, Y, sample_weight=-np.ones(6))),
    (TypeError, "must be a dictionary", lambda: model().fit(X, Y, class_weight=[1, 2, 3])),
    # weights
    (ValueError, "takes a list of arrays", lambda: model().layers[0].set_weights(3)),
    (ValueError, "out: expected 2 weight arrays. Received: 1", lambda: model().layers[0].set_weights([X])),
    (ValueError, "out/kernel: expected values of shape (4, 3)",
     lambda: model().layers[0].set_weights([np.zeros((3, 4)), np.zeros(3)])),
    # the rest
    (ValueError, "Dropout: `seed` must be None or an integer", lambda: layers.Dropout(0.5, seed=2**63)),
    (ValueError, "GlorotUniform: `seed` must be None or an integer",
     lambda: pynn.initializers.GlorotUniform(seed=-1)),
    (TypeError, "PReLU has weights or random numbers of its own",
     lambda: layers.Dense(3, activation=layers.PReLU())),
    (ValueError, "`seed` must be an integer in", lambda: pynn.utils.set_random_seed(-1)),
    (ValueError, "`seed` must be an integer in", lambda: pynn.utils.set_random_seed("a")),
    (ValueError, "class indices must lie in [0, 2)", lambda: pynn.utils.to_categorical([0, 2], 2)),
    (ValueError, "class indices must be integers", lambda: pynn.utils.to_categorical([0.5])),
    (ValueError, "`n` must be an integer >= 0", lambda: pynn.set_num_threads(-2)),
    (ValueError, "float32 or float64", lambda: pynn.config.set_floatx("float16")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "trial"), CASES, ids=[text for _, text, _ in CASES])
def test_error(kind: type[Exception], text: str, trial: Trial) -> None:
    with pytest.raises(kind) as caught:
        trial()
    assert text in str(caught.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "columns", "every second row"])
def test_where_numbers_are_not_finite(kind: str, bad: float) -> None:
    x = np.zeros((3001, 4), kind if kind.startswith("float") else np.float32)
    x = np.asfortranarray(x) if kind == "columns" else x
    x = x[::2] if kind == "every second row" else x
    y = np.zeros(len(x), int)
    net = model()
    before = net.get_weights()
    x[-2, 3] = bad
    with pytest.raises(ValueError, match=f"NaN or infinity in row {len(x) - 2}"):
        net.fit(x, y, verbose=0)
    assert all((a == b).all() for a, b in zip(net.get_weights(), before, strict=True))
    x[-2, 3] = 1
    net.fit(x, y, verbose=0)


def test_which_label_is_wrong() -> None:
    y = np.zeros(10_000, np.int64)
    y[9_876] = 3
    with pytest.raises(ValueError, match=r"y\[9876\]=3"):
        model().fit(np.zeros((len(y), 4)), y, verbose=0)


def test_floatx() -> None:
    pynn.config.set_floatx("float64")
    try:
        assert layers.Dense(1).dtype == "float64"
        assert pynn.utils.to_categorical([1]).dtype == np.float64
        assert pynn.Sequential([layers.Dense(2)])(X).dtype == np.float64
    finally:
        pynn.config.set_floatx("float32")
    assert layers.Dense(1).dtype == "float32"


def test_threads() -> None:
    available = pynn.get_num_threads()
    try:
        pynn.set_num_threads(1)
        assert pynn.get_num_threads() == 1
        pynn.set_num_threads(10_000)
        assert pynn.get_num_threads() == available
        pynn.set_num_threads(available + 3, allow_oversubscription=True)
        assert pynn.get_num_threads() == available + 3
    finally:
        pynn.set_num_threads(0)
    assert pynn.get_num_threads() == available


def test_to_categorical() -> None:
    one_hot = pynn.utils.to_categorical(np.array([[1], [0], [2]], np.uint8))
    assert one_hot.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert one_hot.dtype == np.float32
    assert pynn.utils.to_categorical([[0, 1], [1, 1]], 3).shape == (2, 2, 3)
