"""What fit does with the data it is given: types, shapes, validation, wrong arguments."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import layers
from small_models import F64, assert_weights, classes, classifier


@pytest.fixture(autouse=True)
def seeded() -> None:
    pynn.utils.set_random_seed(12)


def test_validation() -> None:
    x, y = classes()
    split, given = classifier(metrics=["accuracy"]), classifier(metrics=["accuracy"])
    given.set_weights(split.get_weights())
    a = split.fit(x, y, validation_split=0.25, shuffle=False, epochs=2, verbose=0)
    b = given.fit(
        x[:150], y[:150], validation_data=(x[150:], y[150:]), shuffle=False, epochs=2, verbose=0
    )
    assert a.history == b.history
    assert list(a.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    p = split(x[150:])
    assert a.history["val_accuracy"][-1] == pytest.approx(np.mean(p.argmax(1) == y[150:]))
    own = -np.log(p[np.arange(50), y[150:]]).mean()
    assert a.history["val_loss"][-1] == pytest.approx(own, rel=1e-10)


def test_class_weights_do_not_weigh_the_validation_split() -> None:
    x, y = classes()
    model = classifier()
    log = model.fit(
        x, y, validation_split=0.25, class_weight={0: 5.0, 1: 0.5, 2: 7.0}, verbose=0
    ).history
    p = model(x[150:])
    own = -np.log(p[np.arange(50), y[150:]]).mean()
    assert log["val_loss"][-1] == pytest.approx(own, rel=1e-10)


def test_validation_options() -> None:
    x, y = classes()
    model = classifier()
    fit = {"epochs": 4, "verbose": 0, "validation_data": (x, y)}
    history = model.fit(x, y, validation_freq=2, **fit)  # type: ignore[arg-type]
    assert len(history.history["val_loss"]) == 2
    history = model.fit(x, y, validation_freq=[1, 2, 4], **fit)  # type: ignore[arg-type]
    assert len(history.history["val_loss"]) == 3
    weight = np.linspace(0, 2, 200)
    history = model.fit(
        x, y, verbose=0, validation_data=(x, y, weight), validation_steps=2,
        validation_batch_size=10,
    )  # fmt: skip
    p = model(x[:20])[np.arange(20), y[:20]]
    expected = np.mean(-np.log(p) * weight[:20])
    assert history.history["val_loss"][0] == pytest.approx(expected, rel=1e-10)


def test_sorted_targets_are_noticed() -> None:
    x, y = classes()
    order = np.argsort(y, kind="stable")
    with pytest.warns(pynn.models.SortedTargetsWarning, match="looks sorted"):
        classifier().fit(x[order], y[order], validation_split=0.2, verbose=0)
    classifier().fit(x, y, validation_split=0.2, verbose=0)  # warnings are errors here


def test_steps_per_epoch_goes_on_where_it_stopped() -> None:
    x, y = classes(96)
    model, reference = classifier(), classifier()
    reference.set_weights(model.get_weights())
    history = model.fit(x, y, steps_per_epoch=1, epochs=6, shuffle=False, verbose=0)
    reference.fit(x, y, epochs=2, shuffle=False, verbose=0)
    assert len(history.history["loss"]) == 6
    assert_weights(model, reference.get_weights(), rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "activation", "units", "target"),
    [
        ("binary_crossentropy", "sigmoid", 1, "column"),
        ("binary_crossentropy", "sigmoid", 1, "flat"),
        ("mse", None, 1, "flat"),
        ("categorical_crossentropy", "softmax", 3, "one-hot"),
        ("sparse_categorical_crossentropy", "softmax", 3, "labels"),
        ("sparse_categorical_crossentropy", "softmax", 3, "label column"),
    ],
)
def test_accuracy_by_shape(loss: str, activation: str | None, units: int, target: str) -> None:
    x, labels = classes()
    y: Any = {
        "column": (labels > 0)[:, None],
        "flat": (labels > 0).astype(float),
        "one-hot": pynn.utils.to_categorical(labels),
        "labels": labels,
        "label column": labels[:, None].astype(np.uint8),
    }[target]
    model = pynn.Sequential([pynn.Input((5,)), layers.Dense(units, activation=activation)])
    model.compile("sgd", loss, metrics=["accuracy"])
    _, accuracy = model.evaluate(x, y, verbose=0)
    p = model(x)
    if units == 3:
        expected = np.mean(p.argmax(1) == labels)
    else:
        expected = np.mean((p[:, 0] > 0.5) == (labels > 0))
    assert accuracy == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["uint8", "int64", "float16", "float32", "float64"])
def test_training_on_any_type(kind: str) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 50, size=(100, 5)), rng.integers(0, 3, 100)
    model = classifier()
    start = model.get_weights()
    model.fit(x.astype(np.float64), y, shuffle=False, verbose=0)
    expected = model.get_weights()
    views = [
        x.astype(kind),
        np.asfortranarray(x.astype(kind)),
        np.repeat(x.astype(kind), 3, axis=1)[:, ::3],
    ]
    for view in views:
        model.set_weights(start)
        model.fit(view, y.astype("int32"), shuffle=False, verbose=0)
        for a, b in zip(model.get_weights(), expected, strict=True):
            assert np.array_equal(a, b)
    model.set_weights(start)
    model.fit(x.tolist(), y.tolist(), shuffle=False, verbose=0)
    assert np.array_equal(model.get_weights()[0], expected[0])


def test_memory_map(tmp_path: Path) -> None:
    x, y = classes()
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    model = classifier()
    start = model.get_weights()
    model.fit(x, y, shuffle=False, verbose=0)
    expected = model.get_weights()
    model.set_weights(start)
    model.fit(mapped, y, shuffle=False, verbose=0)
    assert np.array_equal(model.get_weights()[0], expected[0])


def test_nothing_is_trained_when_arguments_are_wrong() -> None:
    x, y = classes()
    model = classifier(optimizer="adam")
    model.fit(x, y, verbose=0)
    before, steps = model.get_weights(), model.optimizer.iterations
    broken = x.copy()
    broken[150, 2] = np.nan
    for arguments in (
        {"x": x[:, :4], "y": y},
        {"x": x, "y": y[:-1]},
        {"x": x, "y": y + 1},
        {"x": broken, "y": y},
        {"x": x, "y": y, "batch_size": 0},
        {"x": x, "y": y, "sample_weight": np.ones(3)},
        {"x": x, "y": y, "validation_data": (x, y + 7)},
        {"x": x, "y": y, "validation_split": 1.0},
    ):
        with pytest.raises(ValueError, match="Received"):
            model.fit(verbose=0, **arguments)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert model.optimizer.iterations == steps


def test_outputs_with_more_axes() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4, 5))
    labels = rng.integers(0, 3, size=(60, 4))
    model = pynn.Sequential([pynn.Input((4, 5)), layers.Dense(3, activation="softmax", **F64)])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    loss, accuracy = model.evaluate(x, labels, verbose=0)
    p = model(x)
    picked = np.take_along_axis(p, labels[..., None], axis=-1)
    assert loss == pytest.approx(-np.log(picked).mean(), rel=1e-10)
    assert accuracy == pytest.approx(np.mean(p.argmax(-1) == labels))
    model.fit(x, labels, verbose=0)


def test_warnings_are_quiet_in_ordinary_use() -> None:
    x, y = classes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier().fit(x.astype(np.float32), y, epochs=2, verbose=0)


def test_no_epochs() -> None:
    x, y = classes()
    model = classifier()
    before = model.get_weights()
    assert model.fit(x, y, epochs=0, verbose=0).history == {}
    assert_weights(model, before, rtol=0)


def test_class_weight_that_makes_no_sense_changes_nothing() -> None:
    x, y = classes()
    model = classifier()
    before = model.get_weights()
    with pytest.raises(ValueError, match="class_weight"):
        model.fit(x, y, class_weight={0: 1.0, 1: np.nan}, verbose=0)
    assert_weights(model, before, rtol=0)


def test_memory_maps_are_not_searched_for_nan(tmp_path: Path) -> None:
    x, y = classes()
    mapped = np.memmap(tmp_path / "x", "f4", "w+", shape=x.shape)
    mapped[:] = x
    mapped[-1] = np.nan
    with pytest.warns(pynn.DivergenceWarning):
        classifier().fit(mapped, y, verbose=0)


@pytest.mark.parametrize("batch_size", [201, 2**40, 2**63 - 1])
def test_a_batch_larger_than_the_data_is_the_data(batch_size: int) -> None:
    x, y = classes()
    one, other = classifier(), classifier()
    other.set_weights(one.get_weights())
    one.fit(x, y, batch_size=len(x), shuffle=False, verbose=0)
    other.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0)
    assert_weights(other, one.get_weights(), rtol=0)
