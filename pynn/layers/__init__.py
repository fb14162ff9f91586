"""The layers a network is made of."""

from __future__ import annotations

from pynn._compat import explain_absent
from pynn._graph.variable import Variable
from pynn.layers._base import Layer
from pynn.layers.activation import (
    ELU,
    LeakyReLU,
    PReLU,
    ReLU,
    RReLU,
    Softmax,
)
from pynn.layers.categories import (
    CategoryEncoding,
    Embedding,
)
from pynn.layers.core import (
    Activation,
    Dense,
    Input,
    InputLayer,
)
from pynn.layers.data_normalization import (
    Normalization,
)
from pynn.layers.functions import (
    Lambda,
)
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
from pynn.layers.normalization import (
    BatchNormalization,
)
from pynn.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
)
from pynn.layers.reshaping import (
    Flatten,
    Identity,
    Permute,
    Rescaling,
    Reshape,
)
from pynn.layers.sample_normalization import (
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from pynn.layers.sequences import (
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Masking,
    RepeatVector,
    TimeDistributed,
    Wrapper,
)
from pynn.layers.serialization import deserialize, serialize

GlobalAvgPool1D = GlobalAveragePooling1D
GlobalMaxPool1D = GlobalMaxPooling1D

__all__ = [
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "CategoryEncoding",
    "Concatenate",
    "Dense",
    "Dot",
    "Dropout",
    "ELU",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAvgPool1D",
    "GlobalMaxPool1D",
    "GlobalMaxPooling1D",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "RReLU",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Softmax",
    "SpatialDropout1D",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "Variable",
    "Wrapper",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]

explain_absent(globals())
