"""Fashion-MNIST: 70,000 articles of clothing in MNIST's format."""

from __future__ import annotations

import os

from pynn.datasets import _files

ARCHIVE = _files.Archive(
    folder="fashion-mnist",
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    md5={
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
)


def load_data(path: str | os.PathLike[str] | None = None) -> _files.Split:
    """Loads Fashion-MNIST.

    The files are looked for in ``$PYNN_HOME/fashion-mnist`` and
    ``~/.pynn/datasets/fashion-mnist``, else downloaded to the latter and checked against
    their published md5 values.

    The labels are 0 T-shirt or top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal,
    6 shirt, 7 sneaker, 8 bag and 9 ankle boot.

    Args:
        path: a folder with the four idx files (gzipped or not), or an ``.npz`` file with
            ``x_train``, ``y_train``, ``x_test`` and ``y_test``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, all uint8: images of shape
        (60000, 28, 28) and (10000, 28, 28), labels of shape (60000,) and (10000,).

    Raises:
        ConnectionError: the files are not on this machine and cannot be downloaded.
        FileNotFoundError: `path` does not exist.
        ValueError: a file is damaged.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
        >>> x_test.shape, y_test.shape  # doctest: +SKIP
        ((10000, 28, 28), (10000,))

    References:
        - Xiao, Rasul, Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking
          machine learning algorithms, arXiv:1708.07747
    """
    return _files.load_images(ARCHIVE, path)
