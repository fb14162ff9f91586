"""Data sets to learn with: real ones from disk or the network, small ones from formulas."""

from pynn._compat import explain_absent
from pynn.datasets import california_housing, fashion_mnist, mnist
from pynn.datasets.generators import circles, moons, two_spirals, xor

__all__ = [
    "california_housing",
    "circles",
    "fashion_mnist",
    "mnist",
    "moons",
    "two_spirals",
    "xor",
]

explain_absent(globals())
