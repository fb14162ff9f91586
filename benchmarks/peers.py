"""The peers: one class each that builds a job's network, trains it and predicts with it.

A new peer is a class with `name`, `version`, `__init__`, `train`, `predict` and `weights`, added to
`PEERS`. Its imports stand in `__init__`: a peer that cannot be imported is left out.
"""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from jobs import Job, Weights

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Peer(Protocol):
    """What the benchmark asks of a library."""

    name: str
    version: str

    def __init__(self, job: Job, threads: int) -> None:
        """Builds the network with the job's initial weights; raises ImportError if it cannot."""

    def train(self) -> None:
        """One epoch over the job's rows, in their order."""

    def predict(self) -> Any:
        """The outputs for the job's rows, as the library's users would ask for them."""

    def weights(self) -> Weights:
        """Kernels of shape (inputs, units) and biases, layer after layer."""


class Pynn:
    """This project."""

    name = "pynn"

    def __init__(self, job: Job, threads: int) -> None:
        import pynn

        self.version = pynn.__version__
        self.job = job
        pynn.config.set_num_threads(threads)
        hidden = [pynn.layers.Dense(units, activation="relu") for units in job.sizes[1:-1]]
        self.model = pynn.Sequential(
            [pynn.Input(job.sizes[:1]), *hidden, pynn.layers.Dense(job.sizes[-1])]
        )
        self.model.set_weights(job.weights)
        if job.trains:
            optimizers = pynn.optimizers
            self.model.compile(
                optimizer=optimizers.Adam(job.learning_rate, BETA_1, BETA_2, EPSILON)
                if job.kind == "adam"
                else optimizers.SGD(job.learning_rate),
                loss=pynn.losses.SparseCategoricalCrossentropy(from_logits=True),
            )

    def train(self) -> None:
        job = self.job
        self.model.fit(job.x, job.y, batch_size=job.batch, epochs=1, shuffle=False, verbose=0)

    def predict(self) -> Any:
        if self.job.batch == 1:
            return self.model(self.job.x)
        return self.model.predict(self.job.x, verbose=0)

    def weights(self) -> Weights:
        return [np.asarray(w) for w in self.model.get_weights()]


class PyTorch:
    """PyTorch eager, as fast as it goes: fused optimizer, denormals flushed, views as batches."""

    name = "PyTorch"

    def __init__(self, job: Job, threads: int) -> None:
        import torch

        self.version = torch.__version__
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
        self.model = torch.nn.Sequential(*layers[:-1])
        parameters = self.model.parameters()
        self.optimizer = (
            torch.optim.Adam(parameters, job.learning_rate, (BETA_1, BETA_2), EPSILON, fused=True)
            if job.kind == "adam"
            else torch.optim.SGD(parameters, job.learning_rate, fused=True)
        )
        self.x, self.y = torch.from_numpy(job.x), torch.from_numpy(job.y)

    def train(self) -> None:
        cross_entropy = self.torch.nn.functional.cross_entropy
        batch = self.job.batch
        total = self.torch.zeros(())
        for start in range(0, len(self.x), batch):
            loss = cross_entropy(
                self.model(self.x[start : start + batch]), self.y[start : start + batch]
            )
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.detach()

    def predict(self) -> Any:
        with self.torch.inference_mode():
            return self.model(self.x).numpy()

    def weights(self) -> Weights:
        arrays = [p.detach().numpy() for p in self.model.parameters()]
        return [a.T.copy() if a.ndim == 2 else a.copy() for a in arrays]


class OneHot:
    """Stands for scikit-learn's label binarizer, which would give two classes one output."""

    def __init__(self, classes: int) -> None:
        self.rows = np.eye(classes, dtype=np.int64)

    def transform(self, y: Any) -> Any:
        """One-hot rows."""
        return self.rows[y]


class ScikitLearn:
    """scikit-learn's MLPClassifier with its own loops, started from given weights."""

    name = "scikit-learn"

    def __init__(self, job: Job, threads: int) -> None:
        import sklearn
        from sklearn.neural_network import MLPClassifier
        from threadpoolctl import threadpool_limits

        self.version = sklearn.__version__
        self.job = job
        self.limit = threadpool_limits(threads, user_api="blas")
        self.model = MLPClassifier(
            job.sizes[1:-1],
            solver="sgd" if job.kind == "sgd" else "adam",
            momentum=0.0,
            nesterovs_momentum=False,
            alpha=0.0,
            batch_size=job.batch,
            learning_rate_init=job.learning_rate or 1e-3,
            shuffle=False,
            beta_1=BETA_1,
            beta_2=BETA_2,
            epsilon=EPSILON,
        )
        # A first fit makes the arrays; with three classes or more the output is softmax.
        classes = max(job.sizes[-1], 3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.model.partial_fit(job.x[:1], job.y[:1], classes=np.arange(classes))
        del self.model._optimizer
        self.model.t_ = 0
        self.model.coefs_ = [w.copy() for w in job.weights[0::2]]
        self.model.intercepts_ = [b.copy() for b in job.weights[1::2]]
        self.model.classes_ = np.arange(job.sizes[-1])
        self.model._label_binarizer = OneHot(job.sizes[-1])

    def train(self) -> None:
        self.model.partial_fit(self.job.x, self.job.y)

    def predict(self) -> Any:
        return self.model.predict_proba(self.job.x)

    def weights(self) -> Weights:
        pairs = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return [array for pair in pairs for array in pair]


PEERS: list[type[Peer]] = [Pynn, PyTorch, ScikitLearn]


def softmaxed(outputs: Any, reference: Any) -> Any:
    """Brings float64 logits to the scale of a peer's outputs, which may be probabilities."""
    if not np.allclose(np.sum(outputs, axis=1), 1.0, atol=1e-4):
        return reference
    exp = np.exp(reference - reference.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)
