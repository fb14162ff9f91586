"""The process around the training: children forked from it, and its memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(code: str, *arguments: str) -> str:
    """Runs a program in a process of its own and returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


FORK = """
import os, sys
import numpy as np
import pynn
from pynn import layers

pynn.set_num_threads(2, allow_oversubscription=True)
pynn.utils.set_random_seed(3)
rng = np.random.default_rng(0)
x, y = rng.standard_normal((4000, 300)), rng.integers(0, 10, 4000)
dense = layers.Dense(300, activation="relu"), layers.Dense(10, activation="softmax")
model = pynn.Sequential([pynn.Input((300,)), dense[0], layers.Dropout(0.2), dense[1]])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=256, epochs=1, verbose=0)

child = os.fork()
model.fit(x, y, batch_size=256, epochs=2, verbose=0)
result = [*model.get_weights(), model.predict(x, verbose=0)]
if child == 0:
    np.savez(sys.argv[1], *result)
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
with np.load(sys.argv[1]) as there:
    for mine, its in zip(result, there.values(), strict=True):
        np.testing.assert_array_equal(mine, its)
print("the same")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_forked_after_training_trains_and_predicts(tmp_path: Path) -> None:
    """Its weights are those that the parent reaches by going on from the same point."""
    assert run(FORK, str(tmp_path / "child.npz")) == "the same\n"


MEMORY = """
import re
from pathlib import Path
import numpy as np
import pynn
from pynn import layers

def kilobytes(field):
    return int(re.search(rf"{field}:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])

rng = np.random.default_rng(0)
x = rng.integers(0, 256, (60_000, 28, 28), dtype=np.uint8)
y = rng.integers(0, 10, 60_000, dtype=np.uint8)
before = kilobytes("VmRSS")
model = pynn.Sequential(
    [
        pynn.Input((28, 28)),
        layers.Flatten(),
        layers.BatchNormalization(),
        layers.Dense(300, activation="relu"),
        layers.Dense(100, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=128, epochs=1, validation_split=0.1, verbose=0)
print((kilobytes("VmHWM") - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_training_on_bytes_needs_little_memory() -> None:
    """60,000 images of uint8 are 47 MB; as float32 they would be 188 MB more."""
    assert int(run(MEMORY)) < 60
