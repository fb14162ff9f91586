"""Files that callbacks write while a model is trained: checkpoints and backups."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import callbacks, layers
from pynn.callbacks import BackupAndRestore, ModelCheckpoint
from stand_in import StandIn


class Crash(Exception):
    """The machine is switched off."""


def play(
    callback: Any, epochs: list[dict[str, float]], batches: int = 0, model: StandIn | None = None
) -> StandIn:
    """Plays epochs with these logs; the weights are the number of batches or epochs done."""
    model = model or StandIn()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, logs in enumerate(epochs):
        callback.on_epoch_begin(epoch)
        for batch in range(batches):
            model.weights += 1
            callback.on_train_batch_end(batch, {"loss": float(batch)})
        model.weights += not batches
        callback.on_epoch_end(epoch, logs)
    return model


def saved(folder: Path) -> dict[str, Any]:
    """What is in the files of a folder."""
    return {path.name: json.loads(path.read_text()) for path in sorted(folder.iterdir())}


# ---- ModelCheckpoint -----------------------------------------------------------------------------


def test_every_epoch(tmp_path: Path) -> None:
    path = tmp_path / "new" / "{epoch:02d}-{val_loss:.2f}.keras"
    play(ModelCheckpoint(path), [{"val_loss": 0.5}, {"val_loss": 0.25}])
    assert saved(tmp_path / "new") == {"01-0.50.keras": {"model": 1}, "02-0.25.keras": {"model": 2}}
    play(ModelCheckpoint(tmp_path / "new" / "w.weights.h5", save_weights_only=True), [{}, {}])
    assert saved(tmp_path / "new")["w.weights.h5"] == 2


@pytest.mark.parametrize(
    ("options", "values", "kept"),
    [
        ({}, [3, 4, 2, 2, 5], 3),
        ({"mode": "max"}, [3, 4, 2, 2, 5], 5),
        ({"monitor": "val_accuracy"}, [0.3, 0.4, 0.2], 2),
        ({"initial_value_threshold": 2.5}, [3, 2.6], None),
        ({"initial_value_threshold": 2.5}, [3, 2.4, 2.6], 2),
        ({}, [float("nan"), 3.0, 4.0], 2),
    ],
)
def test_the_best(
    options: dict[str, Any], values: list[float], kept: int | None, tmp_path: Path
) -> None:
    callback = ModelCheckpoint(tmp_path / "best.keras", save_best_only=True, **options)
    play(callback, [{callback.monitor: value} for value in values])
    assert saved(tmp_path) == ({} if kept is None else {"best.keras": {"model": kept}})


def test_every_few_batches(tmp_path: Path) -> None:
    """Keras 3.15 writes these files: the count goes on across epochs."""
    path = tmp_path / "{epoch}-{batch}-{loss:.0f}.weights.h5"
    play(ModelCheckpoint(path, save_weights_only=True, save_freq=3), [{}, {}], batches=4)
    assert saved(tmp_path) == {"1-3-2.weights.h5": 3, "2-2-1.weights.h5": 6}


def test_what_a_checkpoint_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are those that Keras 3.15 prints."""
    path = tmp_path / "m.keras"
    play(
        ModelCheckpoint(path, verbose=1, save_best_only=True),
        [{"val_loss": 1.5}, {"val_loss": 1.25}, {"val_loss": 2.0}],
    )
    play(ModelCheckpoint(path, verbose=1), [{}])
    assert capsys.readouterr().out == (
        f"\nEpoch 1: val_loss improved from None to 1.50000, saving model to {path}\n"
        f"\nEpoch 1: finished saving model to {path}\n"
        f"\nEpoch 2: val_loss improved from 1.50000 to 1.25000, saving model to {path}\n"
        f"\nEpoch 2: finished saving model to {path}\n"
        "\nEpoch 3: val_loss did not improve from 1.25000\n"
        f"\nEpoch 1: saving model to {path}\n"
        f"\nEpoch 1: finished saving model to {path}\n"
    )


def test_a_crash_while_saving_leaves_the_file_before(tmp_path: Path) -> None:
    class Crashing(StandIn):
        def save(self, path: str, overwrite: bool = True) -> None:
            super().save(path)
            if self.weights == 2:
                raise Crash

    with pytest.raises(Crash):
        play(ModelCheckpoint(tmp_path / "m.keras"), [{}, {}], model=Crashing())
    assert saved(tmp_path) == {"m.keras": {"model": 1}}


def test_checkpoints_refuse(tmp_path: Path) -> None:
    for path, weights_only in (("m.weights", False), ("m.keras", True), ("m", False)):
        with pytest.raises(ValueError, match="`filepath` must end with"):
            ModelCheckpoint(path, save_weights_only=weights_only)
    for save_freq in ("batch", 0, 1.5):
        with pytest.raises(ValueError, match="`save_freq` must be"):
            ModelCheckpoint("m.keras", save_freq=save_freq)  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="the logs have no 'val_loss'"):
        play(ModelCheckpoint(tmp_path / "{val_loss}.keras"), [{"loss": 1.0}])
    with pytest.warns(UserWarning, match="saved whether it is better or not"):
        play(ModelCheckpoint(tmp_path / "m.keras", save_best_only=True), [{"loss": 1.0}])
    assert saved(tmp_path) == {"m.keras": {"model": 1}}
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(IsADirectoryError, match=r"folder\.keras"):
        play(ModelCheckpoint(tmp_path / "folder.keras"), [{}])


