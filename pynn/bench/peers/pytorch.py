"""PyTorch, as fast as it goes: fused optimizer, denormals flushed, views as batches."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar

from pynn.bench.jobs import BETA_1, BETA_2, EPSILON, Classes, Floats, Job, Weights


class PyTorch:
    """Eager."""

    name: ClassVar[str] = "PyTorch"
    module: ClassVar[str] = "torch"
    distribution: ClassVar[str] = "torch"

    def __init__(self, job: Job, threads: int) -> None:
        import torch

        self.torch, self.job = torch, job
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        layers: list[Any] = []
        for i, (a, b) in enumerate(pairwise(job.sizes)):
            linear = torch.nn.Linear(a, b)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(job.weights[2 * i].T.copy()))
                linear.bias.copy_(torch.from_numpy(job.weights[2 * i + 1]))
            layers += [linear, torch.nn.ReLU()]
        self.model: Any = torch.nn.Sequential(*layers[:-1])
        self.steps = 0
        self.parameters = list(self.model.parameters())
        self.optimizer = (
            torch.optim.SGD(self.parameters, job.learning_rate, fused=True)
            if job.kind == "sgd"
            else torch.optim.Adam(
                self.parameters, job.learning_rate, (BETA_1, BETA_2), EPSILON, fused=True
            )
        )

    def load(self, x: Floats, y: Classes) -> None:
        self.x, self.y = self.torch.from_numpy(x), self.torch.from_numpy(y)

    def loss(self, x: Any, y: Any) -> Any:
        return self.torch.nn.functional.cross_entropy(self.model(x), y)

    def equalize(self) -> None:
        """Lets Adam's ε count as in the paper's efficient form, which the others compute.

        PyTorch adds it to the root of the corrected second moment: in the first steps that is
        less by a factor of up to 30, which the loss shows.
        """
        self.steps += 1
        if self.job.kind == "adam":
            corrected = EPSILON / (1 - BETA_2**self.steps) ** 0.5
            self.optimizer.param_groups[0]["eps"] = corrected

    def train(self) -> None:
        total = self.torch.zeros(())
        batches = zip(self.x.split(self.job.batch), self.y.split(self.job.batch), strict=True)
        for x, y in batches:
            loss = self.loss(x, y)
            self.optimizer.zero_grad()
            loss.backward()
            self.equalize()
            self.optimizer.step()
            total += loss.detach()

    def predict(self) -> Any:
        with self.torch.inference_mode():
            return self.model(self.x).numpy()

    def weights(self) -> Weights:
        arrays = [p.detach().numpy() for p in self.parameters]
        return [a.T.copy() if a.ndim == 2 else a.copy() for a in arrays]


class CompiledPyTorch(PyTorch):
    """Network and loss through `torch.compile`, which needs a C++ compiler."""

    name: ClassVar[str] = "PyTorch-compiled"

    def __init__(self, job: Job, threads: int) -> None:
        super().__init__(job, threads)
        self.model = self.torch.compile(self.model)
        self.loss = self.torch.compile(super().loss)  # type: ignore[method-assign]
