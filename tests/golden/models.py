"""Golden cases of whole models: graphs of every kind and what several outputs need."""

from __future__ import annotations

from typing import Any

import numpy as np

from golden.runs import (
    BITS,
    KEPT,
    LABELS,
    ROWS,
    TARGETS,
    WEIGHTS,
    Cases,
    Keras,
    X,
    compiled,
    integers,
    stack,
    train,
    uniform,
)

WIDE = uniform(ROWS, 3, seed=61)
ONE = TARGETS[:, :1]


def wide_and_deep(keras: Keras, outputs: str = "list") -> Any:
    """Two inputs and two outputs, the second in the middle of the network."""
    layers = keras.layers
    wide = keras.Input((3,), name="wide")
    deep = keras.Input((5,), name="deep")
    hidden = layers.Dense(4, activation="relu", name="hidden")(deep)
    joined = layers.concatenate([wide, hidden])
    main = layers.Dense(1, name="main")(joined)
    aux = layers.Dense(1, name="aux")(hidden)
    ends: Any = {"main": main, "aux": aux} if outputs == "dict" else [main, aux]
    return keras.Model(inputs=[wide, deep], outputs=ends)


def two_outputs(keras: Keras) -> Any:
    model = wide_and_deep(keras)
    model = compiled(model, ["mse", "mae"], loss_weights=[0.9, 0.1], metrics=["mae", "mse"])
    return train(model, [WIDE, X], [ONE, ONE], validation_split=0.25)


def outputs_by_name(keras: Keras) -> Any:
    model = compiled(
        wide_and_deep(keras, "dict"),
        {"aux": "huber", "main": "mse"},
        loss_weights={"aux": 0.5, "main": 2.0},
        metrics={"main": ["mae", keras.metrics.RootMeanSquaredError()], "aux": "mape"},
    )
    return train(model, {"wide": WIDE, "deep": X}, {"main": ONE, "aux": ONE + 1.0})


def one_loss_for_all(keras: Keras) -> Any:
    return train(compiled(wide_and_deep(keras), "mse"), [WIDE, X], [ONE, ONE])


def outputs_weighted(keras: Keras) -> Any:
    """Sample weights by output; plain and weighted metrics."""
    model = compiled(
        wide_and_deep(keras, "dict"),
        {"aux": "mae", "main": "mse"},
        metrics={"main": ["mae"]},
        weighted_metrics={"main": ["mae"], "aux": ["mse"]},
    )
    weights = {"main": WEIGHTS, "aux": WEIGHTS[::-1].copy()}
    return train(model, {"wide": WIDE, "deep": X}, {"main": ONE, "aux": ONE}, sample_weight=weights)


def output_without_loss(keras: Keras) -> Any:
    model = compiled(wide_and_deep(keras, "dict"), {"main": "mse"})
    return train(model, [WIDE, X], {"main": ONE})


def mixed_losses(keras: Keras) -> Any:
    """A class and a number from one network; accuracy is chosen by the loss's kind of target."""
    layers = keras.layers
    inputs = keras.Input((5,))
    hidden = layers.Dense(4, activation="tanh")(inputs)
    ends = [
        layers.Dense(3, activation="softmax", name="kind")(hidden),
        layers.Dense(1, activation="sigmoid", name="bit")(hidden),
        layers.Dense(2, name="numbers")(hidden),
    ]
    losses = ["sparse_categorical_crossentropy", "binary_crossentropy", "mse"]
    model = compiled(
        keras.Model(inputs, ends), losses, metrics=[["accuracy"], ["accuracy"], ["mae"]]
    )
    return train(model, X, [LABELS, BITS, TARGETS])


def shared_layer(keras: Keras) -> Any:
    layers = keras.layers
    left, right = keras.Input((5,)), keras.Input((5,))
    tower = layers.Dense(3, activation="tanh", kernel_regularizer="l2")
    distance = layers.Subtract()([tower(left), tower(right)])
    model = keras.Model([left, right], layers.Dense(2)(distance))
    return train(compiled(model), [X, X[::-1].copy()], TARGETS)


