"""Keras, by default on JAX, its fastest backend here."""

from __future__ import annotations

import os
from typing import Any, ClassVar

import numpy as np

from pynn.bench.jobs import BETA_1, BETA_2, EPSILON, Classes, Floats, Job, Weights


class Keras:
    """A Sequential model by `fit`."""

    name: ClassVar[str] = "Keras"
    module: ClassVar[str] = "keras"
    distribution: ClassVar[str] = "keras"

    def __init__(self, job: Job, threads: int) -> None:
        os.environ.setdefault("KERAS_BACKEND", "jax")
        import keras

        if keras.backend.backend() == "numpy":
            raise ImportError("Keras does not train on its numpy backend (KERAS_BACKEND)")
        self.job = job
        layers = [keras.layers.Dense(units, activation="relu") for units in job.sizes[1:-1]]
        self.model = keras.Sequential(
            [keras.Input(job.sizes[:1]), *layers, keras.layers.Dense(job.sizes[-1])]
        )
        self.model.set_weights(job.weights)
        adam = keras.optimizers.Adam(job.learning_rate, BETA_1, BETA_2, EPSILON)
        self.model.compile(
            optimizer=keras.optimizers.SGD(job.learning_rate) if job.kind == "sgd" else adam,
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )

    def load(self, x: Floats, y: Classes) -> None:
        self.x, self.y = x, y

    def train(self) -> None:
        self.model.fit(self.x, self.y, batch_size=self.job.batch, shuffle=False, verbose=0)

    def predict(self) -> Any:
        outputs = self.model(self.x) if len(self.x) == 1 else self.model.predict(self.x, verbose=0)
        return np.asarray(outputs)

    def weights(self) -> Weights:
        return [np.array(w) for w in self.model.get_weights()]
