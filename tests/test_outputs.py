"""Several inputs and outputs: losses, weights, metrics, orders and keys.

Numbers named KERAS are those of Keras 3.15 (jax backend) for the same weights and rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pynn
from fixed import Array, fill, rows
from pynn import layers
from small_models import F64

X, P, Q = rows(6, 3), rows(6, 1), rows(6, 1, 1)


def _two(kind: str = "list") -> Any:
    """Two dense outputs q and p, in this order, as a list or a dictionary."""
    a = pynn.Input((3,), dtype="float64")
    q, p = layers.Dense(1, name="q", **F64)(a), layers.Dense(1, name="p", **F64)(a)
    model = pynn.Model(a, {"q": q, "p": p} if kind == "dict" else [q, p])
    fill(model)
    return model


class Split(pynn.Model):
    """The same outputs by subclassing."""

    def __init__(self, kind: Any) -> None:
        super().__init__(dtype="float64")
        self.kind = kind
        self.q, self.p = layers.Dense(1, **F64), layers.Dense(1, **F64)

    def call(self, inputs: Any) -> Any:
        q, p = self.q(inputs), self.p(inputs)
        return {"q": q, "p": p} if self.kind is dict else self.kind([q, p])


def _by_hand(model: Any) -> dict[str, Array]:
    found = {}
    for name in ("q", "p"):
        kernel, bias = (getattr(model, name, None) or model.get_layer(name)).get_weights()
        found[name] = X @ kernel + bias
    return found


def _mse(a: Array, b: Array) -> float:
    return float(((a - b) ** 2).mean())


def _mae(a: Array, b: Array) -> float:
    return float(np.abs(a - b).mean())


# The order of evaluate's list, with the sums that belong to it. Losses come in the order of the
# outputs, or of the dictionary of losses where the outputs are one; metrics sorted by their keys.
ORDERS: list[tuple[str, Any, Any, list[str]]] = [
    ("dict", {"p": "mse", "q": "mae"}, None, ["loss", "p mse", "q mae"]),
    ("dict", {"q": "mae", "p": "mse"}, None, ["loss", "q mae", "p mse"]),
    (
        "dict",
        {"q": "mae", "p": "mse"},
        {"q": ["mse", "mae"], "p": ["mae"]},
        ["loss", "q mae", "p mse", "p mae", "q mae", "q mse"],
    ),
    (
        "dict",
        {"p": "mse", "q": "mae"},
        [["mae"], ["mse"]],
        ["loss", "p mse", "q mae", "p mae", "q mse"],
    ),
    ("list", ["mse", "mae"], None, ["loss", "q mse", "p mae"]),
    ("list", {"p": "mse", "q": "mae"}, None, ["loss", "q mae", "p mse"]),
    (
        "list",
        ["mse", "mae"],
        [["mae"], ["mse", "mae"]],
        ["loss", "q mse", "p mae", "p mae", "p mse", "q mae"],
    ),
    ("list", "mse", ["mae", "mse"], ["loss", "q mse", "p mse", "p mse", "q mae"]),
]


@pytest.mark.parametrize(("kind", "loss", "metrics", "order"), ORDERS)
def test_the_order_of_evaluate(kind: str, loss: Any, metrics: Any, order: list[str]) -> None:
    model = _two(kind)
    model.compile("sgd", loss, metrics=metrics)
    outputs, targets = _by_hand(model), {"p": P, "q": Q}

    def value(what: str) -> float:
        name, function = what.split()
        return {"mse": _mse, "mae": _mae}[function](targets[name], outputs[name])

    losses = [value(what) for what in order[1:3]]
    expected = [sum(losses), *(value(what) for what in order[1:])]
    y: Any = targets if kind == "dict" else [Q, P]
    np.testing.assert_allclose(model.evaluate(X, y, verbose=0), expected, rtol=1e-12)
    logs = model.evaluate(X, y, verbose=0, return_dict=True)
    assert list(logs) == sorted(logs)
    for what, number in zip(order[1:3], expected[1:3], strict=True):
        assert logs[f"{what[0]}_loss"] == pytest.approx(number, rel=1e-12)


def test_keys_of_the_history() -> None:
    model = _two()
    model.compile("sgd", ["mse", "mae"], metrics={"p": ["mae", "mse"], "q": "MSE"})
    history = model.fit(X, [Q, P], verbose=0, validation_data=(X, {"p": P, "q": Q})).history
    own = ["loss", "p_loss", "p_mae", "p_mse", "q_MSE", "q_loss"]
    assert list(history) == [*own, *(f"val_{key}" for key in own)]
    assert all(type(value) is float for values in history.values() for value in values)


def test_keys_of_outputs_without_names() -> None:
    """KERAS: a subclass that returns a list has keys made of the names of losses and metrics."""
    for kind in (list, tuple):
        model = Split(kind)
        model.build((None, 3))
        fill(model)
        out = _by_hand(model)
        model.compile("sgd", ["mse", "mae"], metrics=[["mse"], ["mae"]])
        logs = model.evaluate(X, [Q, P], verbose=0, return_dict=True)
        assert list(logs) == ["loss", "mae", "mae_loss", "mse", "mse_loss"]
        expected = [_mse(Q, out["q"]), _mae(P, out["p"])]
        found = model.evaluate(X, (Q, P), verbose=0)
        np.testing.assert_allclose(found, [sum(expected), *expected, *expected], rtol=1e-12)
        model.compile("sgd", "mse", metrics=[["mae"], ["mae"]])
        logs = model.evaluate(X, [Q, P], verbose=0, return_dict=True)
        assert list(logs) == ["loss", "mae", "mae_1", "mse_loss", "mse_loss_1"]
        assert isinstance(model.predict(X, verbose=0), kind)
    model = Split(dict)
    model.compile("sgd", {"q": "mse", "p": "mae"}, metrics={"p": ["mse"]})
    logs = model.evaluate(X, {"q": Q, "p": P}, verbose=0, return_dict=True)
    assert list(logs) == ["loss", "p_loss", "p_mse", "q_loss"]


def test_weights_of_losses_by_list_and_by_name() -> None:
    out = _by_hand(_two())
    expected = 0.9 * _mse(Q, out["q"]) + 0.1 * _mae(P, out["p"])
    for weights in ([0.9, 0.1], {"p": 0.1, "q": 0.9}, (0.9, 0.1)):
        model = _two()
        model.compile("sgd", ["mse", "mae"], loss_weights=weights)
        found = model.evaluate(X, [Q, P], verbose=0)
        np.testing.assert_allclose(found, [expected, _mse(Q, out["q"]), _mae(P, out["p"])])
    model = _two()
    model.compile("sgd", ["mse", "mae"], loss_weights={"p": 0.5})  # the other one counts once
    found = model.evaluate(X, [Q, P], verbose=0)
    assert found[0] == pytest.approx(_mse(Q, out["q"]) + 0.5 * _mae(P, out["p"]))


def test_training_follows_the_weighted_sum() -> None:
    """One step of gradient descent on 0.9 mse(q) + 0.1 mse(p), with weights of the rows."""
    model = _two()
    kq, bq, kp, bp = model.get_weights()
    out = _by_hand(model)
    model.compile(pynn.optimizers.SGD(0.5), "mse", loss_weights=[0.9, 0.1])
    w = {"q": np.arange(6.0), "p": np.arange(6.0)[::-1] + 1}
    model.fit(X, {"p": P, "q": Q}, sample_weight=w, batch_size=6, verbose=0)
    expected = []
    for name, y, kernel, bias, part in (("q", Q, kq, bq, 0.9), ("p", P, kp, bp, 0.1)):
        slope = part * 2 * (out[name] - y) * w[name][:, None] / 6
        expected += [kernel - 0.5 * X.T @ slope, bias - 0.5 * slope.sum(axis=0)]
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("form", ["one", "list", "dict"])
def test_sample_weights_of_outputs(form: str) -> None:
    model = _two()
    model.compile("sgd", ["mse", "mse"], metrics=[["mae"], []], weighted_metrics=[["mae"], []])
    w = {"q": np.arange(6.0), "p": np.arange(6.0) if form == "one" else np.ones(6)}
    given: Any = {"one": w["q"], "list": [w["q"], w["p"]], "dict": w}[form]
    out = _by_hand(model)
    found = model.evaluate(X, [Q, P], sample_weight=given, verbose=0, return_dict=True)
    for name, y in (("q", Q), ("p", P)):
        expected = float((w[name] * ((out[name] - y) ** 2)[:, 0]).mean())
        assert found[f"{name}_loss"] == pytest.approx(expected)
    errors = np.abs(out["q"] - Q)[:, 0]
    assert found["q_mae"] == pytest.approx(errors.mean())
    assert found["q_weighted_mae" if "q_weighted_mae" in found else "weighted_q_mae"] == (
        pytest.approx((errors * w["q"]).sum() / w["q"].sum())
    )


def test_one_class_weight_per_output() -> None:
    a = pynn.Input((3,), dtype="float64")
    c = layers.Dense(2, activation="softmax", name="c", **F64)(a)
    model = pynn.Model(a, {"c": c, "r": layers.Dense(1, name="r", **F64)(a)})
    fill(model)
    k, b, kr, br = model.get_weights()
    labels = np.arange(6) % 2
    class_weight: Any = {"c": {0: 1.0, 1: 3.0}}
    model.compile(pynn.optimizers.SGD(0.0), {"c": "sparse_categorical_crossentropy", "r": "mse"})
    history = model.fit(
        X, {"c": labels, "r": P}, class_weight=class_weight, batch_size=6, verbose=0
    ).history
    z = np.exp(X @ k + b)
    each = -np.log((z / z.sum(axis=1, keepdims=True))[np.arange(6), labels])
    assert history["c_loss"][0] == pytest.approx((each * np.where(labels, 3.0, 1.0)).mean())
    assert history["r_loss"][0] == pytest.approx(_mse(P, X @ kr + br))
    with pytest.raises(ValueError, match="needs the name of an output"):
        model.fit(X, {"c": labels, "r": P}, class_weight={0: 1.0}, verbose=0)


def test_outputs_without_a_loss() -> None:
    out = _by_hand(_two())
    for loss, y in (
        (["mse", None], [Q, None]),
        ({"q": "mse"}, {"q": Q}),
        ({"q": "mse"}, {"q": Q, "p": P}),
    ):
        model = _two()
        model.compile("sgd", loss)
        assert model.evaluate(X, y, verbose=0) == pytest.approx(_mse(Q, out["q"]))
        before = model.get_weights()
        model.fit(X, y, verbose=0)
        np.testing.assert_array_equal(model.get_weights()[2], before[2])  # p is not trained
    model.compile("sgd", {"q": "mse"}, metrics={"p": "mae"})
    logs = model.evaluate(X, {"q": Q, "p": P}, verbose=0, return_dict=True)
    assert list(logs) == ["loss", "p_mae"]


def test_wide_and_deep_with_an_auxiliary_output() -> None:
    """KERAS's numbers for two epochs; the auxiliary output is a classifier."""
    a, b = pynn.Input((3,), name="in1"), pynn.Input((2,), name="in2")
    hidden = layers.Dense(4, activation="relu", name="h")(a)
    main = layers.Dense(1, name="main")(layers.concatenate([hidden, b]))
    aux = layers.Dense(3, activation="softmax", name="aux")(hidden)
    model = pynn.Model({"in1": a, "in2": b}, {"main": main, "aux": aux})
    fill(model)
    model.compile(
        "sgd",
        {"main": "mse", "aux": "sparse_categorical_crossentropy"},
        loss_weights={"main": 1.0, "aux": 0.3},
        metrics={"main": ["mae", "mse"], "aux": ["accuracy"]},
    )
    x = {"in1": rows(10, 3), "in2": rows(10, 2, 1)}
    y = {"main": rows(10, 1, 2), "aux": np.arange(10) % 3}
    history = model.fit(
        x, y, epochs=2, batch_size=4, shuffle=False, verbose=0, validation_data=(x, y)
    ).history
    keras = {
        "aux_accuracy": [0.2, 0.2],
        "aux_loss": [1.12778, 1.12755],
        "loss": [1.385, 1.30155],
        "main_loss": [1.04667, 0.96329],
        "main_mae": [0.91828, 0.87851],
        "main_mse": [1.04667, 0.96329],
        "val_aux_accuracy": [0.2, 0.2],
        "val_aux_loss": [1.12745, 1.12665],
        "val_loss": [1.32044, 1.24405],
        "val_main_loss": [0.9822, 0.90605],
        "val_main_mae": [0.88544, 0.84773],
        "val_main_mse": [0.9822, 0.90605],
    }
    assert list(history) == list(keras)
    for key, values in keras.items():
        np.testing.assert_allclose(history[key], values, atol=1.1e-5)
    found = model.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(
        found, [1.24405, 0.90605, 1.12665, 0.2, 0.84773, 0.90605], atol=1.1e-5
    )


