"""Files that are broken, hostile, or of someone else's classes."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import pynn
from pynn import layers, saving


@pytest.fixture
def model() -> Any:
    return pynn.Sequential([pynn.Input((4,)), layers.Dense(3, "relu"), layers.Dense(2)])


@pytest.fixture
def path(model: Any, tmp_path: Path) -> Path:
    where = tmp_path / "m.keras"
    model.save(where)
    return where


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, **changed: bytes) -> None:
    names = {"config": "config.json", "weights": "model.weights.h5", "metadata": "metadata.json"}
    content = members(path) | {names[key]: value for key, value in changed.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def change_config(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    config = json.loads(members(path)["config.json"])
    change(config)
    rewrite(path, config=json.dumps(config).encode())


def change_weights(path: Path, change: Callable[[h5py.File], None]) -> None:
    content = io.BytesIO(members(path)["model.weights.h5"])
    with h5py.File(content, "a") as file:
        change(file)
    rewrite(path, weights=content.getvalue())


# ---- nothing is executed ---------------------------------------------------------------------


@pytest.mark.parametrize("entry", ["os.system", "posix.system", "Dense>system", "eval"])
def test_a_class_is_never_imported(entry: str, path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][1].update(class_name=entry, module="os", registered_name=None)

    change_config(path, change)
    with pytest.raises(ValueError, match="Unknown class"):
        saving.load_model(path)


def test_an_unknown_layer_is_named_with_the_way_on(path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][1].update(class_name="Denze", module="somebody.net")

    change_config(path, change)
    with pytest.raises(ValueError, match=r"(?s)Did you mean 'Dense'.*'Denze'.*'dense.*custom_obj"):
        saving.load_model(path)


def test_an_unknown_class_is_not_answered_with_a_list() -> None:
    with pytest.raises(ValueError, match=r"^Unknown class\. Received: class='Seeded'\. If it is"):
        saving.deserialize_keras_object({"class_name": "Seeded", "config": {}})
    with pytest.raises(ValueError, match=r"^Unknown class"):
        saving.deserialize_keras_object({"class_name": "_Seeded", "config": {}})
    entry = {"module": "keras.layers", "class_name": "LSTM", "config": {"name": "cell"}}
    with pytest.raises(ValueError, match=r"keras\.layers\.LSTM is not in pynn: .* of 'cell'"):
        saving.deserialize_keras_object(entry)


def test_code_in_a_lambda_is_never_run(path: Path) -> None:
    code = {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}}

    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][2] = {
            "module": "keras.layers",
            "class_name": "Lambda",
            "config": {"name": "mine", "function": code},
        }

    change_config(path, change)
    with pytest.raises(ValueError, match=r"'mine'.*safe_mode=False"):
        saving.load_model(path)
    with pytest.raises(ValueError, match="code in a file is never run"):
        saving.load_model(path, safe_mode=False)


def test_a_function_is_found_only_where_it_was_given(path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["config"]["activation"] = {
            "module": "os",
            "class_name": "function",
            "config": "system",
            "registered_name": "system",
        }

    change_config(path, change)
    with pytest.raises(ValueError, match="Unknown function"):
        saving.load_model(path)


# ---- broken files ----------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["keras", "h5", "weights.h5"])
def test_cut_and_changed_files(ending: str, model: Any, tmp_path: Path) -> None:
    path = tmp_path / f"m.{ending}"
    (model.save_weights if ending == "weights.h5" else model.save)(path)
    content = path.read_bytes()
    generator = np.random.default_rng(1)
    before = model.get_weights()
    for trial in range(60):
        damaged = bytearray(content)
        if trial % 2:
            del damaged[int(generator.integers(len(damaged))) :]
        else:
            for place in generator.integers(len(damaged), size=20):
                damaged[place] = generator.integers(256)
        path.write_bytes(damaged)
        try:
            if ending == "weights.h5":
                model.load_weights(path)
                model.set_weights(before)  # the damage was elsewhere
            else:
                saving.load_model(path)
        except (OSError, ValueError):
            for mine, its in zip(before, model.get_weights(), strict=True):
                np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04", b"hello", b"\x89HDF\r\n\x1a\n"])
def test_files_of_no_kind(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes(content)
    with pytest.raises(OSError, match=r"m\.keras"):
        saving.load_model(path)
    with pytest.raises(FileNotFoundError):
        saving.load_model(tmp_path / "absent.keras")
    with pytest.raises(OSError, match="folder"):
        saving.load_model(tmp_path)


@pytest.mark.parametrize(
    "config",
    ["{}", "[]", "null", "[" * 100_000, '{"class_name": "Dense", "config": {"units": 1}}', "\xff"],
)
def test_configurations_that_are_none(config: str, path: Path) -> None:
    rewrite(path, config=config.encode("latin-1"))
    with pytest.raises(ValueError, match=r"m\.keras"):
        saving.load_model(path)


def test_a_layer_too_large_for_its_file(path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["config"]["units"] = 10**9

    change_config(path, change)
    with pytest.raises(ValueError, match="far larger"):
        saving.load_model(path)


def external(file: h5py.File) -> None:
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/hostname", "x")


def soft(file: h5py.File) -> None:
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.SoftLink("/layers/dense_1/vars/0")


def outside(file: h5py.File) -> None:
    del file["layers/dense/vars/0"]
    place = [("/etc/hostname", 0, 48)]
    file.create_dataset("layers/dense/vars/0", (4, 3), "f4", external=place)


def huge(file: h5py.File) -> None:
    del file["layers/dense/vars/0"]
    shape = (1 << 40, 1 << 10)
    file.create_dataset("layers/dense/vars/0", shape, "f4", chunks=(64, 64), compression="gzip")


def words(file: h5py.File) -> None:
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = np.full((4, 3), b"word")


def absent(file: h5py.File) -> None:
    del file["layers/dense"]


def changed(file: h5py.File) -> None:
    file["layers/dense/vars/0"][...] = 1e3


@pytest.mark.parametrize("change", [external, soft, outside, huge, words, absent, changed])
def test_weights_that_are_none(change: Callable[[h5py.File], None], path: Path) -> None:
    change_weights(path, change)
    with pytest.raises(ValueError):
        saving.load_model(path)


def test_a_member_that_would_fill_the_memory(path: Path) -> None:
    rewrite(path, weights=bytes(100 << 20))
    with pytest.raises(OSError, match="grow"):
        saving.load_model(path)


def test_other_members_are_not_unpacked(path: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../outside", b"x")
    saving.load_model(path)
    assert not (tmp_path.parent.parent / "outside").exists()


# ---- writing ---------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_or_not_at_all(
    model: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = path.read_bytes()
    with pytest.raises(FileExistsError, match="overwrite"):
        model.save(path, overwrite=False)

    def fail(*args: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        model.save(path)
    assert path.read_bytes() == content
    assert [p.name for p in path.parent.iterdir()] == ["m.keras"]


def test_names_of_files(model: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.keras"):
        model.save(tmp_path / "model.pickle")
    model.save(str(tmp_path / "new" / "folder" / "m.keras"))
    assert saving.load_model(str(tmp_path / "new" / "folder" / "m.keras")).built


# ---- the probe -------------------------------------------------------------------------------


def test_a_class_that_changed_is_noticed(tmp_path: Path) -> None:
    class Scale(layers.Layer):
        factor = 2.0

        def call(self, inputs: Any) -> Any:
            return inputs * self.factor

    model = pynn.Sequential([pynn.Input((3,)), Scale()])
    model.save(tmp_path / "m.keras")
    assert saving.load_model(tmp_path / "m.keras", {"Scale": Scale}).built
    Scale.factor = 3.0
    with pytest.raises(ValueError, match="does not compute what it computed"):
        saving.load_model(tmp_path / "m.keras", {"Scale": Scale})


def test_the_same_model_gives_the_same_weights_file(model: Any, tmp_path: Path) -> None:
    model.save_weights(tmp_path / "a.weights.h5")
    model.save_weights(tmp_path / "b.weights.h5")
    first, second = (tmp_path / f"{name}.weights.h5" for name in "ab")
    assert first.read_bytes() == second.read_bytes()
