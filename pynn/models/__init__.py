"""Models: layers put together, trained and used."""

from __future__ import annotations

from pynn.models.data import SortedTargetsWarning
from pynn.models.fitting import DivergenceWarning
from pynn.models.model import Model
from pynn.models.sequential import Sequential

__all__ = ["DivergenceWarning", "Model", "Sequential", "SortedTargetsWarning"]
