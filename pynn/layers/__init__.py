"""The layers a network is made of."""

from __future__ import annotations

from pynn._compat import explain_absent
from pynn._graph.variable import Variable
from pynn.layers._base import Layer
from pynn.layers.activation import ELU, LeakyReLU, PReLU, ReLU, RReLU, Softmax
from pynn.layers.core import Activation, Dense, Input, InputLayer
from pynn.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from pynn.layers.normalization import BatchNormalization
from pynn.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
)
from pynn.layers.reshaping import Flatten, Identity, Rescaling, Reshape
from pynn.layers.serialization import deserialize, serialize

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "Concatenate",
    "Dense",
    "Dot",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "Input",
    "InputLayer",
    "Layer",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "RReLU",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Softmax",
    "Subtract",
    "Variable",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
    "deserialize",
    "serialize",
]

explain_absent(globals())