def test_the_last_rows_of_several_inputs_are_kept_for_validation() -> None:
    a, b = pynn.Input((3,), name="a"), pynn.Input((3,), name="b")
    model = pynn.Model({"a": a, "b": b}, layers.Dense(1, **F64)(layers.Add(**F64)([a, b])))
    k, bias = fill(model)
    model.compile(pynn.optimizers.SGD(0.0), "mse")
    x, y = {"b": rows(10, 3, 1), "a": rows(10, 3)}, rows(10, 1, 2)
    w = np.arange(10.0)
    history = model.fit(x, y, sample_weight=w, validation_split=0.3, verbose=0).history
    errors = (((x["a"] + x["b"]) @ k + bias - y) ** 2)[:, 0] * w
    assert history["val_loss"] == [pytest.approx(errors[7:].mean())]
    assert history["loss"] == [pytest.approx(errors[:7].mean())]


def test_sorted_targets_of_one_output_are_noticed() -> None:
    model = _two()
    model.compile("sgd", "mse")
    x, up = rows(20, 3), np.arange(20.0)
    with pytest.warns(UserWarning, match="looks sorted"):
        model.fit(x, [up[:, None], rows(20, 1)], validation_split=0.2, verbose=0)


@pytest.mark.parametrize(
    ("arguments", "y", "message"),
    [
        ({"loss": {"p": "mse", "zz": "mae"}}, [Q, P], r"`loss` must be outputs: \['q', 'p'\]"),
        ({"loss": ["mse"] * 3}, [Q, P], "one entry for each of the 2 outputs.*3 entries"),
        ({"loss": "mse", "metrics": {"zz": "mae"}}, [Q, P], r"Received: metrics with .*zz"),
        ({"loss": "mse", "metrics": ["mae"]}, [Q, P], "one entry for each of the 2"),
        ({"loss": "mse", "loss_weights": 0.5}, [Q, P], "must be a list or a dictionary"),
        ({"loss": "mse", "loss_weights": [1.0]}, [Q, P], "loss_weights.*1 entries"),
        ({"loss": "mse", "loss_weights": {"zz": 1}}, [Q, P], "loss_weights"),
        ({"loss": "mse", "loss_weights": ["a", 1]}, [Q, P], "must consist of numbers"),
        ({"loss": "mse"}, [Q], "list of length 1"),
        ({"loss": "mse"}, Q, "for each of the 2 outputs"),
        ({"loss": "mse"}, {"q": Q, "zz": P}, "zz"),
        ({"loss": "mse"}, {"q": Q}, "p"),
        ({"loss": "mse"}, [Q, P[:4]], "same number of rows"),
        ({"loss": "mse"}, [Q, rows(6, 2)], r"y\['p'\]"),
        ({"loss": "mse"}, None, "y"),
    ],
)
def test_wrong_things_are_named(arguments: dict[str, Any], y: Any, message: str) -> None:
    model = _two()
    before = model.get_weights()

    def use() -> None:
        model.compile("sgd", **arguments)
        model.fit(X, y, verbose=0)

    with pytest.raises(ValueError, match=message):
        use()
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
