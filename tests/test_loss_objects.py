"""Losses as objects: reductions, weights, ignored classes, axes, losses of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pynn import losses
from reference_losses import Array

Y = np.array([0, 1, 2, 1])
P = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]])
W = np.array([1.0, 2.0, 3.0, 4.0])
V = -np.log(P[np.arange(4), Y])


# ---- reductions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reduction", "plain", "weighted", "name"),
    [
        ("sum_over_batch_size", V.mean(), (W * V).sum() / 4, "mean"),
        ("mean", V.mean(), (W * V).sum() / 4, "mean"),
        ("sum", V.sum(), (W * V).sum(), "sum"),
        ("mean_with_sample_weight", V.mean(), (W * V).sum() / 10, "mean_with_sample_weight"),
    ],
)
def test_reductions(reduction: str, plain: float, weighted: float, name: str) -> None:
    loss = losses.SparseCategoricalCrossentropy(reduction=reduction)
    assert loss(Y, P) == pytest.approx(plain, rel=1e-12)
    assert loss(Y, P, W) == pytest.approx(weighted, rel=1e-12)
    assert loss(Y, P, W[:, None]) == pytest.approx(weighted, rel=1e-12)
    assert loss(Y, P, 0 * W) == 0.0
    assert loss.spec()["reduction"] == name


@pytest.mark.parametrize("reduction", ["none", None])
def test_no_reduction(reduction: str | None) -> None:
    loss = losses.SparseCategoricalCrossentropy(reduction=reduction)
    np.testing.assert_allclose(loss(Y, P), V, rtol=1e-12)
    np.testing.assert_allclose(loss(Y, P, W), W * V, rtol=1e-12)


def test_weights_are_broadcast() -> None:
    y, p = np.zeros((2, 3, 4)), np.ones((2, 3, 4))
    loss = losses.MeanSquaredError(reduction="none")
    assert loss(y, p, 2.0).tolist() == [[2.0] * 3] * 2
    assert loss(y, p, [1.0, 3.0]).tolist() == [[1.0] * 3, [3.0] * 3]
    assert loss(y, p, np.full((1, 3), 2.0)).tolist() == [[2.0] * 3] * 2
    assert loss(y, p, np.ones((2, 3, 1))).tolist() == [[1.0] * 3] * 2
    with pytest.raises(ValueError, match=r"`sample_weight` must have.*\(2, 3\).*Received.*\(5,\)"):
        loss(y, p, np.ones(5))


def test_a_value_for_the_whole_batch_is_not_divided() -> None:
    class Total(losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return np.sum(y_true - y_pred)

    assert Total()(np.full(3, 5.0), np.zeros(3)) == 15.0


# ---- ignored classes: numbers of Keras 3.15 ------------------------------------------------------


@pytest.mark.parametrize(
    ("reduction", "plain", "weighted"),
    [
        ("sum_over_batch_size", 0.28990924, 0.51305276),
        ("sum", 0.5798185, 1.0261055),
        ("mean_with_sample_weight", 0.28990924, 0.25652638),
    ],
)
def test_ignored_class(reduction: str, plain: float, weighted: float) -> None:
    loss = losses.SparseCategoricalCrossentropy(ignore_class=1, reduction=reduction)
    assert loss(Y, P) == pytest.approx(plain, rel=1e-6)
    assert loss(Y, P, W) == pytest.approx(weighted, rel=1e-6)
    assert loss.row is None


def test_ignored_rows() -> None:
    values = losses.sparse_categorical_crossentropy(Y, P, ignore_class=1)
    np.testing.assert_allclose(values, V * (Y != 1), rtol=1e-12)
    outside = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert outside([-1, -1, -1, -1], P) == 0.0
    assert outside([-1, 0, 2, 1], P) == pytest.approx(-np.log([0.2, 0.8, 0.3]).mean(), rel=1e-12)
    with pytest.raises(ValueError, match="with `ignore_class` training knows"):
        losses.SparseCategoricalCrossentropy(
            ignore_class=1, reduction="mean_with_sample_weight"
        ).spec()


# ---- axes, types ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["binary_crossentropy", "categorical_crossentropy", "cosine_similarity"]
)
def test_axis(name: str) -> None:
    rng = np.random.default_rng(0)
    y, p = rng.random((2, 3, 5)), rng.random((2, 3, 5))
    function = getattr(losses, name)
    got = function(y, p, axis=1)
    np.testing.assert_allclose(got, function(y.swapaxes(1, 2), p.swapaxes(1, 2)), rtol=1e-12)
    np.testing.assert_allclose(function(y, p, axis=2), function(y, p), rtol=1e-12)


def test_axis_of_class_numbers() -> None:
    y, p = np.array([[0, 2], [1, 1]]), np.random.default_rng(1).random((2, 3, 2))
    got = losses.sparse_categorical_crossentropy(y, p, axis=1)
    shares = p / p.sum(1, keepdims=True)
    wanted = -np.log(np.take_along_axis(shares, y[:, None], 1))[:, 0]
    np.testing.assert_allclose(got, wanted, rtol=1e-10)
    np.testing.assert_allclose(
        losses.sparse_categorical_crossentropy(y[:, None], p, axis=1), got, rtol=1e-12
    )


def test_dtype() -> None:
    y, p = np.zeros((1, 1)), np.full((1, 1), 1 + 1e-12)
    assert losses.MeanSquaredError(dtype="float32")(y, p) == 1.0
    assert losses.MeanSquaredError()(y, p) != 1.0
    assert losses.MeanSquaredError().dtype == "float32"


# ---- overlap -------------------------------------------------------------------------------------

HITS: Array = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
SHARES: Array = np.array([[0.5, 0.25, 0.25], [0.125, 0.5, 0.375]])


@pytest.mark.parametrize("axis", [None, -1, 0, (0, 1)])
def test_overlap(axis: Any) -> None:
    inner = (HITS * SHARES).sum(axis)
    dice = 1 - 2 * inner / (HITS.sum(axis) + SHARES.sum(axis) + 1e-7)
    np.testing.assert_allclose(losses.dice(HITS, SHARES, axis), dice, rtol=1e-12)
    assert losses.Dice(axis=axis)(HITS, SHARES) == pytest.approx(np.mean(dice), rel=1e-12)
    missed, claimed = (HITS * (1 - SHARES)).sum(axis), ((1 - HITS) * SHARES).sum(axis)
    tversky = 1 - inner / (inner + 0.2 * missed + 0.7 * claimed + 1e-7)
    np.testing.assert_allclose(losses.tversky(HITS, SHARES, 0.2, 0.7, axis), tversky, rtol=1e-12)
    loss = losses.Tversky(0.2, 0.7, axis=axis)
    assert loss(HITS, SHARES) == pytest.approx(np.mean(tversky), rel=1e-12)
    assert loss.row is None
    assert loss.spec() == {"reduction": "mean"}
    assert type(losses.deserialize(losses.serialize(loss))) is losses.Tversky
    assert losses.deserialize(losses.serialize(loss)).get_config() == loss.get_config()


# ---- one's own -----------------------------------------------------------------------------------


def cubed(y_true: Any, y_pred: Any) -> Any:
    return abs(y_true - y_pred).sum(-1) ** 3


def test_functions_are_losses() -> None:
    loss = losses.resolve(cubed)
    assert loss.name == "cubed"
    assert loss([1.0, 0.0], [[3.0], [0.0]]) == 4.0
    assert losses.get(cubed) is cubed
    assert (
        losses.deserialize(
            {"class_name": "LossFunctionWrapper", "config": {"fn": "cubed", "reduction": "sum"}},
            custom_objects={"cubed": cubed},
        )(np.zeros((2, 1)), np.ones((2, 1)))
        == 2.0
    )


def test_names() -> None:
    class MyOwnLoss(losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return abs(y_true - y_pred).mean(-1)

    assert MyOwnLoss().name.startswith("my_own_loss")
    assert MyOwnLoss(name="other").get_config() == {
        "name": "other",
        "reduction": "sum_over_batch_size",
    }
    assert losses.Huber().name == "huber_loss"
    assert losses.get(MyOwnLoss) is not None
    assert losses.get(None) is losses.resolve(None) is None


@pytest.mark.parametrize(
    ("output", "target", "wanted"),
    [
        ((1,), (), "binary_crossentropy"),
        ((10,), (), "sparse_categorical_crossentropy"),
        ((10,), (1,), "sparse_categorical_crossentropy"),
        ((10,), (10,), "categorical_crossentropy"),
    ],
)
def test_crossentropy_is_chosen_by_shapes(
    output: tuple[int, ...], target: tuple[int, ...], wanted: str
) -> None:
    for name in ("crossentropy", "ce"):
        loss = losses.resolve(name, output, target)
        assert (loss.row.name, loss.name) == (wanted, name)
        assert losses.check(name) == name
    with pytest.raises(ValueError, match="depends on shapes"):
        losses.resolve("ce")
