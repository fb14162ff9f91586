"""Steps of a sequence that do not count: marked, handed on, left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pynn
from layer_cases import F64, Array, samples
from pynn import layers, ops


def sequences() -> tuple[Array, Array]:
    """Samples of three steps, and which steps count."""
    x = samples(6, 3, 2)
    x[::2, 2] = 0.0
    x[1::4, 1:] = 0.0
    return x, (x != 0).any(-1).astype(np.float64)


def test_masking() -> None:
    x, counts = sequences()
    x = np.where(counts[..., None] == 0, 9.0, x)
    y = layers.Masking(9.0, **F64)(x)
    np.testing.assert_array_equal(y, x * counts[..., None])


def masked_mean(values: Array, counts: Array) -> Array:
    return np.asarray((values * counts[..., None]).sum(1) / counts.sum(1)[:, None])


@pytest.mark.parametrize(
    "between",
    [
        lambda: layers.Dense(3, use_bias=False, kernel_initializer="ones", **F64),
        lambda: layers.TimeDistributed(
            layers.Dense(3, use_bias=False, kernel_initializer="ones", **F64), **F64
        ),
    ],
)
def test_average_over_the_steps_that_count(between: Any) -> None:
    x, counts = sequences()
    model = pynn.Sequential(
        [
            pynn.Input((3, 2)),
            layers.Masking(**F64),
            between(),
            layers.Activation("tanh", **F64),
            layers.Dropout(0.5, **F64),
            layers.GlobalAveragePooling1D(**F64),
        ]
    )
    hidden = np.tanh(np.repeat(x.sum(-1, keepdims=True), 3, axis=-1))
    np.testing.assert_allclose(model.predict(x, verbose=0), masked_mean(hidden, counts), rtol=1e-12)


def test_embedding_marks_class_zero() -> None:
    x = np.array([[1, 2, 0], [2, 0, 0]])
    model = pynn.Sequential(
        [
            pynn.Input((3,)),
            layers.Embedding(3, 2, mask_zero=True, **F64),
            layers.GlobalAveragePooling1D(**F64),
        ]
    )
    y = model.predict(x, verbose=0)
    table = model.get_weights()[0]
    np.testing.assert_allclose(y, [(table[1] + table[2]) / 2, table[2]], rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_loss_and_metrics_leave_steps_out(weighted: bool) -> None:
    x, counts = sequences()
    y = samples(6, 3, 2)
    weights = np.linspace(0.5, 2.0, 6) if weighted else None
    model = pynn.Sequential([pynn.Input((3, 2)), layers.Masking(**F64), layers.Dense(2, **F64)])
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    found = model.evaluate(x, y, sample_weight=weights, batch_size=6, verbose=0)
    error = model.predict(x, verbose=0) - y
    squares, sizes = (error**2).mean(-1), np.abs(error).mean(-1)
    own = counts if weights is None else counts * weights[:, None]
    expected = [
        (squares * own).sum() / counts.sum(),
        (sizes * counts).sum() / counts.sum(),
        (squares * own).sum() / own.sum(),
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_gradient_of_a_masked_loss() -> None:
    x, counts = sequences()
    y = samples(6, 3, 2)
    model = pynn.Sequential(
        [pynn.Input((3, 2)), layers.Masking(**F64), layers.Dense(2, use_bias=False, **F64)]
    )
    model.compile("sgd", "mse")
    error = (x @ model.get_weights()[0] - y) * counts[..., None]
    expected = np.einsum("nti,ntj->ij", x, error) / counts.sum()
    np.testing.assert_allclose(model.gradients(x, y)[0], expected, rtol=1e-9, atol=1e-12)


def test_metric_that_is_no_mean() -> None:
    x, _ = sequences()
    model = pynn.Sequential([pynn.Input((3, 2)), layers.Masking(), layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["r2_score"])
    with pytest.raises(ValueError, match="r2_score: the output has masked steps"):
        model.evaluate(x, samples(6, 3, 2), verbose=0)


def test_layer_that_does_not_know_masks() -> None:
    x, _ = sequences()
    masked = layers.Masking()(pynn.Input((3, 2)))
    assert masked.shape == (None, 3, 2)
    with pytest.warns(UserWarning, match="does not know masks"):
        model = pynn.Sequential([pynn.Input((3, 2)), layers.Masking(), layers.Permute((2, 1))])
    with pytest.warns(UserWarning, match="does not know masks"):
        y = model.predict(x, verbose=0)
    np.testing.assert_allclose(y, x.transpose(0, 2, 1), rtol=1e-6)


def test_statistics_of_a_batch_need_all_steps() -> None:
    x, _ = sequences()
    model = pynn.Sequential([pynn.Input((3, 2)), layers.Masking(), layers.BatchNormalization()])
    model.compile("sgd", "mse")
    model.predict(x, verbose=0)
    with pytest.raises(ValueError, match="masked ones cannot be left out"):
        model.fit(x, x, verbose=0)


def test_masks_are_joined() -> None:
    masks: list[Any] = []

    class Seen(layers.Layer):
        supports_masking = True

        def call(self, inputs: Any, mask: Any = None) -> Any:
            masks.append(mask)
            return inputs * mask[..., None]

    a, b = pynn.Input((3, 2)), pynn.Input((3, 2))
    either = Seen()(layers.add([layers.Masking()(a), layers.Masking()(b)]))
    model = pynn.Model([a, b], either)
    x, counts = sequences()
    other = x[::-1].copy()
    both = np.maximum(counts, counts[::-1])
    found = model.predict([x, other], verbose=0)
    np.testing.assert_allclose(found, (x + other) * both[..., None], rtol=1e-6)
    assert masks[-1] is not None


def test_softmax_takes_a_mask() -> None:
    x, mask = samples(2, 3), np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    weights = np.exp(x) * mask
    expected = weights / weights.sum(-1, keepdims=True)
    np.testing.assert_allclose(layers.Softmax(**F64)(x, mask=mask), expected, rtol=1e-12)


def test_lambda_makes_a_mask() -> None:
    x, counts = sequences()
    marked = layers.Lambda(lambda t: t, mask=lambda t, mask: ops.any(t != 0.0, axis=-1), **F64)
    model = pynn.Sequential([pynn.Input((3, 2)), marked, layers.GlobalAveragePooling1D(**F64)])
    np.testing.assert_allclose(model.predict(x, verbose=0), masked_mean(x, counts), rtol=1e-12)
