"""The layers a network is made of."""

from __future__ import annotations

from pynn._compat import explain_absent
from pynn._graph.variable import Variable
from pynn.layers._base import Layer
from pynn.layers.activation import ELU, LeakyReLU, PReLU, ReLU, RReLU, Softmax
from pynn.layers.core import Activation, Dense, Input, InputLayer
from pynn.layers.normalization import BatchNormalization
from pynn.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
)
from pynn.layers.reshaping import Flatten, Identity, Rescaling, Reshape

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "Input",
    "InputLayer",
    "Layer",
    "LeakyReLU",
    "PReLU",
    "RReLU",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Softmax",
    "Variable",
]

explain_absent(globals())
