"""The rows an estimator is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rows:
    """Samples, targets in the form the model's loss reads, and weights or None."""

    x: Any
    y: Any
    weight: Any

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def __getitem__(self, places: Any) -> Rows:
        weight = None if self.weight is None else self.weight[places]
        return Rows(self.x[places], self.y[places], weight)
