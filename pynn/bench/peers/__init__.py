"""The peers: one class for each library that builds a job's network, trains it and predicts.

A new peer is a class of the form of `Peer`, listed in `PEERS`. Its imports stand in `__init__`: a
peer that cannot be imported is left out.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from pynn.bench.jobs import Classes, Floats, Job, Weights
from pynn.bench.peers.jax_scan import Jax
from pynn.bench.peers.keras_jax import Keras
from pynn.bench.peers.ours import Estimator, Pynn
from pynn.bench.peers.pytorch import CompiledPyTorch, PyTorch
from pynn.bench.peers.scikit_learn import ScikitLearn


class Peer(Protocol):
    """What the benchmark asks of a library."""

    name: ClassVar[str]
    module: ClassVar[str]  # what its users import
    distribution: ClassVar[str]  # what its users install

    def __init__(self, job: Job, threads: int) -> None:
        """Builds the network with the job's initial weights; raises ImportError if it cannot."""

    def load(self, x: Floats, y: Classes) -> None:
        """Takes the rows that the calls to come train on or predict."""

    def train(self) -> None:
        """One epoch over the rows, in their order, to its end."""

    def predict(self) -> Any:
        """The outputs for the rows, logits or probabilities, as the library's users get them."""

    def weights(self) -> Weights:
        """Kernels of shape (inputs, units) and biases, layer after layer."""


# The first is what the others are compared with.
PEERS: list[type[Peer]] = [Pynn, Estimator, Jax, PyTorch, CompiledPyTorch, Keras, ScikitLearn]
SLOW_TO_START = [CompiledPyTorch]  # take part when named
