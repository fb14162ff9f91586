"""Golden cases of the callbacks that change training, and of the hooks' order and logs."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from golden.runs import TARGETS, Case, Cases, Keras, X, compiled, stack, train, uniform

Make = Callable[[Keras], Any]
EPOCHS = 12
NOISE = uniform(20, 2, low=-2, high=2, seed=51)  # other targets: this validation loss goes up again

CALLBACKS: dict[str, Make] = {
    "EarlyStopping": lambda k: k.callbacks.EarlyStopping(),
    "EarlyStopping/restore": lambda k: k.callbacks.EarlyStopping(
        patience=3, restore_best_weights=True
    ),
    "EarlyStopping/restore_without_stop": lambda k: k.callbacks.EarlyStopping(
        patience=50, restore_best_weights=True
    ),
    "EarlyStopping/min_delta": lambda k: k.callbacks.EarlyStopping(
        monitor="loss", min_delta=0.02, patience=2
    ),
    "EarlyStopping/baseline": lambda k: k.callbacks.EarlyStopping(
        monitor="loss", baseline=0.01, patience=4
    ),
    "EarlyStopping/start_from_epoch": lambda k: k.callbacks.EarlyStopping(start_from_epoch=6),
    "EarlyStopping/max": lambda k: k.callbacks.EarlyStopping(
        monitor="val_mae", mode="max", patience=1, restore_best_weights=True
    ),
    "ReduceLROnPlateau": lambda k: k.callbacks.ReduceLROnPlateau(patience=1),
    "ReduceLROnPlateau/cooldown": lambda k: k.callbacks.ReduceLROnPlateau(
        factor=0.5, patience=1, cooldown=3
    ),
    "ReduceLROnPlateau/min_lr": lambda k: k.callbacks.ReduceLROnPlateau(
        factor=0.2, patience=1, min_lr=0.01
    ),
    "ReduceLROnPlateau/min_delta": lambda k: k.callbacks.ReduceLROnPlateau(
        monitor="loss", factor=0.5, patience=2, min_delta=0.05
    ),
    "ReduceLROnPlateau/max": lambda k: k.callbacks.ReduceLROnPlateau(
        monitor="val_mae", mode="max", factor=0.5, patience=2
    ),
    "LearningRateScheduler": lambda k: k.callbacks.LearningRateScheduler(
        lambda epoch: 0.2 / (epoch + 1.0)
    ),
    "LearningRateScheduler/rate": lambda k: k.callbacks.LearningRateScheduler(
        lambda epoch, lr: lr * 0.7 if epoch else lr
    ),
    "TerminateOnNaN": lambda k: k.callbacks.TerminateOnNaN(),
}


def network(keras: Keras, optimizer: Any = None) -> Any:
    dense = keras.layers.Dense
    model = stack(keras, dense(4, activation="tanh"), dense(2))
    return compiled(model, optimizer=optimizer or keras.optimizers.SGD(0.2), metrics=["mae"])


def fit(model: Any, *callbacks: Any, **options: Any) -> dict[str, Any]:
    options = {"epochs": EPOCHS, "validation_data": (X, NOISE), **options}
    return train(model, X, TARGETS, callbacks=list(callbacks), **options)


def called(make: Make) -> Case:
    def case(keras: Keras) -> Any:
        callback = make(keras)
        model = network(keras)
        result = fit(model, callback)
        facts = [
            float(getattr(callback, name))
            for name in ("stopped_epoch", "best", "best_epoch")
            if getattr(callback, name, None) is not None
        ]
        return {**result, "facts": facts, "rate": float(np.asarray(model.optimizer.learning_rate))}

    return case


def terminate(keras: Keras) -> Any:
    """Training that leaves the numbers of a float ends with the batch that shows it."""
    model = network(keras, keras.optimizers.SGD(1e200))
    callback = keras.callbacks.TerminateOnNaN()
    history = model.fit(X, TARGETS, batch_size=4, epochs=5, verbose=0, callbacks=[callback])
    return [len(history.epoch), len(history.history["loss"])]


def swap(on_epoch: bool) -> Case:
    def case(keras: Keras) -> Any:
        optimizer = keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.7)
        callback = keras.callbacks.SwapEMAWeights(swap_on_epoch=on_epoch)
        return fit(network(keras, optimizer), callback, epochs=4)

    return case


def checkpoint(**options: Any) -> Case:
    """The weights that were best, or last, come back from the file."""

    def case(keras: Keras) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "best.weights.h5"
            model = network(keras)
            callback = keras.callbacks.ModelCheckpoint(str(path), save_weights_only=True, **options)
            result = fit(model, callback)
            model.load_weights(str(path))
        return {"trained": result["history"], "loaded": model.get_weights()}

    return case


def backup(keras: Keras) -> Any:
    """Training that was interrupted goes on where it stood."""

    class Stop(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 3:
                raise KeyboardInterrupt

    def restoring(folder: str) -> Any:
        return keras.callbacks.BackupAndRestore(folder)

    optimizer = keras.optimizers.Adam(0.05)
    model = network(keras, optimizer)
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "backup")
        with contextlib.suppress(KeyboardInterrupt):
            fit(model, restoring(place), Stop(), epochs=5)
        return fit(model, restoring(place), epochs=5, begin=False)


def hooks(keras: Keras) -> Any:
    """Every hook with what the logs held, by key."""
    seen: dict[str, Any] = {}

    class Note(keras.callbacks.Callback):  # type: ignore[misc]
        def note(self, name: str, number: Any, logs: Any) -> None:
            logs = {key: float(np.sum(value)) for key, value in sorted((logs or {}).items())}
            seen[f"{len(seen)} {name} {number} {' '.join(logs)}"] = list(logs.values())

    def hook(name: str, numbered: bool) -> Any:
        if numbered:
            return lambda self, number, logs=None: self.note(name, number, logs)
        return lambda self, logs=None: self.note(name, "", logs)

    for phase in ("train", "test", "predict"):
        for when in ("begin", "end"):
            setattr(Note, f"on_{phase}_{when}", hook(f"{phase} {when}", numbered=False))
            name = f"on_{phase}_batch_{when}"
            setattr(Note, name, hook(f"{phase} batch {when}", numbered=True))
    for when in ("begin", "end"):
        setattr(Note, f"on_epoch_{when}", hook(f"epoch {when}", numbered=True))
    note = Note()
    model = network(keras)
    fit(model, note, epochs=2)
    model.predict(X, batch_size=8, verbose=0, callbacks=[note])
    model.evaluate(X, TARGETS, batch_size=8, verbose=0, callbacks=[note])
    return seen


def custom(keras: Keras) -> Any:
    """A callback that changes the learning rate by batch and stops training."""

    class Steer(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = 0.05 * (batch + 1)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["twice"] = 2 * logs["loss"]
            if epoch == 3:
                self.model.stop_training = True

    return fit(network(keras), Steer())


def lambdas(keras: Keras) -> Any:
    rates: list[float] = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: rates.append(epoch + logs["val_loss"]),
        on_train_end=lambda logs: rates.append(logs["loss"]),
    )
    fit(network(keras), callback, epochs=3)
    return rates


def in_order(keras: Keras) -> Any:
    """Two callbacks that both change training."""
    callbacks = keras.callbacks
    return fit(
        network(keras),
        callbacks.ReduceLROnPlateau(factor=0.5, patience=1, monitor="val_mae"),
        callbacks.EarlyStopping(patience=6, restore_best_weights=True),
    )


CASES: Cases = {
    **{f"callbacks.{name}": called(make) for name, make in CALLBACKS.items()},
    "callbacks.TerminateOnNaN/stops": terminate,
    "callbacks.SwapEMAWeights": swap(False),
    "callbacks.SwapEMAWeights/swap_on_epoch": swap(True),
    "callbacks.ModelCheckpoint": checkpoint(),
    "callbacks.ModelCheckpoint/save_best_only": checkpoint(save_best_only=True),
    "callbacks.ModelCheckpoint/max": checkpoint(save_best_only=True, monitor="mae", mode="max"),
    "callbacks.BackupAndRestore": backup,
    "callbacks.Callback": custom,
    "callbacks.Callback/hooks": hooks,
    "callbacks.LambdaCallback": lambdas,
    "callbacks.EarlyStopping/with_plateau": in_order,
}
