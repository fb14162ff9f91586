"""pynn: dense neural networks on CPUs, with Keras's vocabulary.

``import pynn as keras`` runs ordinary dense-network Keras code as written.

Example:
    >>> import pynn
    >>> model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(3, activation="softmax")])
    >>> model.count_params()
    15
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pynn import _compat

if TYPE_CHECKING:
    from pynn import activations as activations
    from pynn import backend as backend
    from pynn import callbacks as callbacks
    from pynn import config as config
    from pynn import datasets as datasets
    from pynn import initializers as initializers
    from pynn import layers as layers
    from pynn import losses as losses
    from pynn import metrics as metrics
    from pynn import models as models
    from pynn import optimizers as optimizers
    from pynn import random as random
    from pynn import regularizers as regularizers
    from pynn import saving as saving
    from pynn import sklearn as sklearn
    from pynn import utils as utils
    from pynn._graph.symbol import KerasTensor as KerasTensor
    from pynn.config import get_num_threads as get_num_threads
    from pynn.config import set_num_threads as set_num_threads
    from pynn.config import show_config as show_config
    from pynn.initializers import Initializer as Initializer
    from pynn.layers import Input as Input
    from pynn.layers import InputLayer as InputLayer
    from pynn.layers import Layer as Layer
    from pynn.layers import Variable as Variable
    from pynn.losses import Loss as Loss
    from pynn.metrics import Metric as Metric
    from pynn.models import DivergenceWarning as DivergenceWarning
    from pynn.models import Model as Model
    from pynn.models import Sequential as Sequential
    from pynn.optimizers import Optimizer as Optimizer
    from pynn.regularizers import Regularizer as Regularizer
    from pynn.sklearn import MLPClassifier as MLPClassifier
    from pynn.sklearn import MLPRegressor as MLPRegressor
    from pynn.sklearn import Perceptron as Perceptron

    __version__: str

# Modules are imported when first used, so that `import pynn` takes little more than NumPy.
_MODULES = (
    "activations", "backend", "callbacks", "config", "constraints", "datasets", "initializers",
    "layers", "losses", "metrics", "models", "ops", "optimizers", "random", "regularizers",
    "saving", "sklearn", "utils",
)  # fmt: skip
_NAMES = {
    "DivergenceWarning": "models",
    "Initializer": "initializers",
    "Input": "layers",
    "InputLayer": "layers",
    "KerasTensor": "_graph.symbol",
    "Layer": "layers",
    "Loss": "losses",
    "MLPClassifier": "sklearn",
    "MLPRegressor": "sklearn",
    "Metric": "metrics",
    "Model": "models",
    "Optimizer": "optimizers",
    "Perceptron": "sklearn",
    "Regularizer": "regularizers",
    "Sequential": "models",
    "Variable": "layers",
    "get_num_threads": "config",
    "set_num_threads": "config",
    "show_config": "config",
}

__all__ = ["__version__", *_MODULES, *_NAMES]


_compat.install()


def __getattr__(name: str) -> Any:
    value: Any
    if name in _MODULES:
        return importlib.import_module(f"pynn.{name}")
    if name in _NAMES:
        value = getattr(importlib.import_module(f"pynn.{_NAMES[name]}"), name)
    elif name == "__version__":
        value = importlib.import_module("pynn._core").config()["version"]
    else:
        _compat.raise_absent("pynn", name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
