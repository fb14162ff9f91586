"""Pictures of models: what is connected to what, and files that hold a picture."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import pynn as keras


@pytest.fixture(autouse=True)
def fresh() -> None:
    keras.backend.clear_session()


def graph(model: Any, **options: Any) -> tuple[dict[int, list[str]], set[tuple[int, int]]]:
    """The lines of each box, and the arrows."""
    source = keras.utils.model_to_dot(model, **options).to_string()
    boxes = {
        int(number): label.split("\\n")
        for number, label in re.findall(r'^  (\d+) \[label="(.*)"\];$', source, re.MULTILINE)
    }
    arrows = {(int(a), int(b)) for a, b in re.findall(r"^  (\d+) -> (\d+);$", source, re.MULTILINE)}
    return boxes, arrows


def chain() -> Any:
    return keras.Sequential([
        keras.Input((4,)),
        keras.layers.Dense(3, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(1),
    ])  # fmt: skip


def branches() -> Any:
    wide, deep = keras.Input((5,), name="wide"), keras.Input((6,), name="deep")
    shared = keras.layers.Dense(6, name="shared")
    hidden = shared(shared(deep))
    joined = keras.layers.concatenate([wide, hidden])
    inner = keras.Sequential([keras.Input((11,)), keras.layers.Dense(2, name="in_the_model")])
    return keras.Model([wide, deep], inner(joined))


def named(boxes: dict[int, list[str]], arrows: set[tuple[int, int]]) -> set[tuple[str, str]]:
    names = {number: lines[0].split()[0] for number, lines in boxes.items()}
    return {(names[a], names[b]) for a, b in arrows}


def test_sequential() -> None:
    boxes, arrows = graph(chain(), show_shapes=True, show_layer_activations=True)
    assert boxes == {
        0: ["dense (Dense)", "activation: relu", "input: (None, 4), output: (None, 3)"],
        1: ["dropout (Dropout)", "input: (None, 3), output: (None, 3)"],
        2: ["dense_1 (Dense)", "activation: linear", "input: (None, 3), output: (None, 1)"],
    }
    assert arrows == {(0, 1), (1, 2)}


def test_options() -> None:
    model = chain()
    model.layers[0].trainable = False
    boxes, _ = graph(model, show_layer_names=False, show_dtype=True, show_trainable=True)
    assert boxes[0] == ["Dense", "dtype: float32", "not trainable"]
    assert boxes[1] == ["Dropout", "dtype: float32"]
    assert boxes[2][-1] == "trainable"
    source = keras.utils.model_to_dot(model, rankdir="LR", dpi=70, subgraph=True).source
    assert source.startswith("subgraph cluster_sequential {")
    assert "rankdir=LR, dpi=70" in source


def test_functional() -> None:
    """A layer that is called twice is one box; nested models are one, or their layers."""
    assert named(*graph(branches())) == {
        ("deep", "shared"), ("shared", "shared"), ("wide", "concatenate"),
        ("shared", "concatenate"), ("concatenate", "sequential"),
    }  # fmt: skip
    keras.backend.clear_session()
    model = branches()
    assert named(*graph(model, expand_nested=True)) == {
        ("deep", "shared"), ("shared", "shared"), ("wide", "concatenate"),
        ("shared", "concatenate"), ("concatenate", "in_the_model"),
    }  # fmt: skip
    assert 'label="sequential"' in keras.utils.model_to_dot(model, expand_nested=True).source


def test_subclassed() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="own")
            self.dense = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    model = Own()
    with pytest.raises(ValueError, match="must be built"):
        keras.utils.plot_model(model)
    model.build((None, 3))
    assert graph(model)[0] == {0: ["own (Own)"]}


@pytest.mark.parametrize("make", [chain, branches])
@pytest.mark.parametrize("rankdir", ["TB", "LR", "BT", "RL"])
def test_files(make: Any, rankdir: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(shutil, "which", lambda program: None)
    path = tmp_path / "model.png"
    keras.utils.plot_model(
        make(), path, show_shapes=True, show_layer_names=True, expand_nested=True, dpi=50,
        rankdir=rankdir,
    )  # fmt: skip
    assert path.read_bytes().startswith(b"\x89PNG")
    keras.utils.plot_model(make(), tmp_path / "model.svg", dpi=50)
    assert "<svg" in (tmp_path / "model.svg").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz(tmp_path: Path) -> None:
    path = tmp_path / "model.png"
    keras.utils.plot_model(branches(), path, show_shapes=True, expand_nested=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_wrong_direction() -> None:
    with pytest.raises(ValueError, match=r"`rankdir` must be one of .* Received: rankdir='up'"):
        keras.utils.plot_model(chain(), rankdir="up")
