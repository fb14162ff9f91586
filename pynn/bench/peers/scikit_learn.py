"""scikit-learn's MLPClassifier with its own loops, started from given weights."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np

from pynn.bench.jobs import BETA_1, BETA_2, EPSILON, Classes, Floats, Job, Weights


def parameters(job: Job) -> dict[str, Any]:
    """What makes an `MLPClassifier`, of either library, the job's network and optimizer."""
    return {
        "hidden_layer_sizes": job.sizes[1:-1],
        "solver": "sgd" if job.kind == "sgd" else "adam",
        "momentum": 0.0,
        "nesterovs_momentum": False,
        "alpha": 0.0,
        "batch_size": job.batch,
        "learning_rate_init": job.learning_rate,
        "shuffle": False,
        "beta_1": BETA_1,
        "beta_2": BETA_2,
        "epsilon": EPSILON,
    }


class OneHot:
    """Stands for the estimator's label binarizer, which would give two classes one output."""

    def __init__(self, classes: int) -> None:
        self.rows = np.eye(classes, dtype=np.int64)

    def transform(self, y: Any) -> Any:
        """One-hot rows."""
        return self.rows[y]


class ScikitLearn:
    """Epochs by `partial_fit`."""

    name: ClassVar[str] = "scikit-learn"
    module: ClassVar[str] = "sklearn.neural_network"
    distribution: ClassVar[str] = "scikit-learn"

    def __init__(self, job: Job, threads: int) -> None:
        from sklearn.neural_network import MLPClassifier
        from threadpoolctl import threadpool_limits

        self.limit = threadpool_limits(threads, user_api="blas")
        self.model = MLPClassifier(**parameters(job))
        # A first fit makes the arrays; with three classes or more the output is softmax.
        classes = max(job.sizes[-1], 3)
        row = np.zeros((1, job.sizes[0]), np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the batch is larger than that
            self.model.partial_fit(row, [0], classes=np.arange(classes))
        del self.model._optimizer
        self.model.t_ = 0
        self.model.coefs_ = [w.copy() for w in job.weights[0::2]]
        self.model.intercepts_ = [b.copy() for b in job.weights[1::2]]
        self.model.classes_ = np.arange(job.sizes[-1])
        self.model._label_binarizer = OneHot(job.sizes[-1])

    def load(self, x: Floats, y: Classes) -> None:
        self.x, self.y = x, y

    def train(self) -> None:
        self.model.partial_fit(self.x, self.y)

    def predict(self) -> Any:
        return self.model.predict_proba(self.x)

    def weights(self) -> Weights:
        pairs = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return [array for pair in pairs for array in pair]
