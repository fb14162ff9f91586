"""KerasClassifier and KerasRegressor do what the same model does when it is trained by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pynn
from pynn import layers, losses

pytest.importorskip("sklearn")

from scipy.special import expit, softmax
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.preprocessing import minmax_scale
from sklearn.utils.class_weight import compute_sample_weight

from pynn.sklearn import KerasClassifier, KerasRegressor
from wrapped_models import (
    LABELS,
    OPTIONS,
    Array,
    assert_same_weights,
    cancer,
    diabetes,
    iris,
    multiclass,
    network,
    train_by_hand,
)

# ---- what is trained -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "units", "activation", "loss"),
    [
        (iris, 3, "softmax", "sparse_categorical_crossentropy"),
        (iris, 3, None, losses.SparseCategoricalCrossentropy(from_logits=True)),
        (cancer, 1, "sigmoid", "binary_crossentropy"),
        (cancer, 1, None, losses.BinaryCrossentropy(from_logits=True)),
        (cancer, 2, "softmax", "sparse_categorical_crossentropy"),
    ],
)
def test_loss_of_a_classifier(data: Any, units: int, activation: str | None, loss: Any) -> None:
    x, y = data()

    def build() -> pynn.Model:
        return network(x.shape[1], units, activation)

    estimator = KerasClassifier(build, **OPTIONS).fit(x, y)
    by_hand = train_by_hand(7, build, x, y, loss=loss)
    assert_same_weights(estimator.model_, by_hand)
    raw = by_hand.predict(x, verbose=0)
    if activation is None:
        raw = expit(raw) if units == 1 else softmax(raw, axis=1)
    expected = np.hstack([1 - raw, raw]) if units == 1 else raw
    probabilities = estimator.predict_proba(x)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(estimator.predict(x), expected.argmax(axis=1))
    assert estimator.score(x, y) == accuracy_score(y, expected.argmax(axis=1))
    reported = estimator.model_.evaluate(x, y, verbose=0)
    assert reported == pytest.approx(log_loss(y, probabilities), rel=1e-4)


@pytest.mark.parametrize("activation", ["sigmoid", None])
def test_labels_of_which_a_row_has_several(activation: str | None) -> None:
    x, _ = iris()
    y = (x[:, 1:] > 0).astype(int)
    estimator = KerasClassifier(lambda: network(4, 3, activation), **OPTIONS).fit(x, y)
    loss = losses.BinaryCrossentropy(from_logits=activation is None)
    by_hand = train_by_hand(7, lambda: network(4, 3, activation), x, y, loss=loss)
    assert_same_weights(estimator.model_, by_hand)
    raw = by_hand.predict(x, verbose=0)
    expected = raw if activation else expit(raw)
    np.testing.assert_allclose(estimator.predict_proba(x), expected, rtol=1e-6)
    np.testing.assert_array_equal(estimator.predict(x), expected > 0.5)
    assert estimator.target_type_ == "multilabel-indicator"


def test_loss_of_a_regressor() -> None:
    x, y = diabetes()
    estimator = KerasRegressor(lambda: network(10, 1, None), **OPTIONS).fit(x, y)
    by_hand = train_by_hand(7, lambda: network(10, 1, None), x, y, loss="mse")
    assert_same_weights(estimator.model_, by_hand)
    expected = by_hand.predict(x, verbose=0)[:, 0]
    np.testing.assert_array_equal(estimator.predict(x), expected)
    assert estimator.score(x, y) == r2_score(y, expected)
    column = KerasRegressor(lambda: network(10, 1, None), **OPTIONS).fit(x, y[:, None])
    np.testing.assert_array_equal(column.predict(x), expected[:, None])


def two_heads(sizes: tuple[int, int], activation: str | None) -> pynn.Model:
    inputs = pynn.Input((4,))
    hidden = layers.Dense(8, activation="relu")(inputs)
    ends = [layers.Dense(size, activation=activation, name=f"end_{size}") for size in sizes]
    return pynn.Model(inputs, [end(hidden) for end in ends])


def test_a_regressor_shares_the_columns_out_among_the_outputs() -> None:
    x, _ = iris()
    y = x @ np.arange(12).reshape(4, 3)
    estimator = KerasRegressor(lambda: two_heads((1, 2), None), **OPTIONS).fit(x, y)
    by_hand = train_by_hand(
        7, lambda: two_heads((1, 2), None), x, [y[:, :1], y[:, 1:]], loss=["mse", "mse"]
    )
    assert_same_weights(estimator.model_, by_hand)
    np.testing.assert_array_equal(estimator.predict(x), np.hstack(by_hand.predict(x, verbose=0)))
    with pytest.raises(ValueError, match=r"2 columns of `y`.*\[1, 2\]"):
        KerasRegressor(lambda: two_heads((1, 2), None)).fit(x, y[:, :2])


def test_several_targets_of_classes() -> None:
    x, species = iris()
    y = np.column_stack([LABELS[species], np.where(x[:, 0] > 0, "long", "short")]).astype(object)

    def build() -> pynn.Model:
        return two_heads((3, 2), "softmax")

    estimator = KerasClassifier(build, **{**OPTIONS, "epochs": 60}).fit(x, y)
    codes = [np.unique(column, return_inverse=True)[1] for column in y.T]
    loss = "sparse_categorical_crossentropy"
    by_hand = train_by_hand(7, build, x, codes, loss=loss, epochs=60)
    assert_same_weights(estimator.model_, by_hand)
    assert [list(c) for c in estimator.classes_] == [sorted(LABELS), ["long", "short"]]
    assert estimator.n_outputs_ == estimator.n_outputs_expected_ == 2
    assert (estimator.predict(x) == y).mean() > 0.85
    for ours, theirs in zip(estimator.predict_proba(x), by_hand.predict(x, verbose=0), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "mse", "kl_divergence"])
def test_losses_that_need_a_column_for_each_class(loss: str) -> None:
    x, y = iris()
    estimator = KerasClassifier(multiclass, loss=loss, **OPTIONS).fit(x, LABELS[y])
    codes = np.unique(LABELS, return_inverse=True)[1][y]
    by_hand = train_by_hand(7, lambda: multiclass(4, 3), x, np.eye(3)[codes], loss=loss)
    assert_same_weights(estimator.model_, by_hand)


def test_hinge_loss_decides_by_the_sign() -> None:
    x, y = cancer()
    estimator = KerasClassifier(lambda: network(30, 1, "tanh"), loss="hinge", **OPTIONS).fit(x, y)
    raw = train_by_hand(7, lambda: network(30, 1, "tanh"), x, y, loss="hinge").predict(x, verbose=0)
    np.testing.assert_array_equal(estimator.predict(x), raw[:, 0] > 0)
    with pytest.raises(AttributeError, match="hinge"):
        estimator.predict_proba(x)


def test_classes_keep_their_names() -> None:
    x, y = iris()
    options = {**OPTIONS, "epochs": 60, "optimizer__learning_rate": 0.01}
    estimator = KerasClassifier(multiclass, **options).fit(x, LABELS[y])
    assert list(estimator.classes_) == sorted(LABELS)
    assert estimator.score(x, LABELS[y]) > 0.9
    best = estimator.predict_proba(x).argmax(axis=1)
    np.testing.assert_array_equal(estimator.predict(x), estimator.classes_[best])


@pytest.mark.parametrize(
    "class_weight", ["balanced", {"virginica": 5.0, "setosa": 0.5, "versicolor": 1.0}]
)
def test_class_weight_is_the_sample_weight_it_stands_for(class_weight: Any) -> None:
    x, y = (part[:120] for part in iris())  # 50, 50 and 20 rows
    y = LABELS[y]
    weighted = KerasClassifier(multiclass, class_weight=class_weight, **OPTIONS).fit(x, y)
    rows = compute_sample_weight(class_weight, y)
    expected = KerasClassifier(multiclass, **OPTIONS).fit(x, y, sample_weight=rows)
    plain = KerasClassifier(multiclass, **OPTIONS).fit(x, y)
    for a, b, c in zip(*(e.model_.get_weights() for e in (weighted, expected, plain)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        assert np.abs(a - c).max() > 1e-3


def test_images_are_taken_as_they_are() -> None:
    digits = load_digits()

    def build(X_shape_: tuple[int, ...], n_classes_: int) -> pynn.Model:
        end = layers.Dense(n_classes_, activation="softmax")
        return pynn.Sequential([pynn.Input(X_shape_[1:]), layers.Flatten(), end])

    estimator = KerasClassifier(build, **{**OPTIONS, "epochs": 15}).fit(
        digits.images, digits.target
    )
    assert estimator.score(digits.images, digits.target) > 0.9


# ---- ready models --------------------------------------------------------------------------------


def test_a_ready_model_is_copied_with_its_weights() -> None:
    x, y = iris()
    model = multiclass(4, 3)
    start = model.get_weights()
    estimator = KerasClassifier(model, **OPTIONS).fit(x, y)
    for before, after in zip(start, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert estimator.model is model
    assert not model.compiled
    pynn.utils.set_random_seed(7)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=5, verbose=0)
    assert_same_weights(estimator.model_, model)


def test_a_compiled_model_keeps_how_it_was_compiled() -> None:
    x, y = iris()
    model = multiclass(4, 3)
    model.compile(
        pynn.optimizers.SGD(0.1, momentum=0.9), "categorical_crossentropy", metrics=["accuracy"]
    )
    estimator = KerasClassifier(model, random_state=0, optimizer__learning_rate=0.05).fit(x, y)
    trained = estimator.model_
    assert (trained.optimizer.momentum, float(trained.optimizer.learning_rate)) == (0.9, 0.05)
    assert model.optimizer.learning_rate == 0.1
    assert trained.loss == "categorical_crossentropy"
    assert set(estimator.history_) == {"loss", "accuracy"}


def test_a_trained_model_predicts_without_fit() -> None:
    x, y = cancer()
    model = network(30, 1, "sigmoid")
    model.compile("adam", "binary_crossentropy")
    model.fit(x, y, epochs=5, verbose=0)
    names = np.array(["malignant", "benign"])
    estimator = KerasClassifier(model).initialize(x, names[1 - y])
    expected = np.sort(names)[(model.predict(x, verbose=0)[:, 0] > 0.5).astype(int)]
    np.testing.assert_array_equal(estimator.predict(x), expected)


# ---- going on ------------------------------------------------------------------------------------


def test_partial_fit_is_one_epoch_more() -> None:
    x, y = iris()
    estimator = KerasClassifier(multiclass, optimizer="adam", random_state=7)
    estimator.partial_fit(x[:75], y[:75], classes=[0, 1, 2])  # two of three classes
    estimator.partial_fit(x[75:], y[75:])
    by_hand = train_by_hand(
        7,
        lambda: multiclass(4, 3),
        *(x[:75], y[:75]),
        loss="sparse_categorical_crossentropy",
        epochs=1,
    )
    by_hand.fit(x[75:], y[75:], verbose=0)
    assert_same_weights(estimator.model_, by_hand)
    assert len(estimator.history_["loss"]) == 2
    with pytest.raises(ValueError, match=r"all classes must be known.*\[3\]"):
        estimator.partial_fit(x, y + 1)
    with pytest.raises(ValueError, match=r"must be those of the first partial_fit.*\[1, 2\]"):
        estimator.partial_fit(x[50:], y[50:], classes=[1, 2])
    with pytest.raises(ValueError, match="balance of all rows"):
        estimator.set_params(class_weight="balanced").partial_fit(x, y)


def test_warm_start_goes_on() -> None:
    x, y = diabetes()
    options = {**OPTIONS, "warm_start": True}
    warm = KerasRegressor(lambda: network(10, 1, None), **options).fit(x, y).fit(x, y)
    by_hand = train_by_hand(7, lambda: network(10, 1, None), x, y, loss="mse")
    by_hand.fit(x, y, epochs=5, verbose=0)
    assert_same_weights(warm.model_, by_hand)
    assert len(warm.history_["loss"]) == 10
    anew = warm.set_params(warm_start=False).fit(x, y)
    assert len(anew.history_["loss"]) == 5


# ---- validation and callbacks --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["X_val", "validation_data"])
def test_validation_rows_are_encoded_too(name: str) -> None:
    x, y = iris()
    train, rest = slice(0, None, 2), slice(1, None, 2)
    held = (x[rest], LABELS[y[rest]])
    given: Any = {"X_val": held[0], "y_val": held[1]} if name == "X_val" else {name: held}
    estimator = KerasClassifier(multiclass, **OPTIONS).fit(x[train], LABELS[y[train]], **given)
    probabilities = estimator.predict_proba(x[rest])
    expected = log_loss(LABELS[y[rest]], probabilities)
    assert estimator.history_["val_loss"][-1] == pytest.approx(expected, rel=1e-5)
    assert len(estimator.history_["val_loss"]) == 5


def test_callbacks_by_class_and_by_object() -> None:
    x, y = cancer()
    seen: list[int] = []
    note = pynn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    estimator = KerasClassifier(
        lambda: network(30, 1, "sigmoid"),
        callbacks={"stop": pynn.callbacks.EarlyStopping, "note": note},
        callbacks__stop__monitor="loss",
        callbacks__stop__min_delta=10.0,  # nothing is ever good enough
        callbacks__stop__patience=2,
        **{**OPTIONS, "epochs": 50},
    ).fit(x, y)
    assert seen == [0, 1, 2]
    assert len(estimator.fit(x, y).history_["loss"]) == 3  # a new EarlyStopping, the same note
    assert seen == [0, 1, 2] * 2


# ---- random numbers ------------------------------------------------------------------------------


def test_random_state_leaves_the_global_seed_where_it_is() -> None:
    x, y = iris()

    def draw() -> Array:
        return np.append(pynn.initializers.HeNormal()((3, 3)), np.random.random(3))

    pynn.utils.set_random_seed(3)
    expected = [draw(), draw()]
    pynn.utils.set_random_seed(3)
    first = draw()
    a = KerasClassifier(multiclass, **OPTIONS).fit(x, y)
    np.testing.assert_array_equal([first, draw()], expected)
    assert_same_weights(a.model_, KerasClassifier(multiclass, **OPTIONS).fit(x, y).model_)
    states = [np.random.RandomState(0), np.random.RandomState(0), np.random.RandomState(1)]
    b, c, d = (
        KerasClassifier(multiclass, random_state=state).fit(x, y).predict_proba(x)
        for state in states
    )
    np.testing.assert_array_equal(b, c)
    assert np.abs(b - d).max() > 0.01


def test_without_random_state_the_global_seed_decides() -> None:
    x, y = diabetes()
    x, y = minmax_scale(x), y
    pynn.utils.set_random_seed(5)
    estimator = KerasRegressor(lambda: network(10, 1, None), optimizer="adam", epochs=5).fit(x, y)
    by_hand = train_by_hand(5, lambda: network(10, 1, None), x, y, loss="mse")
    assert_same_weights(estimator.model_, by_hand)
