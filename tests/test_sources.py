"""Training, evaluating and predicting on sources that hand out batches.

A reference in NumPy trains the same small network on the same batches.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pynn
from fixed import Array, fill, rows
from pynn import layers
from small_models import F64

Batch = tuple[Array, Array]


def _model(**kwargs: Any) -> Any:
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2, **F64)])
    fill(model)
    model.compile(pynn.optimizers.SGD(0.1), "mse", **kwargs)
    return model


def _batches(n: int, size: int = 3, first: int = 0) -> list[Batch]:
    return [(rows(size, 3, i), rows(size, 2, i + 1)) for i in range(first, first + n)]


def _reference(epochs: list[list[Any]]) -> tuple[list[float], list[Array]]:
    """Losses of epochs of batches (x, y) or (x, y, weight), and the weights at the end."""
    k, b = fill(pynn.Sequential([pynn.Input((3,)), layers.Dense(2, **F64)]))
    losses = []
    for batches in epochs:
        total, count = 0.0, 0
        for x, y, *rest in batches:
            w = rest[0] if rest else np.ones(len(x))
            error = x @ k + b - y
            total += float(((error**2).mean(axis=1) * w).sum())
            count += len(x)
            slope = error * w[:, None] * 2 / error.size
            k, b = k - 0.1 * x.T @ slope, b - 0.1 * slope.sum(axis=0)
        losses.append(total / count)
    return losses, [k, b]


def _agrees(model: Any, history: Any, epochs: list[list[Any]]) -> None:
    losses, weights = _reference(epochs)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-10)
    for ours, theirs in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


class Numbered(pynn.utils.PyDataset):
    """Batches by number; remembers what it was told and asked."""

    def __init__(self, n: int, weights: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.all = _batches(n)
        self.weights, self.ends = weights, 0
        self.asked: list[int] = []
        self.lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, index: int) -> Any:
        with self.lock:
            self.asked.append(index)
        return (*self.all[index], np.arange(3.0)) if self.weights else self.all[index]

    def on_epoch_end(self) -> None:
        self.ends += 1


# ---- fit -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["generator", "list iterator", "iterable", "map"])
def test_one_pass(kind: str) -> None:
    class Loader:
        def __iter__(self) -> Iterator[Batch]:
            return iter(_batches(4))

    source = {
        "generator": (batch for batch in _batches(4)),
        "list iterator": iter(_batches(4)),
        "iterable": Loader(),
        "map": map(tuple, [list(batch) for batch in _batches(4)]),
    }[kind]
    model = _model()
    _agrees(model, model.fit(source, verbose=0), [_batches(4)])


def test_an_iterable_begins_anew_in_each_epoch_and_a_generator_does_not() -> None:
    class Loader:
        def __iter__(self) -> Iterator[Batch]:
            return iter(_batches(4))

    model = _model()
    _agrees(model, model.fit(Loader(), epochs=3, verbose=0), [_batches(4)] * 3)
    model = _model()
    with pytest.warns(UserWarning, match="ran out before the epoch was over"):
        history = model.fit(iter(_batches(4)), epochs=2, verbose=0)
    assert history.history["loss"][0] == pytest.approx(_reference([_batches(4)])[0][0])


def test_steps_of_an_endless_generator() -> None:
    def endless() -> Iterator[Batch]:
        i = 0
        while True:
            yield _batches(1, first=i % 7)[0]
            i += 1

    model = _model()
    source = endless()
    history = model.fit(source, epochs=2, steps_per_epoch=3, verbose=0)
    _agrees(model, history, [_batches(3), _batches(3, first=3)])
    np.testing.assert_array_equal(next(source)[0], _batches(1, first=6)[0][0])  # none was lost
    model = _model()
    with pytest.warns(UserWarning, match="steps_per_epoch"):
        history = model.fit(iter(_batches(4)), epochs=2, steps_per_epoch=3, verbose=0)
    _agrees(model, history, [_batches(3), _batches(1, first=3)])


@pytest.mark.parametrize("workers", [1, 3])
def test_a_dataset_in_order_and_shuffled(workers: int) -> None:
    model, source = _model(), Numbered(4, workers=workers)
    _agrees(model, model.fit(source, epochs=2, shuffle=False, verbose=0), [_batches(4)] * 2)
    assert source.ends == 2
    model, source = _model(), Numbered(8)
    pynn.utils.set_random_seed(5)
    history = model.fit(source, epochs=2, verbose=0)  # shuffle=True is the default
    orders = source.asked[-16:][:8], source.asked[-8:]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(8))
    assert orders[0] != orders[1]
    assert orders[0] != list(range(8))
    _agrees(model, history, [[source.all[i] for i in order] for order in orders])


def test_weights_and_metrics_of_batches() -> None:
    model = _model(metrics=["mae"], weighted_metrics=["mse"])
    source = [(x, y, np.arange(3.0)) for x, y in _batches(3)]
    start = [model.get_weights()[0] * 1, model.get_weights()[1] * 1]
    model.optimizer.learning_rate = 0.0
    history = model.fit(iter(source), verbose=0).history
    errors = np.vstack([x @ start[0] + start[1] - y for x, y, _ in source])
    w = np.tile(np.arange(3.0), 3)
    assert history["loss"] == [pytest.approx(((errors**2).mean(axis=1) * w).mean())]
    assert history["mae"] == [pytest.approx(np.abs(errors).mean())]
    assert history["mse"] == [pytest.approx(((errors**2).mean(axis=1) * w).sum() / w.sum())]
    model = _model()
    source_2 = Numbered(3, weights=True)
    _agrees(model, model.fit(source_2, shuffle=False, verbose=0), [source])


def test_batches_of_different_sizes_count_by_rows() -> None:
    batches = [(rows(3, 3), rows(3, 2)), (rows(7, 3, 1), rows(7, 2, 2)), (rows(1, 3), rows(1, 2))]
    model = _model()
    _agrees(model, model.fit(iter(batches), verbose=0), [batches])
    model = _model()
    errors = np.vstack(
        [x @ model.get_weights()[0] + model.get_weights()[1] - y for x, y in batches]
    )
    assert model.evaluate(iter(batches), verbose=0) == pytest.approx((errors**2).mean())


def test_class_weights_of_batches() -> None:
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2, activation="softmax", **F64)])
    k, b = fill(model)
    model.compile(pynn.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    batches = [(rows(4, 3, i), np.array([0, 1, 1, 0])) for i in range(3)]

    class Dataset(pynn.utils.PyDataset):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> Any:
            return batches[index]

    total = 0.0
    for x, y in batches:
        z = np.exp(x @ k + b)
        each = -np.log((z / z.sum(axis=1, keepdims=True))[np.arange(4), y])
        total += (each * np.where(y == 1, 3.0, 0.5)).sum()
    for source in (iter(batches), Dataset()):
        history = model.fit(source, class_weight={0: 0.5, 1: 3.0}, verbose=0).history
        assert history["loss"] == [pytest.approx(total / 12)]


def test_several_inputs_and_outputs_from_sources() -> None:
    a, b = pynn.Input((3,), name="a"), pynn.Input((3,), name="b")
    o, p = layers.Dense(1, name="o", **F64), layers.Dense(1, name="p", **F64)
    model = pynn.Model({"a": a, "b": b}, {"o": o(layers.Add(**F64)([a, b])), "p": p(a)})
    fill(model)
    model.compile(pynn.optimizers.SGD(0.0), {"o": "mse", "p": "mae"}, metrics={"o": ["mae"]})
    (ko, bo), (kp, bp) = o.get_weights(), p.get_weights()
    batches: list[Any] = [
        ({"a": rows(3, 3, i), "b": rows(3, 3, i + 1)}, {"o": rows(3, 1), "p": rows(3, 1, 2)})
        for i in range(3)
    ]
    errors_o, errors_p = (
        np.vstack([(x["a"] + x["b"]) @ ko + bo - y["o"] for x, y in batches]),
        np.vstack([x["a"] @ kp + bp - y["p"] for x, y in batches]),
    )
    expected = {
        "loss": (errors_o**2).mean() + np.abs(errors_p).mean(),
        "o_loss": (errors_o**2).mean(),
        "o_mae": np.abs(errors_o).mean(),
        "p_loss": np.abs(errors_p).mean(),
    }
    for logs in (
        model.evaluate(iter(batches), verbose=0, return_dict=True),
        {key: v[0] for key, v in model.fit(iter(batches), verbose=0).history.items()},
    ):
        assert logs == pytest.approx(expected)
    found = model.predict(iter(batches), verbose=0)
    np.testing.assert_allclose(found["p"], errors_p + np.vstack([y["p"] for _, y in batches]))
    by_list = pynn.Model([a, b], layers.Subtract(**F64)([a, b]))
    for kind in (list, tuple):
        pairs = ((kind([rows(3, 3, i), rows(3, 3)]),) for i in range(2))
        expected_pair = np.vstack([rows(3, 3, i) - rows(3, 3) for i in range(2)])
        np.testing.assert_allclose(by_list.predict(pairs, verbose=0), expected_pair)


# ---- validation, evaluate, predict -----------------------------------------------------------


def _mse_of(model: Any, batches: list[Batch]) -> float:
    k, b = model.get_weights()
    return float((np.vstack([x @ k + b - y for x, y in batches]) ** 2).mean())


def test_validation_from_sources() -> None:
    model = _model()
    seen: list[float] = []
    look = pynn.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(_mse_of(model, _batches(2, first=4)))
    )
    data = Numbered(2)
    data.all = _batches(2, first=4)
    x, y = rows(9, 3), rows(9, 2)
    history = model.fit(x, y, epochs=3, validation_data=data, callbacks=[look], verbose=0).history
    np.testing.assert_allclose(history["val_loss"], seen)
    data.all = _batches(5, first=4)
    seen.clear()
    history = model.fit(
        x, y, epochs=2, validation_data=data, validation_steps=2, callbacks=[look], verbose=0
    ).history
    np.testing.assert_allclose(history["val_loss"], seen)
    model.fit(Numbered(2), validation_data=(x, y), verbose=0)
    assert model.history.history["val_loss"] == [pytest.approx(_mse_of(model, [(x, y)]))]


@pytest.mark.parametrize(
    ("length", "steps", "keras"),  # val_loss in Keras 3.15
    [
        (50, 2, [1.495009183883667, 1.4930310249328613, 1.4910848140716553]),
        (2, None, [1.495009183883667, 1.4930310249328613, 1.4910848140716553]),
        (1, 2, [1.7005666494369507, 1.694559931755066, 1.6886533498764038]),
    ],
)
def test_a_generator_for_validation_has_the_same_batches_in_every_epoch(
    length: int, steps: int | None, keras: list[float]
) -> None:
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(20, 3)), generator.normal(size=(20, 2))
    drawn: list[int] = []

    def rows_one_by_one() -> Iterator[Batch]:
        for i in range(length):
            drawn.append(i)
            yield x[i : i + 1], y[i : i + 1]

    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2, **F64)])
    model.set_weights([np.arange(6.0).reshape(3, 2) / 5, np.array([0.1, -0.2])])
    model.compile(pynn.optimizers.SGD(0.01), "mse")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(
            x,
            y,
            epochs=3,
            validation_data=rows_one_by_one(),
            validation_steps=steps,
            verbose=0,
        ).history
    np.testing.assert_allclose(history["val_loss"], keras, rtol=1e-6)
    assert drawn == list(range(min(length, steps or length)))
    assert any("ran out" in str(warning.message) for warning in caught) == (length == 1)


def test_evaluate_and_predict() -> None:
    model = _model(metrics=["mae"])
    k, b = model.get_weights()
    b += 1 / 3  # no output's terms cancel to what only rounding has left of them
    model.set_weights([k, b])
    errors = np.vstack([x @ k + b - y for x, y in _batches(4)])
    expected = [(errors**2).mean(), np.abs(errors).mean()]
    for source in (Numbered(4), iter(_batches(4))):
        np.testing.assert_allclose(model.evaluate(source, verbose=0), expected)
    found = model.evaluate(Numbered(4), steps=2, verbose=0)
    np.testing.assert_allclose(found, [(errors[:6] ** 2).mean(), np.abs(errors[:6]).mean()])
    outputs = np.vstack([x @ k + b for x, _ in _batches(4)])
    only_x = (x for x, _ in _batches(4))
    for given in (Numbered(4), iter(_batches(4)), only_x):
        np.testing.assert_allclose(model.predict(given, verbose=0), outputs)
    np.testing.assert_allclose(model.predict(Numbered(4), steps=1, verbose=0), outputs[:3])


def test_a_model_without_an_input_is_built_by_the_first_batch() -> None:
    model = pynn.Sequential([layers.Dense(2, **F64)])
    model.compile("sgd", "mse")
    assert len(model.fit(iter(_batches(2)), verbose=0).history["loss"]) == 1
    assert model.input_shape == (None, 3)
    model = pynn.Sequential([layers.Dense(2, **F64)])
    assert model.predict(iter(_batches(2)), verbose=0).shape == (6, 2)


# ---- what is refused, and what happens to errors ---------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": rows(3, 2)}, "`y` is for arrays"),
        ({"batch_size": 3}, "`batch_size` is for arrays"),
        ({"sample_weight": np.ones(3)}, "`sample_weight` is for arrays"),
        ({"validation_split": 0.2}, "`validation_split` is for arrays"),
    ],
)
def test_arguments_for_arrays_only(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _model().fit(iter(_batches(2)), verbose=0, **arguments)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (iter(()), "at least one batch"),
        (iter([(1, 2, 3, 4)]), "tuple of length 4"),
        (iter([(rows(3, 4), rows(3, 2))]), r"samples of shape \(3,\)"),
        (iter([(rows(3, 3), rows(3, 5))]), r"`y` must have the shape \(n, 2\)"),
        (iter([(rows(3, 3), rows(4, 2))]), "same number of rows"),
        (iter([(rows(3, 3),)]), "y"),
    ],
)
def test_batches_that_do_not_fit(source: Any, message: str) -> None:
    model = _model()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.fit(source, verbose=0)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_source_reaches_the_user(workers: int) -> None:
    class Broken(Numbered):
        def __getitem__(self, index: int) -> Any:
            if index == 2:
                raise KeyError("no such file")
            return super().__getitem__(index)

    model = _model()
    with pytest.raises(KeyError, match="no such file"):
        model.fit(Broken(4, workers=workers), shuffle=False, verbose=0)
    assert model.predict(rows(2, 3), verbose=0).shape == (2, 2)
    assert len(model.fit(Numbered(2), verbose=0).history["loss"]) == 1


def test_empty_sources() -> None:
    with pytest.raises(ValueError, match="at least one batch"):
        _model().evaluate(iter(()), verbose=0)
    with pytest.raises(ValueError, match="at least one batch"):
        _model().predict(iter(()), verbose=0)