def shared_batch_norm(keras: Keras) -> Any:
    """A layer with moving statistics that is used twice updates them twice."""
    layers = keras.layers
    inputs = keras.Input((5,))
    norm = layers.BatchNormalization(momentum=0.8)
    hidden = norm(layers.Dense(4, activation="tanh")(norm(layers.Dense(4)(inputs))))
    model = keras.Model(inputs, layers.Dense(2)(hidden))
    return train(compiled(model), X, TARGETS)


def nested(keras: Keras) -> Any:
    """Models as layers, one of them twice, one frozen."""
    layers = keras.layers
    encoder = stack(keras, layers.Dense(4, activation="tanh"), layers.Dense(3))
    inner_input = keras.Input((3,))
    decoder = keras.Model(inner_input, layers.Dense(5)(layers.ReLU()(inner_input)))
    inputs = keras.Input((5,))
    code = encoder(inputs)
    again = encoder(decoder(code))
    model = keras.Model(inputs, layers.Dense(2)(layers.add([code, again])))
    return train(compiled(model), X, TARGETS)


def nested_frozen(keras: Keras) -> Any:
    layers = keras.layers
    encoder = stack(keras, layers.Dense(4), layers.BatchNormalization(momentum=0.5))
    first = train(compiled(stack(keras, encoder, layers.Dense(2))), X, TARGETS)
    encoder.trainable = False
    second = compiled(stack(keras, encoder, layers.Dense(2, activation="tanh")))
    return [first, train(second, X, TARGETS)]


def reused_layers(keras: Keras) -> Any:
    """Transfer: the lower layers of a trained model under a new top."""
    dense = keras.layers.Dense
    old = compiled(stack(keras, dense(4, activation="elu"), dense(3, activation="elu"), dense(2)))
    train(old, X, TARGETS)
    new = keras.Sequential(old.layers[:-1])
    new.add(dense(1, activation="sigmoid"))
    new.layers[0].trainable = False
    result = train(compiled(new, "binary_crossentropy", metrics=["accuracy"]), X, BITS)
    return {**result, "old": old.get_weights()}


def clone(keras: Keras) -> Any:
    dense = keras.layers.Dense
    old = compiled(stack(keras, dense(4, activation="elu"), dense(2)))
    train(old, X, TARGETS)
    new = keras.models.clone_model(old)
    new.set_weights(old.get_weights())
    return train(compiled(new, optimizer="adam"), X, TARGETS, begin=False)


def operators(keras: Keras) -> Any:
    """Arithmetic, comparison with constants and slices on symbols."""
    dense = keras.layers.Dense
    inputs = keras.Input((5,))
    a = dense(4)(inputs)
    b = dense(4)(inputs)
    total = (a + b) * 0.5 - a / (2.0 + keras.ops.square(b)) + 1.0
    total = -total + 3.0 - b**2 + 2.0 / (4.0 + a * a)
    ends = keras.ops.concatenate([total[:, 1:3], a[:, :1], b[..., -1:]], axis=-1)
    return train(compiled(keras.Model(inputs, dense(2)(ends))), X, TARGETS)


def ops_on_symbols(keras: Keras) -> Any:
    ops, dense = keras.ops, keras.layers.Dense
    inputs = keras.Input((5,))
    hidden = ops.tanh(dense(6)(inputs))
    folded = ops.reshape(hidden, (-1, 2, 3))
    turned = ops.transpose(folded, (0, 2, 1))
    pooled = ops.mean(turned, axis=1) + ops.max(folded, axis=2)
    kept = ops.where(pooled > 0.0, pooled, ops.exp(pooled))
    return train(compiled(keras.Model(inputs, dense(2)(kept))), X, TARGETS)


