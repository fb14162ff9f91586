"""Loss and metrics of a compiled model: what is handed to the engine and what comes back."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from pynn import losses, metrics

Shape = tuple[int, ...]


class Objective:
    """What ``compile`` was given, resolved once outputs and targets have shapes.

    Args:
        loss: name, object or function of ``pynn.losses``.
        plain: metrics that ignore sample weights.
        weighted: metrics that use them.

    Raises:
        ValueError: an unknown name.
        TypeError: something else.
    """

    def __init__(self, loss: Any, plain: Any, weighted: Any) -> None:
        if isinstance(loss, (list, tuple)) and len(loss) == 1:
            loss = loss[0]
        self.loss: Any = None if loss is None else losses.get(loss)
        self._given = [(given, False) for given in _as_list("metrics", plain)]
        self._given += [(given, True) for given in _as_list("weighted_metrics", weighted)]
        for given, _ in self._given:
            metrics.check(given)
        self.metrics: list[Any] = []
        self._weighted: list[bool] = []
        self._keys: list[str] = []

    @property
    def sparse(self) -> bool:
        """Whether targets are class indices."""
        return bool(self.loss.sparse)

    def resolve(self, output_shape: Shape, target_shape: Shape) -> None:
        """Chooses the metrics meant by names such as "accuracy" from the shapes of one sample."""
        self.metrics = [
            metrics.resolve(given, output_shape, target_shape) for given, _ in self._given
        ]
        self._weighted = [weighted for _, weighted in self._given]
        self._keys = _distinct_keys(self.metrics, self._weighted)

    @property
    def metric_specs(self) -> list[dict[str, Any]]:
        """The metrics as the engine wants them."""
        return [
            {**metric.spec(), "weighted": weighted}
            for metric, weighted in zip(self.metrics, self._weighted, strict=True)
        ]

    @property
    def names(self) -> list[str]:
        """Keys of the logs: ``loss``, then the metrics in the order given.

        A weighted metric of the name of a plain one is called ``weighted_...``, as in Keras; other
        names that come again get a number.
        """
        return ["loss", *self._keys]

    def values(self, results: Mapping[str, Any]) -> list[float]:
        """Turns the engine's sums into numbers, in the order of ``names``."""
        sums: Sequence[Any] = results["metrics"]
        found = [
            float(metric.result_of(total)) for metric, total in zip(self.metrics, sums, strict=True)
        ]
        return [float(results["loss"]), *found]

    def logs(self, results: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
        """The same as a dictionary, sorted by name as Keras does."""
        values = dict(zip(self.names, self.values(results), strict=True))
        return {prefix + name: values[name] for name in sorted(values)}

    def direction(self, name: str) -> str | None:
        """ "down" or "up", whichever is better for a log key; None for an unknown one."""
        name = name.removeprefix("val_")
        if name == "loss":
            return "down"
        for metric, key in zip(self.metrics, self._keys, strict=True):
            if key == name:
                return str(metric.direction)
        return None


def _distinct_keys(metrics: Sequence[Any], weighted: Sequence[bool]) -> list[str]:
    keys = ["loss"]
    for metric, is_weighted in zip(metrics, weighted, strict=True):
        name = str(metric.name)
        if name in keys and is_weighted:
            name = f"weighted_{name}"
        key, count = name, 1
        while key in keys:
            key, count = f"{name}_{count}", count + 1
        keys.append(key)
    return keys[1:]


def warn_of_hints(**given: bool) -> None:
    """Warns of hints to ``compile`` about the execution of a graph: the engine decides that."""
    for name in (name for name, is_given in given.items() if is_given):
        warnings.warn(
            f"compile: `{name}` changes nothing here: the engine always runs compiled code.",
            stacklevel=3,
        )


def _as_list(argument: str, value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        raise TypeError(
            f"compile: `{argument}` must be a list: the model has one output. "
            f"Received: {argument}={value!r}"
        )
    if not isinstance(value, (list, tuple)):
        return [value]
    flat: list[Any] = []
    for item in value:
        flat += item if isinstance(item, (list, tuple)) else [item]
    return [item for item in flat if item is not None]
