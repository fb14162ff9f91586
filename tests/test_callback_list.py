"""The list of callbacks, driven by hand as in a training loop of one's own."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from pynn.callbacks import (
    Callback,
    CallbackList,
    History,
    LambdaCallback,
    ProgbarLogger,
    SwapEMAWeights,
    TerminateOnNaN,
)
from pynn.callbacks._base import as_callback_list
from stand_in import StandIn

HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


class Everything(Callback):
    """Writes down which hooks are called with what."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("on_"):
            return lambda *arguments: self.calls.append((name, *arguments))
        return super().__getattribute__(name)


def test_every_hook_reaches_every_callback() -> None:
    first, second = Everything(), Everything()
    hooks = CallbackList([first, [second]])
    for name in HOOKS:
        if name == "on_close":
            hooks.on_close()
        elif "batch" in name or "epoch" in name or "chunk" in name:
            getattr(hooks, name)(3, {"loss": np.float32(0.5)})
        else:
            getattr(hooks, name)({"loss": np.array(0.5)})
    assert first.calls == second.calls
    called = [call[0] for call in first.calls]
    assert set(called) == set(HOOKS)
    for name, *arguments in first.calls:
        if name != "on_close":
            assert arguments[-1] == {"loss": 0.5}
            assert type(arguments[-1]["loss"]) is float
    # A batch of a loop of one's own is a chunk, too.
    assert called[called.index("on_test_batch_end") + 1] == "on_test_chunk_end"


def test_logs_may_be_left_out_or_named() -> None:
    seen: list[Any] = []
    hooks = CallbackList(LambdaCallback(on_epoch_end=lambda *given: seen.append(given)))
    hooks.on_epoch_end(1)
    hooks.on_epoch_end(2, None)
    hooks.on_epoch_end(3, logs={"loss": 1.0})
    assert seen == [(1, {}), (2, {}), (3, {"loss": 1.0})]


def test_later_callbacks_see_what_is_added_to_the_logs() -> None:
    add = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(more=2.0))
    history = History()
    given = {"loss": 1.0}
    CallbackList([add, history]).on_epoch_end(0, given)
    assert history.history == {"loss": [1.0], "more": [2.0]}
    assert given == {"loss": 1.0}


@pytest.mark.parametrize(
    ("hook", "attribute"),
    [
        ("on_train_batch_begin", "wants_batches"),
        ("on_train_batch_end", "wants_batches"),
        ("on_batch_begin", "wants_batches"),
        ("on_batch_end", "wants_batches"),
        ("on_test_batch_begin", "wants_test_batches"),
        ("on_test_batch_end", "wants_test_batches"),
        ("on_predict_batch_begin", "wants_predict_batches"),
        ("on_predict_batch_end", "wants_predict_batches"),
    ],
)
def test_who_wants_batches(hook: str, attribute: str) -> None:
    wants = ("wants_batches", "wants_test_batches", "wants_predict_batches")
    derived = type("Derived", (Callback,), {hook: lambda self, batch, logs=None: None})
    for callback in (derived(), LambdaCallback(**{hook: print})):
        hooks = CallbackList([History(), ProgbarLogger(), TerminateOnNaN(), callback])
        assert {name for name in wants if getattr(hooks, name)} == {attribute}
    hooks = CallbackList([History(), ProgbarLogger(), TerminateOnNaN()])
    assert not any(getattr(hooks, name) for name in wants)


def test_histories_and_bars_are_added_once() -> None:
    mine, bar = History(), ProgbarLogger()
    model = StandIn()
    params = {"verbose": 1, "epochs": 2, "steps": 3}
    hooks = CallbackList((mine, bar), True, True, model, **params)
    assert hooks.callbacks == [mine, bar]
    assert (bar.model, bar.params, bar.target) == (model, params, 3)
    hooks = CallbackList(None, add_history=True, add_progbar=True, **params)
    assert [type(callback) for callback in hooks.callbacks] == [History, ProgbarLogger]
    hooks.set_model(model)
    hooks.on_train_begin()
    assert model.history is hooks.callbacks[0]


