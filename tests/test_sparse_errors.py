"""What sparse inputs refuse, and how."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import pynn
from fixed import fill
from pynn import _core, layers
from sparse_networks import FEATURES, close, compiled, matrix


def test_a_sparse_matrix_needs_a_sparse_input() -> None:
    x = matrix()
    declared = pynn.Sequential([pynn.Input((FEATURES,)), layers.Dense(1)])
    open_ended = pynn.Sequential([layers.Dense(1)])
    for model in (declared, open_ended):
        model.compile("sgd", "mse")
        for use in (model.predict, model, model.train_on_batch):
            with pytest.raises(ValueError, match=r"Input\(shape=\(23,\), sparse=True\)"):
                use(x)
    assert not open_ended.built
    with pytest.raises(TypeError, match="only inputs may be sparse"):
        compiled().fit(x, sp.csr_matrix(np.ones((40, 1))))


@pytest.mark.parametrize("kind", ["BatchNormalization", "GaussianNoise", "ReLU"])
def test_only_dense_reads_a_sparse_input(kind: str) -> None:
    layer = getattr(layers, kind)(*[0.1] * (kind == "GaussianNoise"))
    model = pynn.Sequential([pynn.Input((FEATURES,), sparse=True), layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=f"{layer.name}: only a dense layer reads a sparse input"):
        model.fit(matrix(), np.zeros(40), verbose=0)


def test_shapes_and_types_that_do_not_fit() -> None:
    model = compiled()
    with pytest.raises(ValueError, match="samples of a sparse input have one axis"):
        pynn.Input((4, 4), sparse=True)
    with pytest.raises(ValueError, match=r"samples of shape \(23,\)"):
        model.predict(sp.csr_matrix((3, 24)))
    with pytest.raises(ValueError, match="same number of rows"):
        model.fit(matrix(40), np.zeros(39))
    with pytest.raises(TypeError, match="real numbers"):
        model.predict(sp.csr_matrix(np.ones((2, FEATURES), dtype=complex)))
    with pytest.raises(ValueError, match="a sparse input has no gradient"):
        model.gradients(matrix(), np.zeros(40), inputs=True)
    x = matrix()
    row = int(np.flatnonzero(np.diff(x.indptr))[3])
    x.data[x.indptr[row]] = np.nan
    with pytest.raises(ValueError, match=f"NaN or infinity in row {row}$"):
        model.fit(x, np.zeros(40))


def _broken() -> dict[str, Any]:
    def changed(**parts: Any) -> Any:
        x = matrix()
        for name, change in parts.items():
            array = getattr(x, name).copy()
            change(array)
            setattr(x, name, array)
        return x

    def put(place: int, value: int) -> Any:
        return lambda array: array.__setitem__(place, value)

    x = matrix()
    short = matrix()
    short.indptr = short.indptr[:-1]
    cut = matrix()
    cut.indices = cut.indices[:-5]
    floats = matrix()
    floats.indptr = floats.indptr.astype(float)
    return {
        "large index": changed(indices=put(7, FEATURES)),
        "negative index": changed(indices=put(0, -1)),
        "decreasing indptr": changed(indptr=put(9, 0)),
        "negative indptr": changed(indptr=put(0, -4)),
        "large indptr": changed(indptr=put(-1, x.nnz + 1)),
        "huge indptr": changed(indptr=put(20, 2**31 - 1)),
        "short indptr": short,
        "short indices": cut,
        "floats": floats,
    }


@pytest.mark.parametrize("name", _broken())
def test_broken_rows_are_refused(name: str) -> None:
    model, x = compiled(), _broken()[name]
    w = fill(model)
    y = np.zeros(40)
    uses: list[tuple[Any, ...]] = [
        (model.fit, x, y),
        (model.predict, x),
        (model.evaluate, x, y),
        (model.gradients, x, y),
        (model.program().network.predict, x, 1),  # the engine looks at every place it reads
    ]
    for use, *arguments in uses:
        with pytest.raises((ValueError, TypeError), match="CSR matrix"):
            use(*arguments)
    close(model.get_weights(), w)  # nothing was trained


def test_the_engine_takes_compressed_rows_only() -> None:
    model = compiled()
    x = matrix()
    program = model.program().network
    close(program.predict(x, 1), program.predict([sp.csr_array(x)], 2))
    for other in (x.tocsc(), x.tocoo(), x.tobsr()):
        with pytest.raises(TypeError):
            program.predict(other, 1)
    with pytest.raises(ValueError, match="a sparse input takes matrices in compressed rows"):
        program.predict(x.toarray(), 1)
    node = {"op": "activation", "layer": "a", "inputs": [0], "variables": [], "trainable": []}
    for outputs, sparse in (([0], [0]), ([1], [1]), ([1], [0])):
        with pytest.raises(ValueError, match="sparse input"):
            _core.Network("float32", [(3,)], [node | {"name": "relu"}], outputs, False, sparse)
