"""MNIST: 70,000 handwritten digits of 28 x 28 pixels."""

from __future__ import annotations

import os

from pynn.datasets import _files

ARCHIVE = _files.Archive(
    folder="mnist",
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    md5={
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    },
)


def load_data(path: str | os.PathLike[str] | None = "mnist.npz") -> _files.Split:
    """Loads MNIST.

    The files are looked for in ``$PYNN_HOME/mnist`` and ``~/.pynn/datasets/mnist``, else
    downloaded to the latter and checked against their published md5 values.

    Args:
        path: a folder with the four idx files (gzipped or not), or an ``.npz`` file in
            Keras's layout. None, or a bare file name that does not exist, such as the default
            of Keras, means the standard places.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, all uint8: images of shape
        (60000, 28, 28) and (10000, 28, 28) with 0 for paper and 255 for ink, labels
        0 to 9 of shape (60000,) and (10000,).

    Raises:
        ConnectionError: the files are not on this machine and cannot be downloaded.
        FileNotFoundError: `path` does not exist.
        ValueError: a file is damaged.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
        >>> x_train.shape, y_train.shape  # doctest: +SKIP
        ((60000, 28, 28), (60000,))

    References:
        - LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document
          recognition, Proc. IEEE 86 (1998), doi:10.1109/5.726791
    """
    return _files.load_images(ARCHIVE, path)
