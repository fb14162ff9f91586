"""Sparse inputs: networks on SciPy's matrices, which are never made dense.

The references compute with NumPy on the dense matrix.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import pynn
from fixed import fill
from pynn import layers
from small_models import F64
from sparse_networks import (
    FEATURES,
    UNITS,
    Array,
    close,
    compiled,
    forward,
    loss_gradients,
    matrix,
    network,
)

# ---- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "float32", "float64"])
def test_outputs_and_gradients_are_those_of_the_formula(dtype: str, wide: bool) -> None:
    x = matrix(dtype=np.int8)
    x.data = x.data.astype(dtype)
    if wide:
        x.indices, x.indptr = x.indices.astype(np.int64), x.indptr.astype(np.int64)
    dense = np.zeros(x.shape)
    for r in range(x.shape[0]):  # toarray() of booleans would not add up
        for i in range(x.indptr[r], x.indptr[r + 1]):
            dense[r, x.indices[i]] += x.data[i]
    y = np.linspace(-1, 1, x.shape[0])
    model = compiled()
    w = fill(model)
    close([model.predict(x, verbose=0)], [forward(dense, w)[1]])
    close(model.gradients(x, y), loss_gradients(dense, y, w))


@pytest.mark.parametrize("threads", [1, 4])
def test_training_is_that_of_the_formula(threads: int) -> None:
    x = matrix(50)
    y = np.sin(np.arange(50.0))
    model = compiled()
    w = fill(model)
    pynn.config.set_num_threads(threads, allow_oversubscription=True)
    try:
        model.fit(x, y, batch_size=8, epochs=5, shuffle=False, verbose=0)
    finally:
        pynn.config.set_num_threads(0)
    for _ in range(5):
        for i in range(0, 50, 8):
            part = slice(i, i + 8)
            slopes = loss_gradients(x[part].toarray(), y[part], w)
            w = [a - 0.1 * g for a, g in zip(w, slopes, strict=True)]
    close(model.get_weights(), w)


def test_float32_is_close_to_the_formula() -> None:
    x, units = matrix(), 130
    model = pynn.Sequential([pynn.Input((FEATURES,), sparse=True), layers.Dense(units)])
    kernel, bias = fill(model)
    y = model.predict(x, verbose=0)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, x.toarray() @ kernel + bias, rtol=1e-5, atol=1e-5)


def test_threads_do_not_change_a_bit() -> None:
    x, y = matrix(300, 900, np.float32), np.sin(np.arange(300.0))
    found = []
    for threads in (1, 2, 5):
        pynn.utils.set_random_seed(3)
        pynn.config.set_num_threads(threads, allow_oversubscription=True)
        try:
            model = pynn.Sequential(
                [
                    pynn.Input((900,), sparse=True),
                    layers.Dense(200, activation="relu"),
                    layers.Dense(1),
                ]
            )
            model.compile("adam", "mse")
            model.fit(x, y, batch_size=64, epochs=3, verbose=0)
            found.append([*model.get_weights(), model.predict(x, verbose=0)])
        finally:
            pynn.config.set_num_threads(0)
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_kernel_larger_than_any_cache_is_updated_as_one(threads: int) -> None:
    features, units, most = 140_000, 16, 0.01
    x, y = matrix(40, features), np.sin(np.arange(40.0 * units)).reshape(40, units)
    model = pynn.Sequential([pynn.Input((features,), sparse=True), layers.Dense(units, **F64)])
    model.compile(pynn.optimizers.SGD(0.5, clipnorm=most), "mse")
    kernel, bias = fill(model)
    pynn.config.set_num_threads(threads, allow_oversubscription=True)
    try:
        model.train_on_batch(x, y)
    finally:
        pynn.config.set_num_threads(0)
    slope = 2 * (x @ kernel + bias - y) / y.size
    steps = [0.5 * g * most / np.linalg.norm(g) for g in (x.T @ slope, slope.sum(axis=0))]
    close(model.get_weights(), [kernel - steps[0], bias - steps[1]])


def test_one_input_may_be_sparse_and_another_dense() -> None:
    rng = np.random.default_rng(0)
    x, other = matrix(), rng.normal(size=(40, 3))
    wide, deep = pynn.Input((FEATURES,), sparse=True), pynn.Input((3,))
    hidden = layers.Dense(4, activation="relu", **F64)
    parts = [layers.Dense(2, **F64)(wide), layers.Dense(2, **F64)(hidden(wide))]
    model = pynn.Model([wide, deep], layers.Add(**F64)([*parts, layers.Dense(2, **F64)(deep)]))
    pairs = [layer.get_weights() for layer in model.layers if layer.weights]
    terms = {kernel.shape: (kernel, bias) for kernel, bias in pairs}

    def affine(a: Array, units: int) -> Any:
        kernel, bias = terms[a.shape[1], units]
        return a @ kernel + bias

    dense = x.toarray()
    expected = affine(dense, 2) + affine(np.maximum(affine(dense, 4), 0), 2) + affine(other, 2)
    close([model.predict([x, other], verbose=0)], [expected])


# ---- the doors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csr_array", "csc_matrix", "coo_matrix", "lil_matrix", "dense"])
def test_other_forms_are_converted(form: str) -> None:
    x = matrix()
    other = x.toarray() if form == "dense" else getattr(sp, form)(x)
    model = compiled()
    w = fill(model)
    expected = [forward(x.toarray(), w)[1]]
    close([model.predict(other, verbose=0)], expected)
    close([model(other)], expected)
    close([model.predict_on_batch(other)], expected)


def test_split_shuffle_evaluation_and_pieces_of_rows() -> None:
    x, y = matrix(90), np.sin(np.arange(90.0))
    model, dense = compiled(), pynn.Sequential([pynn.Input((FEATURES,))])
    dense.add(layers.Dense(UNITS, activation="tanh", **F64))
    dense.add(layers.Dense(1, **F64))
    dense.compile(pynn.optimizers.SGD(0.1), "mse")
    histories = []
    for one, samples in ((model, x), (dense, x.toarray())):
        pynn.utils.set_random_seed(1)
        fill(one)
        history = one.fit(samples, y, 16, epochs=3, validation_split=0.3, verbose=0)
        histories.append([history.history["loss"], history.history["val_loss"]])
    close(*histories)
    close(model.get_weights(), dense.get_weights())
    w = model.get_weights()
    errors = (forward(x.toarray(), w)[1][:, 0] - y) ** 2
    assert model.evaluate(x, y, verbose=0) == pytest.approx(errors.mean(), rel=1e-12)
    assert model.evaluate(x, y, 10, steps=4, verbose=0) == pytest.approx(errors[:40].mean())
    some = model.predict(x, batch_size=16, steps=2, verbose=0)
    close([some], [forward(x.toarray()[:32], w)[1]])


def test_batches_from_a_generator() -> None:
    model = compiled()
    w = fill(model)
    x, y = matrix(24), np.sin(np.arange(24.0))
    model.fit(((x[i : i + 8], y[i : i + 8]) for i in range(0, 24, 8)), verbose=0)
    for i in range(0, 24, 8):
        slopes = loss_gradients(x[i : i + 8].toarray(), y[i : i + 8], w)
        w = [a - 0.1 * g for a, g in zip(w, slopes, strict=True)]
    close(model.get_weights(), w)
    before = loss_gradients(x.toarray(), y, w)
    model.train_on_batch(x, y)
    close(model.get_weights(), [a - 0.1 * g for a, g in zip(w, before, strict=True)])


def test_metrics_in_python_see_the_rows_of_their_batch() -> None:
    class Error(pynn.metrics.Metric):
        def __init__(self) -> None:
            super().__init__(name="error")
            self.total = 0.0

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.total += float(np.abs(np.asarray(y_true) - np.asarray(y_pred)).sum())

        def result(self) -> float:
            return self.total

        def reset_state(self) -> None:
            self.total = 0.0

    model = network()
    model.compile(pynn.optimizers.SGD(0.0), "mse", metrics=[Error()])
    w = fill(model)
    x, y = matrix(30), np.zeros((30, 1))
    expected = np.abs(forward(x.toarray(), w)[1]).sum()
    assert model.evaluate(x, y, verbose=0)[1] == pytest.approx(expected)
    history = model.fit(x, y, 7, verbose=0)
    assert history.history["error"][0] == pytest.approx(expected)


def test_the_input_is_kept_by_files_copies_and_fusing(tmp_path: Any) -> None:
    x = matrix()
    model = pynn.Sequential(
        [
            pynn.Input((FEATURES,), sparse=True),
            layers.Dense(3, **F64),
            layers.BatchNormalization(**F64),
        ]
    )
    expected = model.predict(x, verbose=0)
    symbol = pynn.Input((FEATURES,), sparse=True)
    functional = pynn.Model(symbol, layers.Dense(2, **F64)(symbol))
    for one in (model, functional):
        one.save(tmp_path / "model.keras")
        for copy in (
            pynn.models.load_model(tmp_path / "model.keras"),
            pynn.models.clone_model(one),
        ):
            copy.set_weights(one.get_weights())
            assert copy.inputs[0].sparse
            close([copy.predict(x, verbose=0)], [one.predict(x, verbose=0)])
    close([model.fuse().predict(x, verbose=0)], [expected])
    assert "sparse" not in pynn.layers.InputLayer((3,)).get_config()
    assert pynn.layers.InputLayer((3,), sparse=True).get_config()["sparse"] is True


def test_a_dense_layer_by_itself() -> None:
    x, dense = matrix(), layers.Dense(2, **F64)
    y = dense(x)
    kernel, bias = dense.get_weights()
    close([y], [x.toarray() @ kernel + bias])


# ---- size ---------------------------------------------------------------------------------------


def test_a_wide_matrix_trains_in_little_memory() -> None:
    resource = pytest.importorskip("resource")
    rows, features, stored, units = 10_000, 100_000, 100, 20
    rng = np.random.default_rng(0)
    indices = rng.integers(0, features, rows * stored).astype(np.int32)
    indptr = np.arange(0, rows * stored + 1, stored, dtype=np.int32)
    x = sp.csr_matrix((np.ones(rows * stored, np.float32), indices, indptr), (rows, features))
    y = (indices.reshape(rows, stored)[:, 0] < features // 2).astype(np.float32)
    model = pynn.Sequential(
        [
            pynn.Input((features,), sparse=True),
            layers.Dense(units, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(pynn.optimizers.Adam(1e-3), "binary_crossentropy")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    history = model.fit(x, y, batch_size=500, epochs=1, verbose=0)
    model.predict(x, verbose=0)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert np.isfinite(history.history["loss"][0])
    unit = 1 if sys.platform == "darwin" else 1024
    assert grown * unit < 200e6  # the matrix made dense has 4e9 bytes, a batch of it 200e6
