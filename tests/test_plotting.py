"""Figures of trainings."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from pynn import plotting
from pynn.callbacks import History, LearningRateFinder

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def _without_a_screen() -> Iterator[None]:
    before = matplotlib.get_backend()
    matplotlib.use("agg")
    yield
    matplotlib.pyplot.close("all")
    matplotlib.use(before)


def history() -> History:
    """Three epochs, the second without validation."""
    record = History()
    record.on_train_begin()
    for epoch in range(3):
        logs = {"accuracy": 0.5 + 0.1 * epoch, "loss": 1 / (1 + epoch), "learning_rate": 0.1}
        if epoch != 1:
            logs |= {"val_accuracy": 0.4, "val_loss": 1.0 + epoch}
        record.on_epoch_end(epoch, logs)
    return record


def lines(axes: Any) -> dict[str, tuple[list[float], list[float]]]:
    return {
        line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines
    }


def test_history() -> None:
    figure = history().plot(log_scale=True)
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy", "learning_rate"]
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "linear", "log"]
    assert lines(figure.axes[0]) == {
        "training": ([1, 2, 3], [1.0, 0.5, 1 / 3]),
        "validation": ([1, 3], [1.0, 3.0]),
    }
    assert figure.axes[0].get_legend() is not None
    assert figure.axes[2].get_legend() is None


def test_some_of_the_history() -> None:
    figure = history().plot(["val_accuracy"], log_scale=["accuracy"])
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert set(lines(axes)) == {"training", "validation"}
    with pytest.raises(ValueError, match=r"no such key.*Received: 'acuracy'"):
        history().plot(["acuracy"])
    with pytest.raises(ValueError, match="nothing to draw"):
        History().plot()


def test_the_history_of_two_trainings_is_one_curve() -> None:
    record = history()
    record.on_train_begin()
    record.on_epoch_end(0, {"loss": 0.2})
    assert record.epoch == [0]
    assert record.history["loss"] == [1.0, 0.5, 1 / 3, 0.2]
    assert lines(record.plot(["loss"]).axes[0])["training"][0] == [1, 2, 3, 4]


def test_learning_rates() -> None:
    finder = LearningRateFinder()
    finder.rates, finder.losses = [1e-3, 1e-2, 1e-1, 1.0, 10.0], [1.0, 0.9, 0.2, 0.1, 50.0]
    (axes,) = finder.plot().axes
    assert axes.get_xscale() == "log"
    assert axes.get_ylim()[1] < 2
    legend: Any = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["suggestion 0.01"]
    assert plotting.loss_over_rate([1, 2], [1, 1], math.nan).axes[0].get_legend() is None
    with pytest.raises(ValueError, match="nothing to draw"):
        LearningRateFinder().plot()


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'pynn-mlp\[plot\]'"):
        history().plot()


def test_what_a_history_shows() -> None:
    record = history()
    assert repr(record).startswith("<History of 3 epochs: accuracy 0.7, loss 0.3333, ")
    assert repr(History()) == "<History of 0 epochs>"
    record.history["loss"][0] = math.nan
    page = record._repr_html_()
    assert "<th>loss</th><td>nan</td><td>0.3333</td><td>0.3333</td><td>0.5</td>" in page
    pandas = pytest.importorskip("pandas")
    assert pandas.DataFrame({"loss": record.history["loss"]}).shape == (3, 1)
