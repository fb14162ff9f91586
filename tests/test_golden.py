"""pynn beside real Keras: same start weights, same rows, same numbers after training."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

import golden_cases
import pynn
from golden.runs import Array, flat
from golden_cases import CASES, FLOAT64
from pynn import _core

CLOSE = {"float64": 1e-10, "float32": 1e-5}  # relative to the largest number of an array

load = cache(golden_cases.load)


@pytest.fixture(params=["float64", "float32"])
def dtype(request: pytest.FixtureRequest) -> Iterator[str]:
    before = pynn.config.floatx()
    pynn.config.set_floatx(request.param)
    yield request.param
    pynn.config.set_floatx(before)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::pynn.models.DivergenceWarning")
def test_as_keras(name: str, dtype: str) -> None:
    expected = load(golden_cases.group_of(name))[name]
    pynn.utils.clear_session()
    found = flat(CASES[name](pynn))
    assert list(found) == list(expected)
    close = FLOAT64.get(name, CLOSE[dtype]) if dtype == "float64" else CLOSE[dtype]
    for key, ours in found.items():
        assert ours.shape == expected[key].shape, key
        np.testing.assert_allclose(
            ours, expected[key], rtol=0, atol=close * scale(expected[key]), err_msg=key
        )


def scale(array: Array) -> float:
    """The largest finite number of an array; 1 where all are zero."""
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max(initial=0.0)) or 1.0


# What has no golden case, and why


MODULES = (
    "activations",
    "callbacks",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "ops",
    "optimizers",
    "optimizers.schedules",
    "regularizers",
)
KINDS = {
    "activation": "activations",
    "row_activation": "activations",
    "loss": "losses",
    "metric": "metrics",
    "optimizer": "optimizers",
}
WITHOUT = {
    "Keras has no such thing": """
        activations.heaviside
        callbacks.LearningRateFinder callbacks.OneCycle
        layers.RReLU
        losses.BinaryLogLoss losses.HalfPoissonDeviance losses.LogLoss losses.Quantile
        losses.binary_log_loss losses.half_poisson_deviance losses.log_loss losses.quantile
        metrics.BinaryFocalCrossentropy metrics.CategoricalFocalCrossentropy
        metrics.BinaryLogLoss metrics.CategoricalGeneralizedCrossEntropy
        metrics.HalfPoissonDeviance metrics.Huber metrics.LogLoss metrics.Quantile
        metrics.accuracy metrics.cosine_similarity
        ops.with_gradient
        optimizers.schedules.OneCycle optimizers.schedules.PowerDecay
        regularizers.PerSample
    """,
    "Keras 3.15 sums to less than 1; tested by its formula": """
        activations.sparsemax ops.sparsemax
    """,
    "nothing is computed: names, symbols, base classes, files": """
        callbacks.CSVLogger callbacks.CallbackList callbacks.History callbacks.ProgbarLogger
        callbacks.TensorBoard
        initializers.Initializer layers.Input layers.InputLayer layers.Variable layers.Wrapper
        losses.LossFunctionWrapper
        ops.dtype ops.is_tensor
    """,
    "random: tested by moments": """
        initializers.GlorotNormal initializers.GlorotUniform initializers.HeNormal
        initializers.HeUniform initializers.LecunNormal initializers.LecunUniform
        initializers.Orthogonal initializers.RandomNormal initializers.RandomUniform
        initializers.TruncatedNormal initializers.VarianceScaling
    """,
    "not unique, left to NumPy, or tested with the other functions of arrays": """
        ops.argpartition ops.associative_scan ops.batch_normalization ops.cdist
        ops.cholesky_inverse ops.custom_gradient ops.dot_product_attention ops.dsplit ops.eig
        ops.empty ops.empty_like ops.histogram ops.ldexp ops.nanpercentile ops.nanquantile
        ops.nextafter ops.segment_min ops.segment_prod ops.unique ops.vectorize
        ops.vectorized_map
    """,
}
HELPERS = ("check", "deserialize", "get", "resolve", "serialize", "spec")


def resolve(name: str) -> Any:
    """What stands behind a dotted name, None if there is nothing."""
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(f"pynn.{module}"), attribute, None)


def is_kind(value: Any, base: str) -> bool:
    """Whether a value is a class that derives from one of this name."""
    return inspect.isclass(value) and any(one.__name__ == base for one in value.__mro__)


def public(module_name: str) -> set[str]:
    """The classes and functions of a module and its rows of the catalog."""
    module = importlib.import_module(f"pynn.{module_name}")
    listed = getattr(module, "__all__", None) or [
        name
        for name in dir(module)
        if name[0] != "_" and is_kind(getattr(module, name), "Initializer")
    ]
    names = {name for name in listed if callable(getattr(module, name))}
    for row in _core.catalog():
        if KINDS.get(row["kind"]) == module_name:
            names |= {name for name in (row["name"], row["class_name"]) if hasattr(module, name)}
    return {f"{module_name}.{name}" for name in names if name not in HELPERS}


@pytest.mark.parametrize("module_name", MODULES)
def test_every_name_has_a_golden_case(module_name: str) -> None:
    named = {name.partition("/")[0] for name in CASES}
    named |= {name for names in WITHOUT.values() for name in names.split()}
    known = [resolve(name) for name in named if name.rpartition(".")[0] in MODULES]
    missing = [
        name
        for name in sorted(public(module_name) - named)
        if not any(resolve(name) is one for one in known)  # another name of something known
    ]
    assert missing == []


def test_names_without_a_case_exist() -> None:
    names = [name for names in WITHOUT.values() for name in names.split()]
    assert [name for name in names if resolve(name) is None] == []
    assert not set(names) & {name.partition("/")[0] for name in CASES}
