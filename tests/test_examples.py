"""The examples run as a reader would run them, and print what they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from source_tree import SOURCE

needs_data = pytest.mark.skipif(
    not os.environ.get("PYNN_HOME"), reason="PYNN_HOME names no folder of real data"
)


def run(example: str, *arguments: str, folder: Path, data: bool = True) -> str:
    """Runs one example in a folder of its own and returns what it printed."""
    environment = dict(os.environ, PYTHONIOENCODING="utf-8")
    if not data:
        environment.pop("PYNN_HOME", None)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SOURCE / "examples" / example), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def test_every_example_is_tested() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    for example in (SOURCE / "examples").glob("*.py"):
        assert f'run("{example.name}"' in text, example


def test_perceptron(tmp_path: Path) -> None:
    printed = run("perceptron.py", folder=tmp_path)
    for table in (
        "NOT: 0→1  1→0",
        "AND: 00→0  01→0  10→0  11→1",
        "OR: 00→0  01→1  10→1  11→1",
        "at least two of three: 000→0  001→0  010→0  011→1  100→0  101→1  110→1  111→1",
        "XOR (two layers): 00→0  01→1  10→1  11→0",
    ):
        assert table in printed
    assert "accuracy on iris: 100.0%" in printed
    assert re.search(r"epoch +\d+: 0 mistakes", printed)


@pytest.mark.parametrize("data", [False, pytest.param(True, marks=needs_data)])
def test_demo(data: bool, tmp_path: Path) -> None:
    printed = run("demo.py", folder=tmp_path, data=data)
    accuracy = re.search(r"test accuracy: ([\d.]+)%", printed)
    assert accuracy, printed
    assert float(accuracy[1]) >= 97.0
    assert "Total params" in printed
    assert (tmp_path / "training_curves.png").read_bytes().startswith(b"\x89PNG")


@needs_data
def test_mnist_quick(tmp_path: Path) -> None:
    printed = run("mnist.py", "--quick", "--verbose", "0", folder=tmp_path)
    assert re.search(r"784-300-100-10 +266,610 ", printed)
    assert re.search(r"784-256-128-10, L2 +235,146 ", printed)


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("only", "network", "parameters", "steps", "least", "most"),
    [
        ("plain", "784-300-100-10", 266_610, 1875, 0.0, 1.8),
        ("l2", "784-256-128-10, L2", 235_146, 375, 0.0, 2.3),
        ("dropout", "784-256-128-10, dropout", 235_146, 375, 0.0, 1.8),
        ("logistic", "784-10, logistic regression", 7_850, 469, 7.0, 8.5),
    ],
)
def test_mnist_reaches_the_lectures_results(
    only: str, network: str, parameters: int, steps: int, least: float, most: float, tmp_path: Path
) -> None:
    printed = run("mnist.py", "--only", only, "--verbose", "0", folder=tmp_path)
    row = re.search(rf"{network} +([\d,]+) +(\d+) .* ([\d.]+) %  ", printed)
    assert row, printed
    assert int(row[1].replace(",", "")) == parameters
    assert int(row[2]) == steps
    assert least <= float(row[3]) <= most


@needs_data
def test_regression(tmp_path: Path) -> None:
    printed = run("regression.py", "--epochs", "10", "--verbose", "0", folder=tmp_path)
    rows = re.findall(r"^(.{24}) +([\d,]+) +([\d,]+) +([\d.]+)$", printed, re.MULTILINE)
    r2 = {name.strip(): float(value) for name, _, _, value in rows}
    mae = {name.strip(): int(value.replace(",", "")) for name, _, value, _ in rows}
    assert r2["linear regression"] < 0.70
    assert r2["64-32, squared error"] > 0.76
    assert mae["64-32, Huber"] < mae["linear regression"]
    assert mae["64-32, Huber"] < 37_000


@needs_data
def test_wide_and_deep(tmp_path: Path) -> None:
    printed = run("wide_and_deep.py", "--verbose", "0", folder=tmp_path)
    assert re.search(r"concatenate +│ \(None, 35\) +│ +0 │ normalization\[", printed)
    assert "Total params: 1,231" in printed
    losses = {name: float(value) for name, value in re.findall(r"(\w*loss) ([\d.]+)", printed)}
    weighted = 0.9 * losses["price_loss"] + 0.1 * losses["auxiliary_loss"]
    assert losses["loss"] == pytest.approx(weighted, abs=2e-4)
    rows = re.findall(r"^(.{24}) +([\d,]+) +([\d.]+)$", printed, re.MULTILINE)
    r2 = {name.strip(): float(value) for name, _, value in rows}
    assert r2["linear regression"] + 0.04 < r2["auxiliary output"] < r2["wide and deep output"]
    assert r2["wide and deep output"] > 0.73
    rmse = {name.strip(): int(value.replace(",", "")) for name, value, _ in rows}
    assert rmse["wide and deep output"] == pytest.approx(
        1e5 * losses["price_loss"] ** 0.5, rel=1e-3
    )


@needs_data
def test_transfer(tmp_path: Path) -> None:
    printed = run("transfer.py", folder=tmp_path)
    first = re.search(r"A, digits 0 to 7: 16,064 images, accuracy ([\d.]+)%", printed)
    assert first, printed
    assert float(first[1]) > 95.0
    rows = re.findall(r"^(from nothing|layers of A, [a-z ]+) +([\d.]+)%$", printed, re.MULTILINE)
    accuracy = {title.strip(): float(value) for title, value in rows}
    assert accuracy["layers of A, frozen"] > accuracy["from nothing"] + 1.0
    assert accuracy["layers of A, trained on"] > accuracy["from nothing"] + 2.0
