"""Logs for TensorBoard."""

from __future__ import annotations

import math
import os
import time
import warnings
from typing import Any

import numpy as np

from pynn.callbacks._base import Callback, Logs
from pynn.utils.checks import number


class TensorBoard(Callback):
    """Writes losses, metrics and weights for TensorBoard (``tensorboard --logdir logs``).

    Scalars go to the runs ``train`` and ``validation`` of the folder: ``epoch_loss``,
    ``epoch_learning_rate`` and so on over the epochs, ``batch_loss`` over the batches, and
    ``evaluation_loss_vs_iterations`` after each evaluation.

    Args:
        log_dir: the folder.
        histogram_freq: epochs between two histograms of every weight; 0: none.
        write_graph: whether to write the model's description for the conceptual graph.
        write_images: must be False: weights are not drawn as images.
        write_steps_per_second: whether to write how many batches a second are trained.
        update_freq: ``"epoch"``, ``"batch"``, or the number of batches between two points of the
            batches' running means.
        profile_batch: must be 0: nothing is profiled.
        embeddings_freq: must be 0: embeddings are not projected.
        embeddings_metadata: must be None.
        write_grads: whether to write, with the histograms of the weights, histograms and Euclidean
            norms of the gradients of the epoch's last batch.

    Raises:
        ImportError: tensorboardX is not installed.
        ValueError: an option that must not be set, or a number outside its range.

    Example:
        >>> board = TensorBoard("logs", histogram_freq=1)  # doctest: +SKIP
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
        write_grads: bool = False,
    ) -> None:
        super().__init__()
        for name, value in {
            "write_images": write_images,
            "profile_batch": profile_batch,
            "embeddings_freq": embeddings_freq,
            "embeddings_metadata": embeddings_metadata,
        }.items():
            if value:
                raise ValueError(
                    f"TensorBoard: `{name}` is not offered. Received: {name}={value!r}"
                )
        number("TensorBoard", "histogram_freq", histogram_freq)
        if histogram_freq < 0 or (write_grads and not histogram_freq):
            raise ValueError(
                "TensorBoard: `histogram_freq` must not be negative, and more than 0 for "
                f"write_grads. Received: histogram_freq={histogram_freq!r}"
            )
        every = 1 if update_freq == "batch" else update_freq
        if every != "epoch" and not (isinstance(every, int) and every > 0):
            raise ValueError(
                "TensorBoard: `update_freq` must be 'epoch', 'batch' or a positive number of "
                f"batches. Received: update_freq={update_freq!r}"
            )
        _library()
        self.log_dir, self.update_freq = os.fspath(log_dir), every
        self.histogram_freq, self.write_grads = histogram_freq, write_grads
        self.write_graph, self.write_steps_per_second = write_graph, write_steps_per_second
        self._writers: dict[str, Any] = {}
        self._batches = 0
        self._last = self._epoch_start = (0, 0.0)  # iterations and time
        if every != "epoch":  # only then training stops at every batch
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def _writer(self, run: str) -> Any:
        if run not in self._writers:
            folder = os.path.join(self.log_dir, run)
            self._writers[run] = _library().SummaryWriter(folder)
        return self._writers[run]

    def _now(self) -> tuple[int, float]:
        return int(self.model.optimizer.iterations), time.perf_counter()

    # ---- moments -----------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs = None) -> None:
        self._batches = 0
        self._last = self._now()
        if self.write_graph:
            self._write_graph()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch_start = self._now()

    def _after_batch(self, batch: int, logs: Logs = None) -> None:
        self._batches += 1
        if self._batches % int(self.update_freq):
            return
        values = dict(logs or {})
        if self.write_steps_per_second:
            values["steps_per_second"] = _speed(self._last, self._now())
            self._last = self._now()
        self._write("train", "batch_{}", values, self._batches)

    def on_test_end(self, logs: Logs = None) -> None:
        step = int(self.model.optimizer.iterations)
        self._write("validation", "evaluation_{}_vs_iterations", logs or {}, step)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        train = {name: value for name, value in logs.items() if not name.startswith("val_")}
        validation = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
        train["learning_rate"] = float(self.model.optimizer.learning_rate)
        if self.write_steps_per_second:
            train["steps_per_second"] = _speed(self._epoch_start, self._now())
        self._write("train", "epoch_{}", train, epoch)
        self._write("validation", "epoch_{}", validation, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for weight in self.model.weights:
                self._histogram(f"{weight.path}/histogram", weight.numpy(), epoch)
            if self.write_grads:
                self._write_gradients(epoch)

    def on_train_end(self, logs: Logs = None) -> None:
        self.on_close()

    def on_close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    # ---- what is written ---------------------------------------------------------------------

    def _write(self, run: str, tag: str, values: dict[str, Any], step: int) -> None:
        for name, value in values.items():
            self._writer(run).add_scalar(tag.format(name), float(np.mean(value)), step)
        if values:
            self._writer(run).flush()

    def _histogram(self, tag: str, values: Any, step: int) -> None:
        finite = values[np.isfinite(values)]
        if finite.size:
            self._writer("train").add_histogram(tag, finite, step)

    def _write_gradients(self, epoch: int) -> None:
        norms = {}
        for weight, gradient in self.model.last_gradients():
            self._histogram(f"{weight.path}/gradient", gradient, epoch)
            norms[f"{weight.path}/gradient_norm"] = float(np.linalg.norm(gradient))
        norms["epoch_gradient_norm"] = math.hypot(*norms.values())
        self._write("train", "{}", norms, epoch)

    def _write_graph(self) -> None:
        """The model's JSON in the form that TensorBoard's page of graphs looks for."""
        from tensorboardX.proto import summary_pb2, tensor_pb2, types_pb2

        try:
            text = self.model.to_json()
        except (NotImplementedError, TypeError, ValueError) as error:
            warnings.warn(f"TensorBoard: the model's graph is not written: {error}", stacklevel=5)
            return
        plugin = summary_pb2.SummaryMetadata.PluginData(
            plugin_name="graph_keras_model", content=b"1"
        )
        value = summary_pb2.Summary.Value(
            tag="keras",
            metadata=summary_pb2.SummaryMetadata(plugin_data=plugin),
            tensor=tensor_pb2.TensorProto(
                dtype=types_pb2.DT_STRING,
                tensor_shape={},
                string_val=[text.encode()],
            ),
        )
        writer = self._writer("train").file_writer
        writer.add_summary(summary_pb2.Summary(value=[value]), 0)


def _speed(earlier: tuple[int, float], later: tuple[int, float]) -> float:
    """Steps a second between two moments."""
    return (later[0] - earlier[0]) / max(later[1] - earlier[1], 1e-9)


def _library() -> Any:
    """tensorboardX, which is an optional dependency."""
    try:
        import tensorboardX
    except ImportError as error:
        raise ImportError(
            "TensorBoard: the logs are written with tensorboardX, which is not installed. "
            "Install it: pip install 'pynn-mlp[tensorboard]'"
        ) from error
    return tensorboardX
