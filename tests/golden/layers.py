"""Golden cases of the layers with weights, of rows and of sequences, and of custom layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from golden.runs import (
    ROWS,
    SEQUENCES,
    TARGETS,
    Case,
    Cases,
    Keras,
    X,
    compiled,
    integers,
    stack,
    start,
    train,
    uniform,
)

Make = Callable[[Keras], Any]


def between(make: Make) -> Case:
    """The layer between two dense layers, so that gradients pass through it to weights."""

    def case(keras: Keras) -> Any:
        dense = keras.layers.Dense
        return train(compiled(stack(keras, dense(4), make(keras), dense(2))), X, TARGETS)

    return case


def on_sequences(make: Make) -> Case:
    """The same for samples of three steps with two numbers each."""

    def case(keras: Keras) -> Any:
        layers = keras.layers
        inner = [layers.Dense(4), make(keras), layers.Flatten(), layers.Dense(2)]
        return train(compiled(stack(keras, *inner, shape=(3, 2))), SEQUENCES, TARGETS)

    return case


FLAT: dict[str, Make] = {
    "Dense": lambda k: k.layers.Dense(3, activation="tanh"),
    "Dense/use_bias": lambda k: k.layers.Dense(3, use_bias=False),
    "Dense/regularizers": lambda k: k.layers.Dense(
        3,
        kernel_regularizer=k.regularizers.L1L2(0.02, 0.03),
        bias_regularizer=k.regularizers.L2(0.1),
        activity_regularizer=k.regularizers.L2(0.05),
    ),
    "Dense/constraints": lambda k: k.layers.Dense(
        3, kernel_constraint=k.constraints.MaxNorm(0.7), bias_constraint="non_neg"
    ),
    "Activation": lambda k: k.layers.Activation("softplus"),
    "Activation/activity_regularizer": lambda k: k.layers.Activation(
        "tanh", activity_regularizer=k.regularizers.L1(0.02)
    ),
    "ReLU": lambda k: k.layers.ReLU(),
    "ReLU/options": lambda k: k.layers.ReLU(max_value=0.6, negative_slope=0.2, threshold=0.1),
    "LeakyReLU": lambda k: k.layers.LeakyReLU(),
    "LeakyReLU/negative_slope": lambda k: k.layers.LeakyReLU(negative_slope=0.05),
    "PReLU": lambda k: k.layers.PReLU(),
    "PReLU/alpha": lambda k: k.layers.PReLU(
        alpha_regularizer="l2", alpha_constraint=k.constraints.NonNeg()
    ),
    "ELU": lambda k: k.layers.ELU(),
    "ELU/alpha": lambda k: k.layers.ELU(alpha=0.4),
    "Softmax": lambda k: k.layers.Softmax(),
    "BatchNormalization": lambda k: k.layers.BatchNormalization(),
    "BatchNormalization/options": lambda k: k.layers.BatchNormalization(
        momentum=0.6, epsilon=0.1, gamma_regularizer="l1", beta_regularizer="l2"
    ),
    "BatchNormalization/constraints": lambda k: k.layers.BatchNormalization(
        gamma_constraint="non_neg", beta_constraint=k.constraints.MaxNorm(0.3)
    ),
    "BatchNormalization/center": lambda k: k.layers.BatchNormalization(center=False),
    "BatchNormalization/scale": lambda k: k.layers.BatchNormalization(scale=False),
    "LayerNormalization": lambda k: k.layers.LayerNormalization(),
    "LayerNormalization/options": lambda k: k.layers.LayerNormalization(
        epsilon=0.1, center=False, gamma_regularizer="l2"
    ),
    "LayerNormalization/scale": lambda k: k.layers.LayerNormalization(
        scale=False, beta_constraint="non_neg"
    ),
    "RMSNormalization": lambda k: k.layers.RMSNormalization(epsilon=0.01),
    "GroupNormalization": lambda k: k.layers.GroupNormalization(groups=2),
    "UnitNormalization": lambda k: k.layers.UnitNormalization(),
    "Rescaling": lambda k: k.layers.Rescaling(0.5, offset=0.25),
    "Rescaling/per_feature": lambda k: k.layers.Rescaling([0.5, 1.0, 2.0, 3.0], [0.1, 0.2, 0.3, 0]),
    "Dropout": lambda k: k.layers.Dropout(0.0),
    "AlphaDropout": lambda k: k.layers.AlphaDropout(0.0),
    "GaussianDropout": lambda k: k.layers.GaussianDropout(0.0),
    "GaussianNoise": lambda k: k.layers.GaussianNoise(0.0),
    "ActivityRegularization": lambda k: k.layers.ActivityRegularization(l1=0.02, l2=0.05),
    "Identity": lambda k: k.layers.Identity(),
    "Lambda": lambda k: k.layers.Lambda(lambda t: k.ops.square(t) + 0.5 * t),
    "Lambda/arguments": lambda k: k.layers.Lambda(
        lambda t, scale: t * scale, arguments={"scale": 3.0}
    ),
}

SEQUENCE: dict[str, Make] = {
    "Dense/sequences": lambda k: k.layers.Dense(3, activation="relu"),
    "TimeDistributed": lambda k: k.layers.TimeDistributed(k.layers.Dense(3, activation="tanh")),
    "TimeDistributed/norm": lambda k: k.layers.TimeDistributed(k.layers.LayerNormalization()),
    "Flatten": lambda k: k.layers.Flatten(),
    "Reshape": lambda k: k.layers.Reshape((2, 6)),
    "Reshape/unknown": lambda k: k.layers.Reshape((-1, 2)),
    "Permute": lambda k: k.layers.Permute((2, 1)),
    "GlobalAveragePooling1D": lambda k: k.layers.GlobalAveragePooling1D(),
    "GlobalAveragePooling1D/keepdims": lambda k: k.layers.GlobalAveragePooling1D(keepdims=True),
    "GlobalAveragePooling1D/channels_first": lambda k: k.layers.GlobalAveragePooling1D(
        data_format="channels_first"
    ),
    "GlobalMaxPooling1D": lambda k: k.layers.GlobalMaxPooling1D(),
    "SpatialDropout1D": lambda k: k.layers.SpatialDropout1D(0.0),
    "BatchNormalization/sequences": lambda k: k.layers.BatchNormalization(momentum=0.5),
    "BatchNormalization/axis": lambda k: k.layers.BatchNormalization(axis=1),
    "LayerNormalization/axis": lambda k: k.layers.LayerNormalization(axis=[1, 2]),
    "UnitNormalization/axis": lambda k: k.layers.UnitNormalization(axis=1),
    "Softmax/axis": lambda k: k.layers.Softmax(axis=1),
    "PReLU/shared_axes": lambda k: k.layers.PReLU(shared_axes=[1]),
    "Dropout/noise_shape": lambda k: k.layers.Dropout(0.0, noise_shape=(None, 1, 4)),
}


def repeat_vector(keras: Keras) -> Any:
    layers = keras.layers
    model = stack(
        keras, layers.Dense(4), layers.RepeatVector(3), layers.Dense(2, activation="tanh")
    )
    return train(compiled(model), X, uniform(ROWS, 3, 2))


def frozen_batch_norm(keras: Keras) -> Any:
    """A layer that is not trainable infers, also within fit; its penalty leaves the loss."""
    layers = keras.layers
    norm = layers.BatchNormalization(momentum=0.5)
    frozen = layers.Dense(4, kernel_regularizer="l2")
    model = compiled(stack(keras, frozen, norm, layers.Dense(2)))
    first = train(model, X, TARGETS)
    norm.trainable = False
    frozen.trainable = False
    return {"before": first, "frozen": train(compiled(model), X, TARGETS, begin=False)}


def random_at_inference(keras: Keras) -> Any:
    """Random layers pass their input on when nothing is trained."""
    layers = keras.layers
    model = stack(
        keras,
        layers.Dropout(0.5),
        layers.AlphaDropout(0.4),
        layers.GaussianDropout(0.3),
        layers.GaussianNoise(0.2),
        layers.Dense(2),
    )
    start(compiled(model))
    return [model.predict(X, verbose=0)[:4], model.evaluate(X, TARGETS, verbose=0)]


# Preprocessing: nothing is trained, the layer is called on arrays


def normalization(axis: Any, **options: Any) -> Case:
    def case(keras: Keras) -> Any:
        layer = keras.layers.Normalization(axis=axis, **options)
        layer.adapt(SEQUENCES + 2.0)
        return np.asarray(layer(SEQUENCES))[:6]

    return case


def normalization_given(keras: Keras) -> Any:
    given = {"mean": [0.5, -0.5, 0.0, 1.0, 2.0], "variance": [4.0, 1.0, 0.25, 9.0, 1.0]}
    normed = keras.layers.Normalization(**given)(X[:5])
    return [np.asarray(normed), np.asarray(keras.layers.Normalization(**given, invert=True)(X[:5]))]


def normalization_trained(keras: Keras) -> Any:
    norm = keras.layers.Normalization()
    norm.adapt(X * 3 + 1)
    return train(compiled(stack(keras, norm, keras.layers.Dense(2))), X * 3 + 1, TARGETS)


def category_encoding(mode: str, x: Any) -> Case:
    def case(keras: Keras) -> Any:
        return np.asarray(keras.layers.CategoryEncoding(num_tokens=4, output_mode=mode)(x))

    return case


def category_encoding_weighted(keras: Keras) -> Any:
    layer = keras.layers.CategoryEncoding(num_tokens=4, output_mode="count")
    return np.asarray(layer(integers(3, 2, high=4), count_weights=uniform(3, 2)))


# Embedding and masks


def embedding(keras: Keras) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            layers.Embedding(7, 2),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    return train(compiled(model, optimizer="adam"), integers(ROWS, 3, high=7), TARGETS)


def embedding_options(keras: Keras) -> Any:
    layers = keras.layers
    embed = layers.Embedding(
        7, 2, embeddings_regularizer="l2", embeddings_constraint=keras.constraints.UnitNorm(axis=1)
    )
    model = keras.Sequential(
        [keras.Input((3,), dtype="int32"), embed, layers.Flatten(), layers.Dense(2)]
    )
    return train(compiled(model), integers(ROWS, 3, high=7), TARGETS)


def embedding_mask(keras: Keras) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4,), dtype="int32"),
            layers.Embedding(5, 3, mask_zero=True),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2),
        ]
    )
    return train(compiled(model), integers(ROWS, 4, high=5), TARGETS)


def masked_sequences() -> Any:
    x = SEQUENCES.copy()
    x[::2, 2] = 0.0
    x[1::4, 1:] = 0.0
    return x


def masking(keras: Keras) -> Any:
    layers = keras.layers
    inner = [layers.Masking(), layers.Dense(3), layers.GlobalAveragePooling1D(), layers.Dense(2)]
    return train(compiled(stack(keras, *inner, shape=(3, 2))), masked_sequences(), TARGETS)


def masking_value(keras: Keras) -> Any:
    """Masked steps do not count in the loss and the metrics of a sequence.

    The trainer of Keras's JAX backend loses the mask before the metrics of fit: they are left out.
    """
    layers = keras.layers
    x = masked_sequences()
    x[x == 0.0] = 9.0
    model = stack(keras, layers.Masking(mask_value=9.0), layers.Dense(2), shape=(3, 2))
    model = compiled(model, metrics=["mae"], weighted_metrics=["mse"])
    result = train(model, x, uniform(ROWS, 3, 2))
    result["history"] = {"loss": result["history"]["loss"]}
    return result


# Layers written by the user


def custom_layer(keras: Keras) -> Any:
    class Scaled(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, units: int) -> None:
            super().__init__()
            self.units = units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(
                shape=(input_shape[-1], self.units), initializer="ones", name="kernel"
            )
            self.gain = self.add_weight(shape=(), initializer="ones", regularizer="l2", name="gain")
            self.shift = self.add_weight(
                shape=(self.units,), initializer="zeros", trainable=False, name="shift"
            )

        def call(self, inputs: Any) -> Any:
            ops = keras.ops
            return ops.tanh(ops.matmul(inputs, self.kernel)) * ops.exp(self.gain) + self.shift

    dense = keras.layers.Dense
    return train(compiled(stack(keras, dense(4), Scaled(3), dense(2))), X, TARGETS)


def composed_layer(keras: Keras) -> Any:
    class Residual(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, units: int) -> None:
            super().__init__()
            self.hidden = [keras.layers.Dense(units, activation="elu") for _ in range(2)]
            self.norm = keras.layers.LayerNormalization()

        def call(self, inputs: Any, training: Any = None) -> Any:
            z = inputs
            for layer in self.hidden:
                z = layer(z)
            return self.norm(inputs + z)

    dense = keras.layers.Dense
    return train(compiled(stack(keras, dense(4), Residual(4), dense(2))), X, TARGETS)


CASES: Cases = {
    **{f"layers.{name}": between(make) for name, make in FLAT.items()},
    **{f"layers.{name}": on_sequences(make) for name, make in SEQUENCE.items()},
    "layers.RepeatVector": repeat_vector,
    "layers.BatchNormalization/frozen": frozen_batch_norm,
    "layers.Dropout/inference": random_at_inference,
    "layers.Normalization": normalization(-1),
    "layers.Normalization/axis": normalization((1, 2)),
    "layers.Normalization/no_axis": normalization(None),
    "layers.Normalization/invert": normalization(-1, invert=True),
    "layers.Normalization/given": normalization_given,
    "layers.Normalization/trained": normalization_trained,
    "layers.CategoryEncoding": category_encoding("multi_hot", [[0, 1], [0, 0], [1, 3]]),
    "layers.CategoryEncoding/one_hot": category_encoding("one_hot", [3, 2, 0, 1]),
    "layers.CategoryEncoding/count": category_encoding("count", [[0, 1], [0, 0], [1, 3]]),
    "layers.CategoryEncoding/count_weights": category_encoding_weighted,
    "layers.Embedding": embedding,
    "layers.Embedding/options": embedding_options,
    "layers.Embedding/mask_zero": embedding_mask,
    "layers.Masking": masking,
    "layers.Masking/mask_value": masking_value,
    "layers.Layer": custom_layer,
    "layers.Layer/composed": composed_layer,
}
