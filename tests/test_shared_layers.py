"""One layer in several places of a Sequential model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import layers

KERNEL, BIAS = np.arange(9.0).reshape(3, 3) / 10, np.full(3, 0.1)
LAST = np.arange(6.0).reshape(3, 2) / 5
X = np.arange(6.0).reshape(2, 3) / 6
NAMES = ["d", "t", "d", "t", "o"]


def _model() -> Any:
    pynn.backend.clear_session()
    dense, tanh = layers.Dense(3, name="d"), layers.Activation("tanh", name="t")
    model = pynn.Sequential([pynn.Input((3,)), dense, tanh, dense, tanh])
    model.add(layers.Dense(2, name="o"))
    model.set_weights([KERNEL, BIAS, LAST, np.zeros(2)])
    return model


def _predicts_the_same(model: Any) -> None:
    expected = np.tanh(np.tanh(X @ KERNEL + BIAS) @ KERNEL + BIAS) @ LAST
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-6)
    assert [layer.name for layer in model.layers] == NAMES
    assert model.layers[0] is model.layers[2]


def test_the_places_share_their_weights() -> None:
    model = _model()
    _predicts_the_same(model)
    assert len(model.weights) == 4
    assert model.count_params() == 20
    model.compile(pynn.optimizers.SGD(0.01), "mse")
    history = model.fit(X, X[:, :2], epochs=3, shuffle=False, verbose=0).history
    keras = [0.5142365097999573, 0.4637312889099121, 0.41731828451156616]  # Keras 3.15 on JAX
    np.testing.assert_allclose(history["loss"], keras, rtol=1e-6)
    kernel = [[-0.0017919, 0.09384111, 0.19139446]]
    np.testing.assert_allclose(model.layers[0].get_weights()[0][:1], kernel, rtol=1e-5)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_files_and_copies_keep_the_sharing(name: str, tmp_path: Path) -> None:
    model = _model()
    model.save(tmp_path / name)
    _predicts_the_same(pynn.models.load_model(tmp_path / name))
    copy = pynn.models.clone_model(model)
    copy.set_weights(model.get_weights())
    _predicts_the_same(copy)
    model.save_weights(tmp_path / "m.weights.h5")
    copy.set_weights([0 * w for w in model.get_weights()])
    copy.load_weights(tmp_path / "m.weights.h5")
    _predicts_the_same(copy)
    fresh = pynn.Sequential.from_config(model.get_config())
    assert [layer.name for layer in fresh.layers] == NAMES


def test_equal_layers_without_names_stay_two() -> None:
    entry = {"class_name": "Dense", "config": {"units": 3}}
    model = pynn.Sequential.from_config({"layers": [entry, entry], "build_input_shape": (None, 3)})
    assert len(model.weights) == 4


def test_normalization_that_stands_twice_is_not_folded() -> None:
    dense, norm = layers.Dense(3), layers.BatchNormalization()
    model = pynn.Sequential([pynn.Input((3,)), dense, norm, dense, norm])
    norm.set_weights([np.array([1.0, 2, 3]), np.ones(3), np.ones(3), np.array([4.0, 1, 2])])
    fused = model.fuse()
    assert len(fused.layers) == 4
    np.testing.assert_allclose(fused.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


def test_popped_and_refused() -> None:
    dense = layers.Dense(3, name="d")
    model = pynn.Sequential([pynn.Input((3,)), dense, dense])
    assert model.pop() is dense
    assert model.layers == [dense]
    with pytest.raises(ValueError, match="expected 4 input features"):
        pynn.Sequential([pynn.Input((4,)), layer := layers.Dense(3), layer])
    with pytest.raises(ValueError, match="different names"):  # two layers of one name
        pynn.Sequential([layers.Dense(3, name="a"), layers.Dense(3, name="a")])
