"""What fit, evaluate and predict print: in a terminal, in a notebook, in a file."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn
from pynn.utils import progress as module
from pynn.utils.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(module, "time", fake)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return fake


def plain(text: str) -> str:
    """The text without colors."""
    return re.sub(r"\x1b\[\d+m", "", text)


def shown(text: str) -> list[str]:
    """The lines a terminal ends up with."""
    lines: list[str] = []
    for line in plain(text).split("\n"):
        cells: list[str] = []
        for part in line.split("\r"):
            cells[: len(part)] = list(part)
        lines.append("".join(cells).rstrip())
    return lines


def draw(clock: Clock, stream: io.StringIO, verbose: int = 1) -> str:
    bar = Progress(1688, verbose, stream)
    for step in range(1, 1688, 100):
        clock.now += 0.12
        bar.update(step, {"accuracy": 0.5, "loss": 1.25})
    clock.now += 0.5
    bar.finish({"accuracy": 0.7, "loss": 0.00012345, "val_loss": 1.5})
    return stream.getvalue()


def test_terminal(clock: Clock) -> None:
    text = draw(clock, Terminal())
    parts = plain(text).split("\r")
    assert parts[1].rstrip() == f"   1/1688 {'━' * 20} 202s 120ms/step".replace("202s", "3:22") + (
        " - accuracy: 0.5000 - loss: 1.2500"
    )
    assert parts[2].startswith(f" 101/1688 {'━' * 20} 1s 1ms/step - accuracy")
    values = "accuracy: 0.7000 - loss: 1.2345e-04 - val_loss: 1.5000"
    assert shown(text) == [
        f"1688/1688 {'━' * 20} 3s 1ms/step - {values}",
        "",
    ]
    # As Keras colors it: count and time bold, what is done green, what is ahead white.
    assert "\x1b[1m1688/1688\x1b[0m \x1b[32m" + "━" * 20 + "\x1b[0m" in text


def test_terminal_is_drawn_at_most_ten_times_a_second(clock: Clock) -> None:
    stream = Terminal()
    bar = Progress(1000, 1, stream)
    for step in range(1, 1001):
        clock.now += 0.001
        bar.update(step)
    assert 9 <= stream.getvalue().count("\r") <= 11


def test_narrow_terminal_does_not_wrap(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    for line in plain(draw(clock, Terminal())).split("\r")[1:-1]:
        assert len(line) < 50


def test_colors_can_be_switched_off(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in draw(clock, Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert "\r" not in draw(clock, Terminal())


def test_file(clock: Clock) -> None:
    assert draw(clock, io.StringIO()) == (
        f"1688/1688 {'━' * 20} 3s 1ms/step - accuracy: 0.7000 - loss: 1.2345e-04 - "
        "val_loss: 1.5000\n"
    )


def test_file_that_cannot_hold_the_bar(clock: Clock) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    bar = Progress(10, 1, stream)
    clock.now += 0.001
    bar.finish()
    assert raw.getvalue().decode() == f"10/10 {'=' * 20} 0s 100us/step\n"


def test_notebook(clock: Clock) -> None:
    stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    text = draw(clock, stream)
    assert text.count("\r") > 10
    assert shown(text)[0].startswith("1688/1688")


def test_verbose_2_and_0(clock: Clock) -> None:
    assert draw(clock, Terminal(), verbose=2) == (
        "1688/1688 - 3s - 1ms/step - accuracy: 0.7000 - loss: 1.2345e-04 - val_loss: 1.5000\n"
    )
    assert draw(clock, Terminal(), verbose=0) == ""


def test_numbers_are_printed_as_keras_prints_its_float32() -> None:
    stream = io.StringIO()
    Progress(1, 2, stream).finish({"rate": 0.001, "small": 0.0009, "several": np.array([1, 2])})
    assert stream.getvalue().endswith("rate: 0.0010 - small: 9.0000e-04 - several: 1.5000\n")


def test_unknown_number_of_steps(clock: Clock) -> None:
    stream = Terminal()
    bar = Progress(None, 1, stream)
    for step in range(1, 31):
        clock.now += 0.2
        bar.update(step, {"loss": 1.5})
    bar.finish({"loss": 1.25})
    parts = plain(stream.getvalue()).split("\r")
    assert parts[1] == "      1/Unknown 0s 200ms/step - loss: 1.5000"
    assert parts[30] == "     30/Unknown 6s 200ms/step - loss: 1.5000"
    assert shown(stream.getvalue())[0] == f"30/30 {'━' * 20} 6s 200ms/step - loss: 1.2500"
    bar = Progress(None, 2, file := io.StringIO())
    bar.finish()
    assert file.getvalue() == "1/1 - 0s - 0s/step\n"


def test_close_ends_an_open_line(clock: Clock) -> None:
    stream = Terminal()
    bar = Progress(10, 1, stream)
    bar.update(1)
    bar.close()
    bar.close()
    assert stream.getvalue().endswith("step\n")
    assert stream.getvalue().count("\n") == 1


# ---- Progbar: the values are those that Keras 3.15 prints ----------------------------------------


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({}, ["1.0000 - b: 2.0000", "1.7500 - b: 2.7500", "6.0000 - b: 5.0000"]),
        ({"stateful_metrics": ["b"]}, ["1.0000 - b: 2.0000", "1.7500 - b: 3.0000"]),
        ({"stateless_metrics": ["b"]}, ["1.0000 - b: 2.0000", "2.0000 - b: 2.7500"]),
        ({"stateless_metrics": ["b"], "unit_name": "row"}, ["1.0000 - b: 2.0000"]),
    ],
)
def test_bar_of_a_loop_of_ones_own(
    options: dict[str, Any], values: list[str], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    bar = pynn.utils.Progbar(5, interval=0, **options)
    bar.update(1, [("a", 1.0), ("b", 2.0)])
    clock.now += 1.0
    bar.add(3, [("a", 2.0), ("b", 3.0)])
    bar.update(5, [("a", 6.0), ("b", 5.0)])
    lines = plain(stream.getvalue()).split("\r")[1:]
    unit = options.get("unit_name", "step")
    assert [line.split("/")[2].strip() for line in lines[: len(values)]] == [
        f"{unit} - a: {value}" for value in values
    ]
    assert lines[-1].startswith(f"5/5 {'━' * 20} 1s")
    assert lines[-1].endswith("a: 6.0000 - b: 5.0000\n")


def test_bar_that_refuses_and_bar_without_target(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="not both"):
        pynn.utils.Progbar(3, stateful_metrics=["a"], stateless_metrics=["b"])
    bar = pynn.utils.Progbar(None, verbose=2)
    bar.update(7, [("a", 1.0)], finalize=True)
    assert capsys.readouterr().out.startswith("7/7 - 0s - ")


# ---- what the model prints ---------------------------------------------------------------------

LINE = re.compile(
    r"^8/8 ━{20} \d+s \d+(s|ms|us)/step - accuracy: \d\.\d{4} - loss: \d\.\d{4}"
    r"( - val_accuracy: \d\.\d{4} - val_loss: \d\.\d{4})?$"
)


def small_model() -> tuple[pynn.Sequential, np.ndarray, np.ndarray]:
    pynn.utils.set_random_seed(0)
    model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    return model, rng.normal(size=(320, 4)), rng.integers(0, 3, 320)


def test_fit_prints_as_keras_does(capsys: pytest.CaptureFixture[str]) -> None:
    model, x, y = small_model()
    model.fit(x, y, epochs=2, validation_split=0.2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0::2] == ["Epoch 1/2", "Epoch 2/2"]
    assert all(LINE.match(line) for line in lines[1::2])
    model.fit(x[:256], y[:256])  # a single epoch has no heading
    (line,) = capsys.readouterr().out.splitlines()
    assert LINE.match(line)


def test_verbosity_of_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    model, x, y = small_model()
    model.fit(x, y, epochs=2, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    assert capsys.readouterr().out == ""
    model.fit(x, y, epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0::2] == ["Epoch 1/2", "Epoch 2/2"]
    assert re.match(r"10/10 - 0s - \d+(ms|us)/step - accuracy: 0\.\d{4} - loss: ", lines[1])
    model.evaluate(x, y)
    assert re.match(r"10/10 ━{20} 0s \d+(ms|us)/step - accuracy: ", capsys.readouterr().out)
    model.predict(x)
    assert re.match(r"10/10 ━{20} 0s \d+(ms|us)/step\n$", capsys.readouterr().out)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_in_a_pseudo_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    import pty

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    model, x, y = small_model()
    ours, theirs = pty.openpty()
    received: list[bytes] = []

    def read() -> None:
        with contextlib.suppress(OSError):  # how the end of a pseudo-terminal shows on Linux
            while part := os.read(ours, 65536):
                received.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        model.fit(x[:256], y[:256], epochs=2)
    reader.join()
    os.close(ours)
    text = b"".join(received).decode()
    lines = [line for line in shown(text.replace("\r\n", "\n")) if line]
    assert lines[0::2] == ["Epoch 1/2", "Epoch 2/2"]
    assert all(LINE.match(line) for line in lines[1::2])


def test_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x, y = small_model()
    path = tmp_path / "log.txt"
    with path.open("w", encoding="utf-8") as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", file)
        model.fit(x, y, epochs=3)
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) == 6
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)
