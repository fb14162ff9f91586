"""Classes and functions of one's own in files; objects as plain data."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import layers, saving
from pynn._graph.structure import map_structure
from saved_models import two_ends


@pytest.fixture(autouse=True)
def unregistered() -> Any:
    """Names registered in a test are gone after it."""
    before = dict(saving.get_custom_objects())
    yield
    saving.get_custom_objects().clear()
    saving.get_custom_objects().update(before)


class Scaled(layers.Layer):
    """A layer with an argument and a weight."""

    def __init__(self, factor: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        self.shift = self.add_weight((input_shape[-1],), "ones", name="shift")

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor + self.shift

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


class TwoLayers(pynn.Model):
    """A model of one's own class with layers as attributes and in a list."""

    def __init__(self, units: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.hidden = layers.Dense(units)
        self.blocks = [layers.Dense(2), layers.Dense(2)]
        self.out = layers.Dense(1)

    def call(self, inputs: Any) -> Any:
        x = self.hidden(inputs)
        for block in self.blocks:
            x = block(x)
        return self.out(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def ways(name: str, thing: Any) -> Any:
    """The three ways in which a file's reader may know a class."""
    yield {name: thing}, saving.CustomObjectScope({})
    yield None, saving.CustomObjectScope({name: thing})


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_own_layers_are_found_by_argument_scope_and_decorator(ending: str, tmp_path: Path) -> None:
    model = pynn.Sequential([pynn.Input((3,)), Scaled(2.5, name="mine"), layers.Dense(2)])
    path, x = tmp_path / f"m.{ending}", np.ones((2, 3), "float32")
    model.save(path)
    with pytest.raises(ValueError, match=r"Scaled.*mine"):
        saving.load_model(path)
    for custom_objects, scope in ways("Scaled", Scaled):
        with scope:
            loaded = saving.load_model(path, custom_objects)
        assert loaded.layers[0].factor == 2.5
        np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    saving.register_keras_serializable("pack")(Scaled)
    assert saving.get_registered_name(Scaled) == "pack>Scaled"
    assert saving.get_registered_object("pack>Scaled") is Scaled
    model.save(path)
    assert saving.load_model(path).layers[0].factor == 2.5


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_models_of_one_s_own_class(ending: str, tmp_path: Path) -> None:
    model = TwoLayers(4)
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    model.fit(x, np.ones((6, 1)), verbose=0)
    model.save(tmp_path / f"m.{ending}")
    loaded = saving.load_model(tmp_path / f"m.{ending}", {"TwoLayers": TwoLayers})
    assert loaded.units == 4
    assert loaded.compiled
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    paths = [place for place, _ in saving.weights.walk(model)]
    assert paths == ["", "blocks/dense", "blocks/dense_1", "hidden", "layers/dense_3"]


def test_registered_names_do_not_hide_those_of_pynn() -> None:
    @saving.register_keras_serializable(package="mine")
    class Dense(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    @saving.register_keras_serializable(package="mine")
    def relu(x: Any) -> Any:
        return -x

    assert pynn.activations.get("relu") is not relu
    assert pynn.activations.get("mine>relu") is relu
    model = pynn.Sequential([pynn.Input((2,)), layers.Dense(2, activation="relu"), Dense()])
    first, second = pynn.models.model_from_json(model.to_json()).layers
    assert type(first) is layers.Dense
    assert first.activation.name == "relu"
    assert type(second) is Dense


class Forgetful(layers.Layer):
    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def test_a_file_that_could_not_be_loaded_is_not_written(tmp_path: Path) -> None:
    model = pynn.Sequential([pynn.Input((3,)), Forgetful(2)])
    with pytest.raises(
        NotImplementedError, match=r"or defines get_config.*Forgetful without units"
    ):
        model.save(tmp_path / "m.keras")
    assert not (tmp_path / "m.keras").exists()
    model.save_weights(tmp_path / "m.weights.h5")


def test_registering_needs_get_config() -> None:
    with pytest.raises(ValueError, match="get_config"):
        saving.register_keras_serializable()(type("Bare", (), {}))

    @saving.register_keras_serializable(name="other")
    def function(x: Any) -> Any:
        return x

    assert saving.get_registered_object("Custom>other") is function
    assert saving.get_custom_objects()["Custom>other"] is function
    assert saving.get_registered_object("nothing") is None


OBJECTS: list[Any] = [
    pynn.initializers.VarianceScaling(2.0, "fan_in", "uniform", seed=3),
    pynn.regularizers.L1L2(0.25, 0.5),
    pynn.optimizers.Adam(pynn.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5), clipnorm=1.0),
    pynn.optimizers.schedules.PiecewiseConstantDecay([3, 5], [0.5, 0.25, 0.125]),
    pynn.losses.Huber(0.5),
    pynn.metrics.BinaryAccuracy(threshold=0.25, name="hits"),
    pynn.constraints.MaxNorm(3.0),
    layers.Dense(3, "relu", kernel_regularizer=pynn.regularizers.L2(0.5), name="d"),
]


@pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: type(thing).__name__)
def test_objects_come_back_from_plain_data(thing: Any) -> None:
    entry = saving.serialize_keras_object(thing)
    assert entry["module"].startswith("keras.")
    assert entry["registered_name"] is None
    for described in (entry, {**entry, "module": "keras.src.moved." + entry["module"][6:]}):
        copy = saving.deserialize_keras_object(described)
        assert type(copy) is type(thing)
        assert copy.get_config() == thing.get_config()


def test_names_that_two_kinds_share_are_told_apart_by_the_module() -> None:
    for module, base in (("losses", pynn.losses.Loss), ("metrics", pynn.metrics.Metric)):
        entry = {"module": f"keras.{module}", "class_name": "MeanSquaredError", "config": {}}
        assert isinstance(saving.deserialize_keras_object(entry), base)


def test_plain_values() -> None:
    values = [None, 1, 2.5, "text", [1, [2]], {"a": slice(1, None, 2)}, ...]
    assert saving.deserialize_keras_object(saving.serialize_keras_object(values)) == values
    array = np.arange(6, dtype="int32").reshape(2, 3)
    copy = saving.deserialize_keras_object(saving.serialize_keras_object(array))
    assert copy.dtype == array.dtype
    np.testing.assert_array_equal(copy, array)


def test_arguments_that_pynn_does_not_have() -> None:
    entry = saving.serialize_keras_object(layers.Dense(3, name="d"))
    entry["config"]["quantization_config"] = None  # Keras writes many of these
    assert saving.deserialize_keras_object(entry).units == 3
    entry["config"]["lora_rank"] = 4
    with pytest.raises(ValueError, match=r"'d'.*lora_rank=4"):
        saving.deserialize_keras_object(entry)


@pytest.mark.parametrize("make", [two_ends, TwoLayers])
def test_models_are_copied_and_pickled_with_their_training(make: Any) -> None:
    model = make()
    if isinstance(model, TwoLayers):
        model.build((None, 4))
    model.compile("adam", "mse")
    shapes = [symbol.shape[1:] for symbol in model.inputs]
    arrays = [np.random.default_rng(0).normal(size=(6, *shape)) for shape in shapes]
    x: Any = arrays if len(arrays) > 1 else arrays[0]
    y = map_structure(np.zeros_like, model.predict(x, verbose=0))
    model.fit(x, y, verbose=0)
    twins = [model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for twin in twins:
        pynn.utils.set_random_seed(0)
        twin.fit(x, y, verbose=0, shuffle=False)
    for twin in twins[1:]:
        assert not {id(v) for v in twin.weights} & {id(v) for v in model.weights}
        for mine, its in zip(model.get_weights(), twin.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, its)