def test_a_list_is_used_as_it_is() -> None:
    model = StandIn()
    hooks = CallbackList([History()])
    assert as_callback_list(hooks, model, verbose=1, epochs=1, steps=1) is hooks
    assert hooks.model is hooks.callbacks[0].model is model
    silent = as_callback_list(None, model, add_history=True, verbose=0, epochs=1, steps=1)
    assert [type(callback) for callback in silent.callbacks] == [History]


def test_what_is_no_callback() -> None:
    with pytest.raises(TypeError, match="must be objects of"):
        CallbackList([print])
    with pytest.raises(TypeError, match=r"must be objects of.*Received: 'early'"):
        CallbackList("early")
    with pytest.raises(TypeError, match="a hook must be a function"):
        LambdaCallback(on_test_end=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("steps", [2, None])
def test_a_loop_of_ones_own_prints_as_fit_does(
    steps: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks = CallbackList(
        add_progbar=True, add_history=True, model=StandIn(), verbose=1, epochs=2, steps=steps
    )
    hooks.on_train_begin()
    for epoch in range(2):
        hooks.on_epoch_begin(epoch)
        for batch in range(2):
            hooks.on_train_batch_begin(batch)
            hooks.on_train_batch_end(batch, {"loss": 0.5})
        hooks.on_test_begin()
        hooks.on_test_batch_end(0, {"loss": 0.75})
        hooks.on_test_end({"loss": 0.75})
        hooks.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 0.75})
    hooks.on_train_end()
    lines = capsys.readouterr().out.splitlines()
    assert lines[::2] == ["Epoch 1/2", "Epoch 2/2"]
    for line in lines[1::2]:
        assert re.match(r"2/2 ━{20} 0s \d+us/step - loss: 0.5000 - val_loss: 0.7500$", line)
    hooks.on_test_begin()
    hooks.on_test_end({"loss": 0.25})
    assert re.search(r"2/2 ━{20} 0s .* - loss: 0.2500\n$", capsys.readouterr().out)


# ---- SwapEMAWeights ------------------------------------------------------------------------------


class Averaged(StandIn):
    """One weight with its average."""

    use_ema = True
    average = 10.0

    def swap_averages(self) -> None:
        self.weights, self.average = self.average, self.weights

    def reset_averages(self) -> None:
        self.average = self.weights


@pytest.mark.parametrize("on_epoch", [False, True])
def test_averages_are_evaluated_and_weights_are_trained(on_epoch: bool) -> None:
    model = Averaged()
    model.weights = 1.0
    hooks = CallbackList([SwapEMAWeights(swap_on_epoch=on_epoch)], model=model)
    hooks.on_train_begin()
    for epoch in range(3):
        hooks.on_epoch_begin(epoch)
        assert model.weights == epoch + 1.0
        model.weights += 1.0  # a step of training
        model.average += 5.0
        hooks.on_test_begin()
        assert model.weights == model.average
        hooks.on_test_end()
        assert model.weights == epoch + 2.0
        hooks.on_epoch_end(epoch, {})
        assert model.weights == (model.average if on_epoch else epoch + 2.0)
    hooks.on_train_end()
    hooks.on_close()
    assert model.weights == (25.0 if on_epoch else 4.0)
    hooks.on_predict_begin()
    assert model.weights == 25.0
    hooks.on_predict_end()
    assert model.weights == (25.0 if on_epoch else 4.0)


def test_averages_after_an_error() -> None:
    model = Averaged()
    model.weights = 1.0
    hooks = CallbackList([SwapEMAWeights()], model=model)
    hooks.on_test_begin()
    hooks.on_close()
    assert model.weights == 1.0
    with pytest.raises(ValueError, match="give it use_ema=True"):
        CallbackList([SwapEMAWeights()], model=StandIn()).on_train_begin()
