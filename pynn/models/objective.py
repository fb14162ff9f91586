"""Losses and metrics of a compiled model: what the engine is given and what its sums mean."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from pynn import losses, metrics
from pynn._graph.program import Program
from pynn._graph.tensor import Shape, Tensor
from pynn.models import masking
from pynn.models.data import Data


@dataclass
class LossEntry:
    """A loss of one output."""

    output: int
    loss: Any
    weight: float
    key: str


@dataclass
class MetricEntry:
    """A metric of one output. ``spec`` is None where Python computes it batch by batch."""

    output: int
    metric: Any
    weighted: bool
    key: str
    place: int | None = None  # among the sums of the engine
    count: int | None = None  # the place of the number of steps that a mask counts


class Objective:
    """What ``compile`` was given, resolved once outputs and targets have shapes.

    Args:
        loss: name, object or function of ``pynn.losses``; a list or dictionary for several outputs.
        loss_weights: factors of the outputs' losses in the sum that is minimized.
        plain: metrics that ignore sample weights.
        weighted: metrics that use them.

    Raises:
        ValueError: an unknown name.
        TypeError: something else.
    """

    def __init__(self, loss: Any, loss_weights: Any, plain: Any, weighted: Any) -> None:
        self._loss = _map_nested(losses.check, loss)
        self._loss_weights = loss_weights
        self._plain, self._weighted = plain, weighted
        for given in (plain, weighted):
            _map_nested(metrics.check, given)
        self.losses: list[LossEntry] = []
        self.metric_entries: list[MetricEntry] = []
        self._by_output: list[Any] | None = None

    # ---- resolving ---------------------------------------------------------------------------

    def losses_by_output(self, names: Sequence[str]) -> list[Any]:
        """The loss of each output, None where there is none.

        Raises:
            ValueError: names or numbers that do not fit the outputs.
        """
        if self._by_output is None:
            self._by_output = _spread("loss", self._loss, names)
        return self._by_output

    def compares(self, names: Sequence[str]) -> list[bool]:
        """Which outputs have a loss or a metric, and so need targets."""
        kinds = [self.losses_by_output(names)]
        kinds += [_metrics_by_output(given, names) for given in (self._plain, self._weighted)]
        return [any(bool(kind[k]) for kind in kinds) for k in range(len(names))]

    def resolve(
        self,
        names: Sequence[str],
        outputs: Sequence[Shape],
        targets: Sequence[Shape | None],
        named: bool = True,
        by_key: bool = False,
    ) -> None:
        """Chooses the metrics meant by names such as "accuracy", and the keys of the logs.

        Args:
            names: of the outputs.
            outputs, targets: the shapes of one sample.
            named: whether the names are the model's own: then they are part of the keys.
            by_key: whether the outputs are a dictionary: losses are then reported in the order of
                the dictionary of losses, as Keras does.
        """
        several = len(names) > 1
        factors = _spread("loss_weights", self._loss_weights, names, default=1.0)
        chosen = [
            losses.resolve(loss, outputs[k], targets[k])
            for k, loss in enumerate(self.losses_by_output(names))
        ]
        log_each = several and sum(loss is not None for loss in chosen) > 1
        taken = {"loss"}
        self.losses = []
        for k in _reported(self._loss, names) if by_key else range(len(names)):
            if chosen[k] is not None:
                name = f"{names[k] if named else chosen[k].name}_loss"
                key = _distinct_key("", name, False, taken) if log_each else ""
                self.losses.append(LossEntry(k, chosen[k], _factor(factors[k]), key))
        self.metric_entries = []
        for given, weighted in ((self._plain, False), (self._weighted, True)):
            for k, own in enumerate(_metrics_by_output(given, names)):
                for item in own:
                    metric = metrics.resolve(item, outputs[k], targets[k])
                    prefix = f"{names[k]}_" if several and named else ""
                    key = _distinct_key(prefix, str(metric.name), weighted, taken)
                    self.metric_entries.append(MetricEntry(k, metric, weighted, key))
        if several and named:
            self.metric_entries.sort(key=lambda entry: entry.key)  # the order Keras evaluates in

    def attach(self, program: Program, targets: Sequence[Shape | None]) -> dict[str, Any]:
        """Adds to a program what is computed from traced functions.

        Returns:
            The losses and metrics as the engine's trainer takes them, and which targets are
            further inputs of the network.
        """
        inputs: dict[int, Tensor] = {}

        def values(k: int, function: Any) -> int:
            shape = targets[k]
            assert shape is not None
            if k not in inputs:
                inputs[k] = program.graph.input(shape)
            return program.also(program.graph.call(_Traced(function), inputs[k], outputs[k]))

        outputs = program.flat_outputs
        loss_specs: list[dict[str, Any]] = []
        for entry in self.losses:
            spec = {"target": entry.output, "weight": entry.weight}
            described = entry.loss.spec()
            mask = outputs[entry.output].mask
            if mask is not None:
                spec["values"] = values(entry.output, masking.loss(entry.loss, mask))
                described = {"reduction": described["reduction"]}
            elif entry.loss.row is not None:
                spec["output"] = entry.output
            else:
                spec["values"] = values(entry.output, entry.loss.call)
            loss_specs.append({**spec, **described})
        metric_specs: list[dict[str, Any]] = []
        for found in self.metric_entries:
            place = {"output": found.output, "target": found.output, "weighted": found.weighted}
            mask = outputs[found.output].mask
            if mask is not None:
                found.place = len(metric_specs)
                found.count = found.place + 1
                metric_specs += [
                    {**place, "values": values(found.output, function)}
                    for function in masking.metric(found.metric, mask)
                ]
                continue
            spec = found.metric.spec()
            if spec is None and not isinstance(found.metric, metrics.MeanMetricWrapper):
                found.place = None
                continue
            if spec is None:
                spec = {"values": values(found.output, found.metric.call)}
            found.place = len(metric_specs)
            metric_specs.append({**place, **spec})
        for variable in program.graph.variables:
            penalty = variable.regularizer
            in_engine = penalty is None or getattr(penalty, "factors", None) is not None
            if not in_engine and id(variable) in program.graph.trained:
                program.graph.penalties.append(penalty(program.graph.parameter(variable)))
        loss_specs += [
            {"values": program.also(tensor), "target": None} for tensor in program.graph.penalties
        ]
        return {"losses": loss_specs, "metrics": metric_specs, "targets": list(inputs)}

    # ---- results -----------------------------------------------------------------------------

    @property
    def metrics(self) -> list[Any]:
        """The metric objects."""
        return [entry.metric for entry in self.metric_entries]

    @property
    def python_metrics(self) -> list[MetricEntry]:
        """The metrics that are updated by Python."""
        return [entry for entry in self.metric_entries if entry.place is None]

    @property
    def adds_up(self) -> bool:
        """Whether the loss of many rows is the mean of theirs, whatever the batches are."""
        return all(
            entry.loss.row is not None and entry.loss.spec()["reduction"] == "mean"
            for entry in self.losses
        )

    def update_python_metrics(self, data: Data, outputs: Sequence[npt.NDArray[Any]]) -> None:
        """Hands a batch's targets and outputs to them."""
        for entry in self.python_metrics:
            weight = data.weight[entry.output] if entry.weighted else None
            entry.metric.update_state(data.y[entry.output], outputs[entry.output], weight)

    def reset_python_metrics(self) -> None:
        """Starts them anew."""
        for entry in self.python_metrics:
            entry.metric.reset_state()

    @property
    def names(self) -> list[str]:
        """Keys of the logs: ``loss``, the loss of each output if there are several, the metrics."""
        keys = [entry.key for entry in self.losses if entry.key]
        return ["loss", *keys, *(entry.key for entry in self.metric_entries)]

    def values(self, results: Mapping[str, Any]) -> list[float]:
        """Turns the engine's sums into numbers, in the order of ``names``."""
        found = [float(results["loss"])]
        for entry, value in zip(self.losses, results["losses"], strict=True):
            if entry.key:
                found.append(float(value))
        for metric in self.metric_entries:
            if metric.place is None:
                found.append(metric.metric.result())
            else:
                sums = results["metrics"][metric.place]
                if metric.count is not None:
                    sums = [sums[0], results["metrics"][metric.count][0]]
                metric.metric.set_sums(sums)  # so that its own result() is the one reported
                found.append(metric.metric.result_of(sums))
        return [_plain(value) for value in found]

    def logs(self, results: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
        """The same as a dictionary, sorted by name as Keras does."""
        values = dict(zip(self.names, self.values(results), strict=True))
        return {prefix + name: values[name] for name in sorted(values)}

    def direction(self, name: str) -> str | None:
        """ "down" or "up", whichever is better for a log key; None for an unknown one."""
        name = name.removeprefix("val_")
        if name == "loss" or any(entry.key == name for entry in self.losses):
            return "down"
        for entry in self.metric_entries:
            if entry.key == name:
                return str(entry.metric.direction)
        return "up" if name == "score" else None  # that of scikit-learn's scorers


class _Traced:
    """A loss or a metric while it is recorded."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def trace(self, graph: Any, y_true: Any, y_pred: Any) -> Any:
        return self._function(y_true, y_pred)


def _plain(value: Any) -> Any:
    """A Python number; an array of several numbers stays one."""
    return value if getattr(value, "ndim", 0) else float(value)


def _distinct_key(prefix: str, name: str, weighted: bool, taken: set[str]) -> str:
    """A key not taken yet; a weighted metric of a plain one's name is called ``weighted_...``."""
    if prefix + name in taken and weighted:
        name = f"weighted_{name}"
    key, count = prefix + name, 1
    while key in taken:
        key, count = f"{prefix}{name}_{count}", count + 1
    taken.add(key)
    return key


def _map_nested(function: Any, structure: Any) -> Any:
    """Applies a function to the entries of a list or dictionary; None stays None."""
    if structure is None:
        return None
    if isinstance(structure, Mapping):
        return {key: _map_nested(function, part) for key, part in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [_map_nested(function, part) for part in structure]
    return function(structure)


def _spread(argument: str, value: Any, names: Sequence[str], default: Any = None) -> list[Any]:
    """One entry for each output: from a dictionary, a list, or a single one for all."""
    if value is None:
        return [default] * len(names)
    if isinstance(value, Mapping):
        unknown = [name for name in value if name not in names]
        if unknown:
            raise ValueError(
                f"compile: the keys of `{argument}` must be outputs: {list(names)}. "
                f"Received: {argument} with the keys {list(value)}"
            )
        return [value.get(name, default) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(
                f"compile: `{argument}` must have one entry for each of the {len(names)} outputs "
                f"{list(names)}. Received: {len(value)} entries"
            )
        return [default if entry is None else entry for entry in value]
    if argument == "loss_weights" and len(names) > 1:
        raise ValueError(
            "compile: `loss_weights` must be a list or a dictionary. "
            f"Received: loss_weights={value!r}"
        )
    return [value] * len(names)


def _reported(loss: Any, names: Sequence[str]) -> list[int]:
    """The numbers of the outputs, first those with an entry in a dictionary of losses."""
    listed = [names.index(name) for name in loss] if isinstance(loss, Mapping) else []
    return [*listed, *(k for k in range(len(names)) if k not in listed)]


def _metrics_by_output(value: Any, names: Sequence[str]) -> list[list[Any]]:
    if len(names) == 1 and not isinstance(value, Mapping):
        return [_flat(value)]
    if value is not None and not isinstance(value, (list, tuple, Mapping)):
        value = [value] * len(names)
    return [_flat(own) for own in _spread("metrics", value or None, names)]


def _flat(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _flat(item)]
    return [value]


def _factor(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"compile: `loss_weights` must consist of numbers. Received: {value!r}"
        ) from None


def warn_of_hints(**given: bool) -> None:
    """Warns of hints to ``compile`` about the execution of a graph: the engine decides that."""
    for name in (name for name, is_given in given.items() if is_given):
        warnings.warn(
            f"compile: `{name}` changes nothing here: the engine always runs compiled code.",
            stacklevel=3,
        )
