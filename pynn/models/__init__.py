"""Models: layers put together, trained, used, saved."""

from __future__ import annotations

from typing import Any

from pynn import _compat
from pynn.models.checks import SortedTargetsWarning
from pynn.models.cloning import clone_model
from pynn.models.fitting import DivergenceWarning
from pynn.models.functional import Functional
from pynn.models.model import Model
from pynn.models.sequential import Sequential

__all__ = [
    "DivergenceWarning",
    "Functional",
    "Model",
    "Sequential",
    "SortedTargetsWarning",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]


def __getattr__(name: str) -> Any:
    """``pynn.saving``, which stands on this package, is imported when it is first used."""
    if name in ("load_model", "model_from_json", "save_model"):
        from pynn import saving

        return getattr(saving, name)
    _compat.raise_absent(__name__, name)
