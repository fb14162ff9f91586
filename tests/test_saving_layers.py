"""Every kind of layer goes to real Keras in a file and comes back from it."""

from __future__ import annotations

import inspect
import json
from typing import Any

import numpy as np
import pytest

import pynn
import saved_layers
from pynn import layers
from real_keras import KERAS, REASON, run_keras
from saved_layers import CASES, ENDINGS

WITHOUT = {
    "Layer": "the base class of all",
    "RReLU": "Keras has no such layer",
    "Wrapper": "the base class of TimeDistributed",
}


def kinds(layer: layers.Layer) -> set[type]:
    """The classes of a layer and of all layers inside it."""
    inner = [*getattr(layer, "layers", ()), getattr(layer, "layer", None)]
    found = [kinds(one) for one in inner if one is not None]
    return {type(layer)}.union(*found)


def test_every_kind_of_layer_is_in_a_file() -> None:
    saved = set().union(*(kinds(make(pynn)) for make in CASES.values()))
    public = {
        cls
        for name in layers.__all__
        if inspect.isclass(cls := getattr(layers, name)) and issubclass(cls, layers.Layer)
    }
    assert {cls.__name__ for cls in public - saved} == set(WITHOUT)


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A folder with the files of both, what pynn computed, what Keras computed and read."""
    if not KERAS:
        pytest.skip(REASON)
    folder = tmp_path_factory.mktemp("files")
    ours = saved_layers.write(pynn, folder / "pynn")
    run_keras(saved_layers.__file__, folder, folder=folder)
    theirs = json.loads((folder / "keras.json").read_text())
    return {"folder": folder, "ours": ours, "theirs": theirs["written"], "read": theirs["read"]}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", CASES)
def test_keras_opens_our_files(name: str, ending: str, exchange: dict[str, Any]) -> None:
    found = exchange["read"][f"{name}.{ending}"]
    assert "error" not in found, found["error"]
    compare(found, exchange["ours"][name])


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", CASES)
def test_we_open_files_of_keras(name: str, ending: str, exchange: dict[str, Any]) -> None:
    found = saved_layers.read(pynn, exchange["folder"] / "keras", name, ending)
    compare(found, exchange["theirs"][name])


def compare(found: dict[str, Any], written: dict[str, Any]) -> None:
    """The outputs of an opened model, and its layers' configurations beside new ones."""
    assert found["output"].keys() == written.keys()
    for name, y in written.items():
        np.testing.assert_allclose(found["output"][name], y, rtol=1e-6, atol=1e-6, err_msg=name)
    if "configs" in found:
        opened, made = (json.loads(text, parse_float=np.float32) for text in found["configs"])
        assert plain(opened) == plain(made)


def plain(config: Any) -> Any:
    """A configuration without None; Keras makes a list of a single axis when a layer is built."""
    if isinstance(config, dict):
        return {key: plain(value) for key, value in config.items() if value is not None}
    if isinstance(config, list):
        return plain(config[0]) if len(config) == 1 else [plain(value) for value in config]
    return config


@pytest.mark.parametrize("name", ["vectors", "sequences"])
@pytest.mark.parametrize("maker", ["keras", "pynn"])
def test_noise_acts_in_training(maker: str, name: str, exchange: dict[str, Any]) -> None:
    """Keras writes ``training=False`` into the calls of its graph, which fit does not heed."""
    path = exchange["folder"] / maker / f"{name}.keras"
    model = pynn.models.load_model(path, custom_objects=saved_layers.OWN, safe_mode=False)
    (x,) = saved_layers.rows(model)
    still, moved = model(x), model(x, training=True)
    for output in (key for key in still if key.endswith("/acts")):
        assert not np.array_equal(still[output], moved[output]), output


def test_lambdas_of_keras_are_refused_unless_asked_for(exchange: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not loaded unless you ask"):
        pynn.models.load_model(exchange["folder"] / "keras" / "vectors.keras")