def subclass(keras: Keras) -> Any:
    class Deep(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.hidden = [keras.layers.Dense(4, activation="tanh") for _ in range(2)]
            self.norm = keras.layers.BatchNormalization(momentum=0.7)
            self.dropout = keras.layers.Dropout(0.0)
            self.top = keras.layers.Dense(2)

        def call(self, inputs: Any, training: Any = None) -> Any:
            z = inputs
            for layer in self.hidden:
                z = self.dropout(layer(z), training=training)
            return self.top(self.norm(z, training=training))

    return train(compiled(Deep(), metrics=["mae"]), X, TARGETS)


def subclass_wide_and_deep(keras: Keras) -> Any:
    class WideAndDeep(keras.Model):  # type: ignore[misc]
        def __init__(self, units: int = 4, activation: str = "relu") -> None:
            super().__init__()
            self.hidden1 = keras.layers.Dense(units, activation=activation)
            self.hidden2 = keras.layers.Dense(units, activation=activation)
            self.main_output = keras.layers.Dense(1)
            self.aux_output = keras.layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            wide, deep = inputs
            hidden = self.hidden2(self.hidden1(deep))
            joined = keras.layers.concatenate([wide, hidden])
            return self.main_output(joined), self.aux_output(hidden)

    model = compiled(WideAndDeep(), ["mse", "mae"], loss_weights=[0.9, 0.1])
    result = train(model, (WIDE, X), (ONE, ONE))
    # Outputs without names: Keras names their losses after the loss, pynn after their place.
    return {**result, "history": result["history"]["loss"]}


def added_loss(keras: Keras) -> Any:
    class Penalty(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            self.add_loss(0.1 * keras.ops.mean(keras.ops.square(inputs)))
            return inputs

    dense = keras.layers.Dense
    return train(compiled(stack(keras, dense(4), Penalty(), dense(2))), X, TARGETS)


def sequence_model(keras: Keras) -> Any:
    """Tokens to one class per step, with sample weights for each step."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            layers.Embedding(6, 4),
            layers.Dense(4, activation="relu"),
            layers.TimeDistributed(layers.Dense(3, activation="softmax")),
        ]
    )
    model = compiled(model, "sparse_categorical_crossentropy", metrics=["accuracy"])
    y = integers(ROWS, 3, high=3, seed=62)
    steps = uniform(ROWS, 3, low=0.0, high=2.0, seed=63)
    return [
        train(model, integers(ROWS, 3, high=6), y),
        train(model, integers(ROWS, 3, high=6), y, sample_weight=steps),
    ]


def called_directly(keras: Keras) -> Any:
    """Models and layers called on arrays."""
    model = wide_and_deep(keras)
    train(compiled(model, "mse"), [WIDE, X], [ONE, ONE])
    middle = keras.Model(model.inputs, model.get_layer("hidden").output)
    outputs = model([WIDE, X])
    return {
        "direct": [np.asarray(one)[:KEPT] for one in outputs],
        "layer": np.asarray(model.get_layer("hidden")(X))[:KEPT],
        "middle": middle.predict([WIDE, X], verbose=0)[:KEPT],
    }


CASES: Cases = {
    "models.Model/two_outputs": two_outputs,
    "models.Model/outputs_by_name": outputs_by_name,
    "models.Model/one_loss_for_all": one_loss_for_all,
    "models.Model/outputs_weighted": outputs_weighted,
    "models.Model/output_without_loss": output_without_loss,
    "models.Model/mixed_losses": mixed_losses,
    "models.Model/shared_layer": shared_layer,
    "models.Model/shared_batch_norm": shared_batch_norm,
    "models.Model/nested": nested,
    "models.Model/nested_frozen": nested_frozen,
    "models.Model/operators": operators,
    "models.Model/ops_on_symbols": ops_on_symbols,
    "models.Model/subclass": subclass,
    "models.Model/subclass_wide_and_deep": subclass_wide_and_deep,
    "models.Model/add_loss": added_loss,
    "models.Model/called": called_directly,
    "models.Sequential/reused_layers": reused_layers,
    "models.Sequential/sequences": sequence_model,
    "models.clone_model": clone,
}
