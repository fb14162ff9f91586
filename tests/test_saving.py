"""Models to files and back: the same outputs, and the same training from there on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import layers, optimizers, saving
from saved_models import every_layer, functions, randomize, two_ends

ENDINGS = ["keras", "h5"]


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


@pytest.mark.parametrize("ending", ENDINGS)
def test_functions_and_operators_keep_their_arguments(ending: str, tmp_path: Path) -> None:
    model = functions()
    x = list(np.random.default_rng(0).normal(size=(2, 7, 4)).astype("float32"))
    model.save(tmp_path / f"m.{ending}")
    loaded = pynn.models.load_model(tmp_path / f"m.{ending}")
    for mine, its in zip(model.predict(x, verbose=0), loaded.predict(x, verbose=0), strict=True):
        np.testing.assert_array_equal(mine, its)


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


@pytest.mark.parametrize("make", [every_layer, two_ends, functions])
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
