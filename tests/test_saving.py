"""Models to files and back: the same outputs, the same training from there on, Keras's layout."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import pynn
from pynn import layers, optimizers, saving

ENDINGS = ["keras", "h5"]


def every_layer() -> pynn.Sequential:
    """Layers with weights, with arguments, with random numbers, and a model among them."""
    inner = pynn.Sequential([pynn.Input((6,)), layers.Dense(5), layers.PReLU()], name="inner")
    return pynn.Sequential(
        [
            pynn.Input((2, 3)),
            layers.Flatten(),
            layers.Rescaling(0.5, offset=0.25),
            layers.Dense(6, "relu", kernel_regularizer="l2", kernel_initializer="he_normal"),
            layers.BatchNormalization(momentum=0.9),
            layers.Dropout(0.5),
            layers.GaussianNoise(0.1),
            inner,
            layers.Dense(6, activation=layers.LeakyReLU(negative_slope=0.25), use_bias=False),
            layers.ELU(0.5),
            layers.ReLU(6.0, 0.125, 0.25),
            layers.Reshape((2, 3)),
            layers.Dense(4, "gelu", name="on_rows"),
            layers.Flatten(),
            layers.Dense(3),
            layers.Softmax(),
        ],
        name="every",
    )


def two_ends() -> Any:
    """Two inputs, a shared layer, a model in the middle, two outputs by name."""
    a, b = pynn.Input((4,), name="a"), pynn.Input((4,), name="b")
    shared = layers.Dense(5, name="shared")
    x, y = shared(a), shared(b)
    z = pynn.Input((5,))
    inner = pynn.Model(z, layers.Dense(5, "relu")(layers.Dense(5)(z)), name="inner")
    p = layers.Dense(2, name="p_layer")(inner(layers.Dense(5)(x)))
    return pynn.Model([a, b], {"p": p, "q": layers.Dense(1)(inner(y))}, name="ends")


def randomize(model: Any) -> Any:
    generator = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(generator.uniform(0.1, 1.0, weight.shape))
    return model


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_loaded_model_computes_the_same(ending: str, tmp_path: Path) -> None:
    model = randomize(every_layer())
    x = np.random.default_rng(0).normal(size=(7, 2, 3)).astype("float32")
    model.save(tmp_path / f"m.{ending}")
    loaded = pynn.models.load_model(tmp_path / f"m.{ending}")
    assert type(loaded) is pynn.Sequential
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    assert loaded.name == "every"
    assert loaded.get_config() == model.get_config()
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("ending", ENDINGS)
def test_functional_models_keep_their_graph(ending: str, tmp_path: Path) -> None:
    model = randomize(two_ends())
    x = list(np.random.default_rng(0).normal(size=(2, 7, 4)).astype("float32"))
    model.save(tmp_path / f"m.{ending}")
    loaded = pynn.models.load_model(tmp_path / f"m.{ending}")
    assert len(loaded.weights) == len(model.weights)
    expected, found = model.predict(x, verbose=0), loaded.predict(x, verbose=0)
    assert set(found) == {"p", "q"}
    for name in found:
        np.testing.assert_array_equal(found[name], expected[name])


RULES: dict[str, Any] = {
    "plain": lambda: optimizers.SGD(0.01),
    "momentum": lambda: optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "RMSprop": lambda: optimizers.RMSprop(momentum=0.5, centered=True),
    "Adam": lambda: optimizers.Adam(amsgrad=True, clipnorm=1.0),
    "schedule": lambda: optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)),
    "Nadam": optimizers.Nadam,
    "AdamW": optimizers.AdamW,
    "Adamax": optimizers.Adamax,
    "Adagrad": optimizers.Adagrad,
    "Adadelta": optimizers.Adadelta,
    "Lion": optimizers.Lion,
    "mean of weights": lambda: optimizers.Adam(use_ema=True),
    "sums of gradients": lambda: optimizers.Adam(gradient_accumulation_steps=2),
}


@pytest.mark.parametrize("ending", [*ENDINGS, "weights.h5"])
@pytest.mark.parametrize("rule", RULES)
def test_training_goes_on_exactly(rule: str, ending: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(24, 4)), generator.normal(size=(24, 1))

    def build() -> Any:
        stack = [layers.Dense(3, "tanh"), layers.BatchNormalization(), layers.Dense(1)]
        return pynn.Sequential([pynn.Input((4,)), *stack])

    model = randomize(build())
    model.compile(RULES[rule](), "mse", metrics=["mae"])
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    path = tmp_path / f"m.{ending}"
    if ending == "weights.h5":
        model.save_weights(path)
        twin = build()
        twin.compile(RULES[rule](), "mse", metrics=["mae"])
        twin.load_weights(path)
    else:
        model.save(path)
        twin = pynn.models.load_model(path)
    histories = [
        each.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
        for each in (model, twin)
    ]
    assert histories[0] == histories[1]
    for mine, its in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_what_compile_was_given_comes_back(tmp_path: Path) -> None:
    model = two_ends()
    model.compile(
        optimizers.SGD(0.25, momentum=0.5),
        {"p": "mse", "q": pynn.losses.Huber(0.5)},
        loss_weights={"p": 1.0, "q": 0.5},
        metrics={"p": ["mae"]},
    )
    model.save(tmp_path / "m.keras")
    loaded = pynn.models.load_model(tmp_path / "m.keras")
    assert loaded.compiled
    assert loaded.get_compile_config() == model.get_compile_config()
    assert not pynn.models.load_model(tmp_path / "m.keras", compile=False).compiled
    model.save(tmp_path / "m.keras", include_optimizer=False)
    assert not pynn.models.load_model(tmp_path / "m.keras").compiled


# ---- the layout of Keras 3, as facts ---------------------------------------------------------


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

KERAS = os.environ.get("PYNN_KERAS_PYTHON")  # an interpreter that has Keras 3


@pytest.mark.skipif(not KERAS, reason="PYNN_KERAS_PYTHON names no interpreter with Keras 3")
@pytest.mark.parametrize("ending", ENDINGS)
def test_keras_opens_our_files_and_we_what_it_makes_of_them(ending: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    models = {"every": randomize(every_layer()), "ends": randomize(two_ends())}
    inputs = {
        "every": generator.normal(size=(5, 2, 3)).astype("float32"),
        "ends": list(generator.normal(size=(2, 5, 4)).astype("float32")),
    }
    for name, model in models.items():
        model.compile("adam", "mse")
        model.save(tmp_path / f"{name}.{ending}")
        np.savez(tmp_path / f"{name}.npz", *np.atleast_3d(inputs[name]))
    script = f"""
        import keras, numpy as np
        for name, several in (("every", False), ("ends", True)):
            model = keras.models.load_model(f"{{name}}.{ending}")
            with np.load(f"{{name}}.npz") as file:
                x = [file[key] for key in file]
            x = [a.reshape(5, 4) for a in x] if several else np.stack(x)
            y = model.predict(x, verbose=0)
            np.savez(f"{{name}}_y.npz", **(y if several else dict(y=y)))
            model.save(f"back_{{name}}.{ending}")
    """
    environment = {**os.environ, "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "numpy")}
    environment.pop("PYTHONPATH", None)
    subprocess.run(
        [str(KERAS), "-c", textwrap.dedent(script)],
        cwd=tmp_path,
        env=environment,
        check=True,
        stdout=sys.stderr,
    )
    for name, model in models.items():
        mine = model.predict(inputs[name], verbose=0)
        back = pynn.models.load_model(tmp_path / f"back_{name}.{ending}")
        again = back.predict(inputs[name], verbose=0)
        with np.load(tmp_path / f"{name}_y.npz") as theirs:
            for key in theirs:
                wanted = mine if key == "y" else mine[key]
                np.testing.assert_allclose(theirs[key], wanted, rtol=1e-6, atol=1e-6)
                got = again if key == "y" else again[key]
                np.testing.assert_array_equal(got, wanted)


# ---- weights alone, copies, JSON -------------------------------------------------------------


def test_weights_files_and_mismatches(tmp_path: Path) -> None:
    def net(units: int) -> Any:
        return pynn.Sequential([pynn.Input((3,)), layers.Dense(units), layers.Dense(2, name="top")])

    model, path = randomize(net(4)), tmp_path / "m.weights.h5"
    model.save_weights(path)
    twin = net(4)
    twin.load_weights(path)
    for mine, its in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
    other = net(5)
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"dense.*\(3, 5\).*\(3, 4\)"):
        other.load_weights(path)
    for mine, its in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
    with pytest.warns(UserWarning, match="left as they are"):
        other.load_weights(path, skip_mismatch=True)
    with pytest.raises(ValueError, match=r"\.weights\.h5"):
        model.save_weights(tmp_path / "m.h5")
    with pytest.raises(ValueError, match="by name"):
        model.load_weights(path, by_name=True)
    with pytest.raises(ValueError, match="once they are made"):
        pynn.Sequential([layers.Dense(2)]).save(tmp_path / "m.keras")


def test_weights_from_whole_models_by_order_and_by_name(tmp_path: Path) -> None:
    model = randomize(pynn.Sequential([pynn.Input((3,)), layers.Dense(4, name="x")]))
    model.save(tmp_path / "m.h5")
    model.save(tmp_path / "m.keras")
    for name in ("m.h5", "m.keras"):
        twin = pynn.Sequential([pynn.Input((3,)), layers.Dense(4)])
        twin.load_weights(tmp_path / name)
        np.testing.assert_array_equal(twin.get_weights()[0], model.get_weights()[0])
    bigger = pynn.Sequential(
        [pynn.Input((3,)), layers.Dense(4, name="x"), layers.Dense(2, name="y")]
    )
    kept = bigger.layers[1].get_weights()
    bigger.load_weights(tmp_path / "m.h5", by_name=True)
    np.testing.assert_array_equal(bigger.get_weights()[0], model.get_weights()[0])
    np.testing.assert_array_equal(bigger.layers[1].get_weights()[0], kept[0])


@pytest.mark.parametrize("make", [every_layer, two_ends])
def test_copies_have_new_weights_and_the_same_configuration(make: Any) -> None:
    model = randomize(make())
    for copy in (
        pynn.models.clone_model(model),
        pynn.models.model_from_json(model.to_json()),
        type(model).from_config(model.get_config()),
    ):
        assert copy.to_json() == model.to_json()
        assert copy is not model
        assert not {id(v) for v in copy.weights} & {id(v) for v in model.weights}
        copy.set_weights(model.get_weights())


def test_clone_function_is_asked_for_every_layer() -> None:
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(4), layers.Dropout(0.5)])

    def without_dropout(layer: Any) -> Any:
        if isinstance(layer, layers.Dropout):
            return layers.Identity(name=layer.name)
        return layer.from_config(layer.get_config())

    copy = pynn.models.clone_model(model, clone_function=without_dropout)
    assert [type(layer).__name__ for layer in copy.layers] == ["Dense", "Identity"]
    assert copy.built


def test_layers_from_a_file_do_not_clash_with_new_ones(tmp_path: Path) -> None:
    saved = pynn.Sequential([pynn.Input((3,)), layers.Dense(4, name="dense")])
    saved.save(tmp_path / "m.keras")
    pynn.utils.clear_session()  # as in a new process
    base = saving.load_model(tmp_path / "m.keras")
    model = pynn.Sequential([*base.layers, layers.Dense(1)])
    assert len({layer.name for layer in model.layers}) == 2
