"""Losses, metrics, optimizers and schedules go to real Keras as descriptions and come back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import pynn
import saved_objects
from real_keras import KERAS, REASON, run_keras
from saved_objects import CASES

NOT_DESCRIBED = {"losses.Huber/delta", "losses.Huber/delta/sum"}  # Keras leaves delta out


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Keras read of our descriptions, and its own descriptions."""
    if not KERAS:
        pytest.skip(REASON)
    folder = tmp_path_factory.mktemp("objects")
    file = folder / "objects.json"
    file.write_text(json.dumps(saved_objects.describe(pynn)))
    run_keras(saved_objects.__file__, file, folder=folder)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def rounded(configs: Any) -> Any:
    """Configurations with numbers in single precision, as Keras computes some of them."""
    return json.loads(json.dumps(configs), parse_float=np.float32)


@pytest.mark.parametrize("name", CASES)
def test_keras_reads_our_descriptions(name: str, exchange: dict[str, Any]) -> None:
    found = exchange["read"][name]
    assert "error" not in found, found["error"]
    opened, made = rounded(found["configs"])
    assert opened == made


@pytest.mark.parametrize("name", sorted(set(CASES) - NOT_DESCRIBED))
def test_we_read_descriptions_of_keras(name: str, exchange: dict[str, Any]) -> None:
    opened, made = rounded(saved_objects.read(pynn, exchange["described"][name], name))
    assert opened == made
