"""This project by its two doors."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from pynn.bench.jobs import BETA_1, BETA_2, EPSILON, Classes, Floats, Job, Weights
from pynn.bench.peers.scikit_learn import parameters


class Pynn:
    """A Sequential model."""

    name: ClassVar[str] = "pynn"
    module: ClassVar[str] = "pynn"
    distribution: ClassVar[str] = "pynn-mlp"

    def __init__(self, job: Job, threads: int) -> None:
        from pynn import config, layers, losses, optimizers
        from pynn.models import Sequential

        self.job = job
        config.set_num_threads(threads)
        hidden = [layers.Dense(units, activation="relu") for units in job.sizes[1:-1]]
        self.model = Sequential([layers.Input(job.sizes[:1]), *hidden, layers.Dense(job.sizes[-1])])
        self.model.set_weights(job.weights)
        adam = optimizers.Adam(job.learning_rate, BETA_1, BETA_2, EPSILON)
        self.model.compile(
            optimizer=optimizers.SGD(job.learning_rate) if job.kind == "sgd" else adam,
            loss=losses.SparseCategoricalCrossentropy(from_logits=True),
        )

    def load(self, x: Floats, y: Classes) -> None:
        self.x, self.y = x, y

    def train(self) -> None:
        self.model.fit(self.x, self.y, batch_size=self.job.batch, shuffle=False, verbose=0)

    def predict(self) -> Any:
        return self.model(self.x) if len(self.x) == 1 else self.model.predict(self.x, verbose=0)

    def weights(self) -> Weights:
        return [np.array(w) for w in self.model.get_weights()]


class Estimator:
    """`MLPClassifier`, whose two-class networks have one output only.

    To be the job's network it gets a third class there, whose probability its bias makes 0, and
    its gradient with it: the other two are what they are without.
    """

    name: ClassVar[str] = "pynn-estimator"
    module: ClassVar[str] = "pynn.sklearn"
    distribution: ClassVar[str] = "pynn-mlp"

    def __init__(self, job: Job, threads: int) -> None:
        from pynn.sklearn import MLPClassifier

        self.classes = job.sizes[-1]
        self.model = MLPClassifier(**parameters(job), n_threads=threads)
        # A first call makes the arrays; what it trained is taken back, with Adam's state.
        classes = max(self.classes, 3)
        row = np.zeros((job.batch, job.sizes[0]), np.float32)
        self.model.partial_fit(row, np.zeros(job.batch, int), classes=np.arange(classes))
        self.model._compile(incremental=False)
        *weights, kernel, bias = job.weights
        surplus = classes - self.classes
        weights += [np.pad(kernel, ((0, 0), (0, surplus)))]
        weights += [np.pad(bias, (0, surplus), constant_values=np.float32(-1e6))]
        self.model.coefs_, self.model.intercepts_ = weights[0::2], weights[1::2]

    def load(self, x: Floats, y: Classes) -> None:
        self.x, self.y = x, y

    def train(self) -> None:
        self.model.partial_fit(self.x, self.y)

    def predict(self) -> Any:
        return self.model.predict_proba(self.x)[:, : self.classes]

    def weights(self) -> Weights:
        pairs = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        weights = [np.array(array) for pair in pairs for array in pair]
        return [*weights[:-2], *(array[..., : self.classes] for array in weights[-2:])]
