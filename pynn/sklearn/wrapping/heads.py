"""The outputs of a model: what is compared with them, and what their numbers mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from scipy.special import expit, softmax

from pynn import losses
from pynn.models import Model
from pynn.sklearn.goals import learns_probabilities


@dataclass(frozen=True)
class Head:
    """One output of a model.

    Attributes:
        columns: its size.
        is_linear: whether a dense layer without activation makes it.
        loss: the loss it is trained with; None if that is not chosen yet.
    """

    columns: int
    is_linear: bool
    loss: Any = None

    @property
    def takes_indices(self) -> bool:
        """Whether targets are class numbers, rather than rows with a column for each class."""
        return self.columns == 1 or self.loss.sparse

    @property
    def gives_logits(self) -> bool:
        """Whether the loss takes the output for logits."""
        return bool(getattr(self.loss, "from_logits", False))

    @property
    def gives_margins(self) -> bool:
        """Whether the loss knows no probabilities: the sign, or the largest column, decides."""
        return not learns_probabilities(self.loss)

    @property
    def threshold(self) -> float:
        """Above which a single column says yes."""
        return 0.0 if self.gives_logits or self.gives_margins else 0.5

    def probabilities(self, owner: str, output: npt.NDArray[Any], exclusive: bool) -> Any:
        """Returns the probabilities an output stands for.

        Args:
            owner: the estimator's name, for messages.
            output: shape (n, columns).
            exclusive: whether the columns are classes of which one is true.

        Raises:
            AttributeError: the outputs are no probabilities.
        """
        if self.gives_margins:
            raise AttributeError(
                f"{owner}: a model trained with a hinge loss gives no probabilities. "
                f"Received: loss={self.loss.name!r}"
            )
        if not self.gives_logits:
            return output
        return softmax(output, axis=1) if exclusive else expit(output)


def heads(owner: str, model: Model) -> list[Head]:
    """Returns the outputs of a built model.

    Raises:
        ValueError: an output that has not one row of numbers for each sample.
    """
    program = model.program()
    outputs = program.flat_outputs
    chosen: Sequence[Any] = [None] * len(outputs)
    if model._objective is not None:
        chosen = model._objective.losses_by_output(model.output_names)
    found = []
    for tensor, loss in zip(outputs, chosen, strict=True):
        if len(tensor.sample) != 1:
            raise ValueError(
                f"{owner}: the model must return one row of numbers for each sample, shape "
                f"(n, columns). Received: (n, {', '.join(map(str, tensor.sample))})"
            )
        is_linear = program.graph.operation(tensor) == "dense"
        columns = tensor.sample[0]
        found.append(Head(columns, is_linear, losses.resolve(loss, (columns,), ())))
    return found
