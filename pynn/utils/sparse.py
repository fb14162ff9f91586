"""Sparse matrices of samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class SparseRows:
    """A matrix in compressed rows (CSR), a view of SciPy's or of some of its rows.

    Row ``r`` holds ``data[i]`` in column ``indices[i]`` for ``indptr[r] <= i < indptr[r + 1]``, in
    any order; several numbers at one place count as their sum.

    Args:
        data: the stored numbers.
        indices: their columns.
        indptr: where the rows begin, and where the last one ends.
        shape: of the matrix.
    """

    data: Array
    indices: Array
    indptr: Array
    shape: tuple[int, int]

    format = "csr"
    ndim = 2

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | npt.NDArray[np.int64]) -> SparseRows:
        """Some of the rows: consecutive ones without a copy, or copies in the order given."""
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            count = max(stop - start, 0)
            indptr = self.indptr[start : start + count + 1]
            return SparseRows(self.data, self.indices, indptr, (count, self.shape[1]))
        begin = self.indptr[rows]
        sizes = self.indptr[rows + 1] - begin
        indptr = np.concatenate([[0], np.cumsum(sizes)])
        places = np.arange(indptr[-1]) + np.repeat(begin - indptr[:-1], sizes)
        shape = (len(rows), self.shape[1])
        return SparseRows(self.data[places], self.indices[places], indptr, shape)

    def row_of(self, place: int) -> int:
        """The row of the stored number ``data[place]``."""
        return int(np.searchsorted(self.indptr, place, side="right")) - 1


def is_sparse(value: Any) -> bool:
    """Whether ``value`` is a sparse matrix: ``SparseRows``, or one of SciPy's in any format."""
    return isinstance(value, SparseRows) or hasattr(value, "tocsr")


def sparse_rows(name: str, value: Any) -> SparseRows:
    """Returns a sparse matrix, or a dense one, as compressed rows; CSR without a copy.

    Raises:
        ValueError: not a matrix.
        TypeError: elements that are not real numbers.
    """
    if isinstance(value, SparseRows):
        return value
    if value.ndim != 2:
        raise ValueError(
            f"`{name}` must be a matrix where an input is sparse. "
            f"Received: {name}.shape={value.shape}"
        )
    if not is_sparse(value):
        rows, columns = np.nonzero(value)
        indptr = np.searchsorted(rows, np.arange(len(value) + 1))
        return SparseRows(value[rows, columns], columns, indptr, value.shape)
    matrix = value.tocsr()
    dtype = matrix.data.dtype
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise TypeError(
            f"`{name}` must consist of real numbers of at most 64 bits. "
            f"Received: {name} of dtype {dtype}"
        )
    numbers = matrix.data.astype(dtype.newbyteorder("="), copy=False)
    return SparseRows(numbers, matrix.indices, matrix.indptr, tuple(matrix.shape))
