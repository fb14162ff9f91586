"""The layout of our files is Keras's: as facts, and in the eyes of Keras itself."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import pynn
from pynn import layers
from pynn._graph.structure import flatten
from real_keras import needs_keras, run_keras
from saved_models import every_layer, functions, randomize, two_ends

ENDINGS = ["keras", "h5"]


def tree(file: h5py.File) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("pynn_probe"):
            found[name] = item.shape

    file.visititems(visit)
    return found


def test_the_layout_of_keras_files(tmp_path: Path) -> None:
    model = pynn.Sequential(
        [
            pynn.Input((4,)),
            layers.Dense(3, name="first"),
            layers.BatchNormalization(),
            pynn.Sequential([pynn.Input((3,)), layers.Dense(2, use_bias=False)]),
            layers.Dense(1, name="last"),
        ],
        name="net",
    )
    model.compile("adam", "mse")
    model.fit(np.ones((4, 4)), np.ones((4, 1)), verbose=0)
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        config = json.loads(archive.read("config.json"))
        metadata = json.loads(archive.read("metadata.json"))
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            shapes = tree(file)
            assert file["layers/dense/vars"].attrs["name"] == "first"
            assert file["optimizer/vars/0"][()] == 1
    assert metadata["keras_version"].startswith("3.")
    assert config["module"] == "keras"
    assert config["class_name"] == "Sequential"
    dense = config["config"]["layers"][1]
    assert (dense["module"], dense["class_name"]) == ("keras.layers", "Dense")
    assert dense["registered_name"] is None
    assert dense["build_config"] == {"input_shape": [None, 4]}
    assert dense["config"]["kernel_initializer"]["class_name"] == "GlorotUniform"
    slots = [(4, 3), (3,), (3,), (3,), (3, 2), (2, 1), (1,)]
    assert shapes == {
        "layers/dense/vars/0": (4, 3),
        "layers/dense/vars/1": (3,),
        "layers/batch_normalization/vars/0": (3,),
        "layers/batch_normalization/vars/1": (3,),
        "layers/batch_normalization/vars/2": (3,),
        "layers/batch_normalization/vars/3": (3,),
        "layers/sequential/layers/dense/vars/0": (3, 2),
        "layers/dense_1/vars/0": (2, 1),
        "layers/dense_1/vars/1": (1,),
        "optimizer/vars/0": (),
        "optimizer/vars/1": (),
        **{f"optimizer/vars/{2 + 2 * i}": shape for i, shape in enumerate(slots)},
        **{f"optimizer/vars/{3 + 2 * i}": shape for i, shape in enumerate(slots)},
    }


def test_the_layout_of_legacy_files(tmp_path: Path) -> None:
    model = pynn.Sequential([pynn.Input((4,)), layers.Dense(3, name="d"), layers.Dropout(0.5)])
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        assert json.loads(file.attrs["model_config"])["class_name"] == "Sequential"
        training = json.loads(file.attrs["training_config"])
        assert training["loss"] == "mean_squared_error"
        assert training["optimizer_config"]["class_name"] == "SGD"
        group = file["model_weights"]
        names = [name.decode() for name in group.attrs["layer_names"]]
        assert names == [layer.name for layer in model.layers]
        arrays = [name.decode() for name in group["d"].attrs["weight_names"]]
        assert [group["d"][name].shape for name in arrays] == [(4, 3), (3,)]


def test_the_graph_of_a_functional_model_in_keras_s_form() -> None:
    config = two_ends().get_config()
    assert config["input_layers"] == [["a", 0, 0], ["b", 0, 0]]
    assert config["output_layers"]["p"] == ["p_layer", 0, 0]
    entries = {entry["name"]: entry for entry in config["layers"]}
    calls = entries["shared"]["inbound_nodes"]
    sources = [call["args"][0]["config"]["keras_history"] for call in calls]
    assert sources == [["a", 0, 0], ["b", 0, 0]]
    assert entries["inner"]["class_name"] == "Functional"
    assert entries["inner"]["registered_name"] == "Functional"


# ---- real Keras ------------------------------------------------------------------------------

# Opens each model, writes what it computes for x_0, x_1, ..., and saves it again.
SCRIPT = """
import sys
import keras
import numpy as np

for path in sys.argv[1:]:
    model = keras.models.load_model(path)
    with np.load(path + ".npz") as file:
        x = [file[key] for key in sorted(file)]
    y = model.predict(x if len(x) > 1 else x[0], verbose=0)
    np.savez(path + "_y.npz", *keras.tree.flatten(y))
    model.save("back_" + path)
"""


@needs_keras
@pytest.mark.parametrize("ending", ENDINGS)
def test_keras_opens_our_files_and_we_what_it_makes_of_them(ending: str, tmp_path: Path) -> None:
    pairs = list(np.random.default_rng(2).normal(size=(2, 5, 4)).astype("float32"))
    samples = np.random.default_rng(3).normal(size=(5, 2, 3)).astype("float32")
    cases: dict[str, tuple[Any, list[Any]]] = {
        f"every.{ending}": (randomize(every_layer()), [samples]),
        f"ends.{ending}": (randomize(two_ends()), pairs),
        f"functions.{ending}": (functions(), pairs),
    }
    for name, (model, x) in cases.items():
        model.compile("adam", "mse")
        model.save(tmp_path / name)
        np.savez(tmp_path / f"{name}.npz", *x)
    run_keras("-c", SCRIPT, *cases, folder=tmp_path)
    for name, (model, x) in cases.items():
        back = pynn.models.load_model(tmp_path / f"back_{name}")
        rows = x if len(x) > 1 else x[0]
        mine, again = (flatten(each.predict(rows, verbose=0)) for each in (model, back))
        with np.load(tmp_path / f"{name}_y.npz") as file:
            theirs = [file[f"arr_{i}"] for i in range(len(file))]
        for wanted, from_keras, from_back in zip(mine, theirs, again, strict=True):
            np.testing.assert_allclose(from_keras, wanted, rtol=1e-6, atol=1e-6)
            np.testing.assert_array_equal(from_back, wanted)
