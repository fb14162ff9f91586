"""What the listings of the lectures find when they start."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pynn as keras
from listings import Names


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every test starts in an empty folder, as in a new process: the first layer is ``dense``."""
    monkeypatch.chdir(tmp_path)
    keras.backend.clear_session()
    keras.utils.set_random_seed(42)


@pytest.fixture(scope="module")
def images() -> Names:
    """A few hundred pictures of clothes, or made-up ones where Fashion-MNIST is not at hand."""
    try:
        (pixels, labels), _ = keras.datasets.fashion_mnist.load_data()
        x, y = pixels[:1300] / 255, labels[:1300].astype(np.int64)
    except ConnectionError:
        rng = np.random.default_rng(0)
        y = rng.integers(10, size=1300)
        x = np.clip(rng.random((10, 28, 28))[y] + 0.3 * rng.normal(size=(1300, 28, 28)), 0, 1)
    return {
        "X_train": x[:1000], "y_train": y[:1000], "X_valid": x[1000:1200], "y_valid": y[1000:1200],
        "X_test": x[1200:], "y_test": y[1200:], "X_new": x[1200:1203],
    }  # fmt: skip


@pytest.fixture
def names(images: Names) -> Names:
    return {"keras": keras, "np": np, **images}