def test_hooks_per_batch_only_where_they_are_used() -> None:
    for make in (
        lambda freq: ModelCheckpoint("m.keras", save_freq=freq),
        lambda freq: BackupAndRestore("b", save_freq=freq),
    ):
        assert not callbacks.CallbackList([make("epoch")]).wants_batches
        assert callbacks.CallbackList([make(5)]).wants_batches


# ---- BackupAndRestore ----------------------------------------------------------------------------


def test_backup_by_epochs(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    assert play(BackupAndRestore(folder), [{}, {}]).resumed is None
    model = play(BackupAndRestore(folder), [])
    assert model.weights == 2
    assert model.resumed == (2, 0, {"seed": 7})


def test_backup_by_batches(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    play(BackupAndRestore(folder, save_freq=3), [{}, {}], batches=4)
    model = play(BackupAndRestore(folder, save_freq=3), [])
    assert model.weights == 6
    assert model.resumed == (1, 2, {"seed": 7})
    assert len(list(folder.iterdir())) == 2


def test_backup_is_deleted_in_the_end(tmp_path: Path) -> None:
    for name, delete in (("a", True), ("b", False)):
        callback = BackupAndRestore(tmp_path / name, delete_checkpoint=delete)
        play(callback, [{}])
        callback.on_train_end({})
        assert (tmp_path / name).exists() is not delete
    callback = BackupAndRestore(tmp_path / "b")
    (tmp_path / "b" / "mine.txt").touch()
    play(callback, [{}])
    callback.on_train_end({})
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["mine.txt"]


def test_broken_backup(tmp_path: Path) -> None:
    for double in (False, True):
        folder = tmp_path / str(double)
        play(BackupAndRestore(folder, double_checkpoint=double), [{}, {}, {}])
        (folder / "epoch-3-batch-0.weights.h5").write_text("{broken")
        assert len(list(folder.iterdir())) == 2 + 2 * double
        if double:
            model = play(BackupAndRestore(folder), [])
            assert (model.weights, model.resumed) == (2, (2, 0, {"seed": 7}))
            (folder / "epoch-2-batch-0.weights.h5").unlink()
        with pytest.raises(ValueError, match="the backup cannot be read"):
            play(BackupAndRestore(folder), [])


def test_crash_while_backing_up(tmp_path: Path) -> None:
    class Crashing(StandIn):
        def fit_state(self) -> dict[str, Any]:
            if self.weights == 2:
                raise Crash
            return super().fit_state()

    with pytest.raises(Crash):
        play(BackupAndRestore(tmp_path), [{}, {}], model=Crashing())
    assert play(BackupAndRestore(tmp_path), []).resumed == (1, 0, {"seed": 7})


def test_backups_refuse() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        BackupAndRestore("")
    with pytest.raises(ValueError, match="`save_freq` must be"):
        BackupAndRestore("b", save_freq=False)


def network() -> Any:
    pynn.utils.set_random_seed(3)
    model = pynn.Sequential(
        [
            pynn.Input((4,)),
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("save_freq", ["epoch", 1, 5])
@pytest.mark.parametrize("steps_per_epoch", [None, 3])
def test_an_interrupted_fit_continues_bit_by_bit(
    save_freq: Any, steps_per_epoch: int | None, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 4)), rng.normal(size=(120, 1))

    def run(*extra: callbacks.Callback, seed: int = 5) -> Any:
        model = network()
        pynn.utils.set_random_seed(seed)
        model.fit(x, y, epochs=5, steps_per_epoch=steps_per_epoch, verbose=0, callbacks=list(extra))
        return model

    def crash(epoch: int, logs: Any = None) -> None:
        if epoch == 3:
            raise Crash

    whole = run().get_weights()
    with pytest.raises(Crash):
        run(BackupAndRestore(tmp_path, save_freq), callbacks.LambdaCallback(on_epoch_begin=crash))
    resumed = run(BackupAndRestore(tmp_path, save_freq), seed=99).get_weights()
    assert list(tmp_path.iterdir()) == [] if tmp_path.exists() else True
    for ours, theirs in zip(resumed, whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_checkpoints_of_real_models(tmp_path: Path) -> None:
    model = network()
    x, y = np.random.default_rng(0).normal(size=(64, 4)), np.ones((64, 1))
    model.fit(
        x,
        y,
        epochs=2,
        verbose=0,
        callbacks=[
            ModelCheckpoint(tmp_path / "{epoch}.keras"),
            ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True),
        ],
    )
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [re.sub(r"^\d", "n", name) for name in names] == ["n.keras", "n.weights.h5"] * 2
    other = network()
    other.load_weights(str(tmp_path / "2.weights.h5"))
    np.testing.assert_array_equal(other(x), model(x))
