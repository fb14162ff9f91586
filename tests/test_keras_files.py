"""Files written by Keras 1, 2 and 3 are read without Keras and compute the same."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn

# Real files of other people; PYNN_HOME says where they are (see CONTRIBUTING).
FILES = Path(os.environ.get("PYNN_HOME", "")) / "keras-models"
needs_files = pytest.mark.skipif(
    not (FILES / "reference_io.npz").is_file(), reason="PYNN_HOME has no keras-models"
)


def expected(name: str) -> tuple[Any, Any]:
    """Inputs, and the outputs computed by the Keras that wrote the file."""
    with np.load(FILES / "reference_io.npz") as arrays:
        return arrays[f"{name}__x"], arrays[f"{name}__y"]


@needs_files
@pytest.mark.parametrize(
    "name",
    [
        "k1.2.1_acasxu-like_KerasTestNetwork.h5",
        "k2.11.0_functional_model_test.h5",
        "k2.15.0_sklearn-digits_ann_model.h5",
        "k3.10.0_dropout_mnist_model.keras",
        "k3.10.0_iris_ann_model.h5",
    ],
)
def test_models_of_all_generations_compute_the_same(name: str) -> None:
    x, y = expected(name)
    model = pynn.models.load_model(FILES / name, compile=False)
    np.testing.assert_allclose(model.predict(x, verbose=0), y, rtol=1e-5, atol=1e-6)


@needs_files
def test_weights_of_keras_2_2_load_into_the_same_layers() -> None:
    name = "k2.2.2_weights-only_mnist_mlp.h5"
    x, y = expected(name)
    dense, dropout = pynn.layers.Dense, pynn.layers.Dropout
    model = pynn.Sequential(
        [
            pynn.Input((784,)),
            dense(512, "relu", name="dense_4"),
            dropout(0.2, name="dropout_3"),
            dense(512, "relu", name="dense_5"),
            dropout(0.2, name="dropout_4"),
            dense(10, "softmax", name="dense_6"),
        ]
    )
    for by_name in (False, True):
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        model.load_weights(FILES / name, by_name=by_name)
        np.testing.assert_allclose(model.predict(x, verbose=0), y, rtol=1e-5, atol=1e-6)


@needs_files
@pytest.mark.parametrize(
    ("name", "steps", "loss"),
    [
        ("k2.15.0_sklearn-digits_ann_model.h5", 450, "categorical_crossentropy"),
        ("k3.10.0_dropout_mnist_model.keras", 15000, "sparse_categorical_crossentropy"),
        ("k3.10.0_iris_ann_model.h5", 1200, "categorical_crossentropy"),
    ],
)
def test_training_goes_on_where_keras_stopped(name: str, steps: int, loss: str) -> None:
    model = pynn.models.load_model(FILES / name)
    assert isinstance(model.optimizer, pynn.optimizers.Adam)
    assert model.loss == loss
    assert int(model.optimizer.iterations) == steps
    x, y = expected(name)
    target = y.argmax(axis=1) if loss.startswith("sparse") else y
    model.fit(x, target, epochs=1, verbose=0)
    assert int(model.optimizer.iterations) == steps + 1
    # Adam's first step of a new state would be a full learning rate for every weight.
    assert "accuracy" in model.history.history


TRAINED = Path(__file__).resolve().parent / "keras_training"  # written by its make.py
RULES = sorted(path.name for path in TRAINED.iterdir() if path.suffix in (".keras", ".h5"))


@pytest.mark.parametrize("name", RULES)
def test_training_goes_on_as_it_would_have_in_keras(name: str) -> None:
    model = pynn.models.load_model(TRAINED / name)
    with np.load(TRAINED / "weights.npz") as file:
        model.fit(file["x"], file["y"], batch_size=8, epochs=1, shuffle=False, verbose=0)
        for i, weight in enumerate(model.get_weights()):
            np.testing.assert_allclose(weight, file[f"{name}/{i}"], rtol=1e-5, atol=1e-6)


@needs_files
def test_an_unknown_loss_leaves_the_model_uncompiled_and_says_how_to_go_on() -> None:
    name = "k1.2.1_acasxu-like_KerasTestNetwork.h5"
    with pytest.warns(UserWarning, match=r"asymMSE.*|custom_objects") as caught:
        model = pynn.models.load_model(FILES / name)
    assert any("asymMSE" in str(warning.message) for warning in caught)
    assert not model.compiled

    def asym_mse(y_true: Any, y_pred: Any) -> Any:
        return pynn.ops.mean(pynn.ops.square(y_true - y_pred), axis=-1)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = pynn.models.load_model(FILES / name, custom_objects={"asymMSE": asym_mse})
    assert model.compiled
    assert isinstance(model.optimizer, pynn.optimizers.Adamax)


def test_words_of_keras_1() -> None:
    config = {
        "class_name": "Sequential",
        "config": [
            {
                "class_name": "Dense",
                "config": {
                    "name": "first",
                    "output_dim": 5,
                    "init": "uniform",
                    "bias": False,
                    "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.5},
                    "W_constraint": {"name": "MaxNorm", "m": 2, "axis": 0},
                    "b_constraint": None,
                    "input_dtype": "float32",
                    "input_dim": 3,
                    "batch_input_shape": [None, 3],
                    "activation": "relu",
                },
            },
            {"class_name": "Dropout", "config": {"name": "drop", "p": 0.25, "trainable": True}},
            {"class_name": "GaussianNoise", "config": {"name": "noise", "sigma": 0.5}},
            {
                "class_name": "BatchNormalization",
                "config": {"name": "norm", "mode": 0, "axis": -1, "gamma_init": "one"},
            },
        ],
        "keras_version": "1.2.2",
    }
    model = pynn.models.model_from_json(json.dumps(config))
    first, drop, noise, norm = model.layers
    assert first.units == 5
    assert not first.use_bias
    assert first.kernel.shape == (3, 5)
    assert first.kernel_regularizer.l2 == 0.5
    assert first.kernel_constraint.max_value == 2
    assert isinstance(first.kernel_initializer, pynn.initializers.RandomUniform)
    assert (drop.rate, noise.stddev) == (0.25, 0.5)
    assert isinstance(norm.gamma_initializer, pynn.initializers.Ones)


def test_words_of_keras_2() -> None:
    config = {
        "class_name": "Sequential",
        "config": {
            "name": "net",
            "layers": [
                {
                    "class_name": "Dense",
                    "config": {
                        "name": "dense",
                        "batch_input_shape": [None, 4],
                        "dtype": {"class_name": "Policy", "config": {"name": "float32"}},
                        "units": 3,
                        "activation": "linear",
                        "kernel_initializer": {
                            "class_name": "VarianceScaling",
                            "config": {
                                "scale": 2.0,
                                "mode": "fan_in",
                                "distribution": "normal",
                                "seed": None,
                                "dtype": "float32",
                            },
                        },
                        "kernel_regularizer": {
                            "class_name": "L1L2",
                            "config": {"l1": 0.0, "l2": 0.009999999776482582},
                        },
                    },
                },
                {
                    "class_name": "BatchNormalization",
                    "config": {"name": "norm", "axis": [1], "fused": None, "momentum": 0.9},
                },
                {"class_name": "LeakyReLU", "config": {"name": "leaky", "alpha": 0.125}},
            ],
        },
        "keras_version": "2.4.0",
        "backend": "tensorflow",
    }
    model = pynn.models.model_from_json(json.dumps(config))
    dense, norm, leaky = model.layers
    assert model.name == "net"
    assert dense.kernel.shape == (4, 3)
    assert dense.kernel_initializer.scale == 2.0
    assert dense.kernel_regularizer.l2 == pytest.approx(0.01)
    assert norm.momentum == 0.9
    assert leaky.negative_slope == 0.125


def test_graphs_of_keras_2() -> None:
    """Lists of [layer, call, output, arguments]; calls of an inner model are counted from 1."""

    def dense(name: str, *calls: Any) -> dict[str, Any]:
        config = {"name": name, "units": 3, "activation": "linear", "dtype": "float32"}
        return {"class_name": "Dense", "config": config, "name": name, "inbound_nodes": calls}

    def entry(name: str) -> dict[str, Any]:
        config = {"name": name, "batch_input_shape": [None, 3], "dtype": "float32", "sparse": False}
        return {"class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": []}

    inner = {
        "name": "inner",
        "layers": [entry("z"), dense("in_dense", [["z", 0, 0, {}]])],
        "input_layers": [["z", 0, 0]],
        "output_layers": [["in_dense", 0, 0]],
    }
    calls = [[["first", 0, 0, {}]], [["b", 0, 0, {}]]]
    joined = [["inner", 1, 0, {}], ["inner", 2, 0, {}]]
    join = {"name": "join", "axis": -1, "trainable": True, "dtype": "float32"}
    model_config = {
        "name": "outer",
        "layers": [
            entry("a"),
            entry("b"),
            dense("first", [["a", 0, 0, {}]]),
            {"class_name": "Model", "config": inner, "name": "inner", "inbound_nodes": calls},
            {
                "class_name": "Concatenate",
                "config": join,
                "name": "join",
                "inbound_nodes": [joined],
            },
        ],
        "input_layers": [["a", 0, 0], ["b", 0, 0]],
        "output_layers": [["join", 0, 0], ["inner", 1, 0]],
    }
    text = json.dumps({"class_name": "Model", "config": model_config, "keras_version": "2.2.4"})
    model = pynn.models.model_from_json(text)
    x = list(np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32"))
    both, one = model.predict(x, verbose=0)
    weights = {v.path: v.numpy() for v in model.weights}
    first = x[0] @ weights["first/kernel"]
    expected = [part @ weights["in_dense/kernel"] for part in (first, x[1])]
    np.testing.assert_allclose(both, np.concatenate(expected, axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(one, expected[0], rtol=1e-4, atol=1e-5)
