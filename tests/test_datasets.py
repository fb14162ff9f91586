"""Data sets: where files are found, how they are downloaded, and how damaged ones are refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest

from pynn.datasets import _files, california_housing, fashion_mnist, mnist

needs_data = pytest.mark.skipif(
    not os.environ.get("PYNN_HOME"), reason="PYNN_HOME names no folder of real data"
)
image_sets = pytest.mark.parametrize("module", [mnist, fashion_mnist])


def idx(array: np.ndarray[Any, Any], code: int = 0x08) -> bytes:
    """The idx file of an array of bytes."""
    header = struct.pack(">BBBB", 0, 0, code, array.ndim)
    return header + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = np.arange(5 * 28 * 28, dtype=np.int64).reshape(5, 28, 28).astype(np.uint8)
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)


def write_set(folder: Path, module: ModuleType) -> Path:
    """Writes a tiny data set of five images in the layout of MNIST."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in module.ARCHIVE.md5:
        array = IMAGES if "images" in name else LABELS
        (folder / name).write_bytes(gzip.compress(idx(array)))
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, no PYNN_HOME, and no network."""

    def offline(url: str) -> Any:
        raise URLError("no network in tests")

    monkeypatch.delenv("PYNN_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(_files, "_open", offline)
    return tmp_path


class Response(io.BytesIO):
    """What a mirror answers."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.headers = {"Content-Length": str(len(body))}


def serve(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], bytes], module: ModuleType
) -> list[str]:
    """Lets a data set's mirrors answer from memory; returns the list of requested URLs."""
    asked: list[str] = []

    def opener(url: str) -> Response:
        asked.append(url)
        return Response(answer(url))

    monkeypatch.setattr(_files, "_open", opener)
    md5 = {name: hashlib.md5(body_of(name)).hexdigest() for name in module.ARCHIVE.md5}
    archive = _files.Archive(module.ARCHIVE.folder, ("https://a.test/", "https://b.test/"), md5)
    monkeypatch.setattr(module, "ARCHIVE", archive)
    return asked


def body_of(url: str) -> bytes:
    return gzip.compress(idx(IMAGES if "images" in url else LABELS), mtime=0)


# Finding files


@image_sets
@pytest.mark.parametrize("place", ["PYNN_HOME", "cache", "path", "unzipped"])
def test_files_are_found(
    module: ModuleType, place: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = None
    if place == "PYNN_HOME":
        monkeypatch.setenv("PYNN_HOME", str(home / "data"))
        write_set(home / "data" / module.ARCHIVE.folder, module)
    elif place == "cache":
        write_set(home / ".pynn" / "datasets" / module.ARCHIVE.folder, module)
    else:
        path = write_set(home / "somewhere", module)
        if place == "unzipped":
            for file in path.iterdir():
                file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
                file.unlink()
    (x_train, y_train), (x_test, y_test) = module.load_data(path)
    for x in (x_train, x_test):
        assert x.dtype == np.uint8
        assert x.flags.writeable
        np.testing.assert_array_equal(x, IMAGES)
    for y in (y_train, y_test):
        np.testing.assert_array_equal(y, LABELS)


def test_pynn_home_comes_before_the_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_set(home / ".pynn" / "datasets" / "mnist", mnist)
    first = write_set(home / "data" / "mnist", mnist)
    monkeypatch.setenv("PYNN_HOME", str(home / "data"))
    assert _files.find("mnist", "t10k-labels-idx1-ubyte.gz") == first / "t10k-labels-idx1-ubyte.gz"


def test_npz_in_keras_layout(home: Path) -> None:
    path = home / "mine.npz"
    np.savez(path, x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:2], y_test=LABELS[:2])
    (x_train, _), (_, y_test) = mnist.load_data(path)
    np.testing.assert_array_equal(x_train, IMAGES)
    np.testing.assert_array_equal(y_test, LABELS[:2])
    np.savez(path, x_train=IMAGES)
    with pytest.raises(ValueError, match="Broken data set file"):
        mnist.load_data(path)


def test_a_bare_name_means_the_standard_places(home: Path) -> None:
    write_set(home / ".pynn" / "datasets" / "mnist", mnist)
    (x_train, _), _ = mnist.load_data("mnist.npz")
    np.testing.assert_array_equal(x_train, IMAGES)


def test_a_path_that_does_not_exist(home: Path) -> None:
    with pytest.raises(FileNotFoundError, match="path must name an existing file or folder"):
        mnist.load_data(home / "nowhere" / "mnist.npz")
    (home / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte\.gz"):
        mnist.load_data(home / "empty")


# Downloads


@image_sets
def test_download(module: ModuleType, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, body_of, module)
    for _ in range(2):  # the second time from the cache
        (x_train, _), (_, y_test) = module.load_data()
        np.testing.assert_array_equal(x_train, IMAGES)
        np.testing.assert_array_equal(y_test, LABELS)
    assert len(asked) == 4
    kept = home / ".pynn" / "datasets" / module.ARCHIVE.folder
    assert sorted(file.name for file in kept.iterdir()) == sorted(module.ARCHIVE.md5)


def test_a_damaged_mirror_is_passed_over(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(url: str) -> bytes:
        return body_of(url) if url.startswith("https://b.") else body_of(url)[:-5]

    asked = serve(monkeypatch, answer, mnist)
    (_, y_train), _ = mnist.load_data()
    np.testing.assert_array_equal(y_train, LABELS)
    assert len(asked) == 8


def test_a_damaged_download_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, lambda url: b"<html>Please log in</html>", mnist)
    with pytest.raises(ConnectionError, match="md5 should be"):
        mnist.load_data()
    assert list((home / ".pynn" / "datasets" / "mnist").iterdir()) == []


@image_sets
def test_offline(module: ModuleType, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYNN_HOME", str(home / "data"))
    with pytest.raises(ConnectionError) as caught:
        module.load_data()
    message = str(caught.value)
    name = f"{module.ARCHIVE.folder}/train-images-idx3-ubyte.gz"
    assert name in message
    assert "PYNN_HOME" in message
    assert str(home / "data" / name) in message
    assert str(home / ".pynn" / "datasets" / name) in message
    for mirror in module.ARCHIVE.mirrors:
        assert (
            mirror + "train-images-idx3-ubyte.gz (<urlopen error no network in tests>)" in message
        )


# The idx parser


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "magic"),
        (b"\0\0", "magic"),
        (b"PK\3\4" + bytes(100), "magic"),
        (idx(IMAGES, code=0x0D), "magic"),
        (idx(LABELS), "expected 3 dimensions. Received: 1"),
        (idx(IMAGES)[:10], "header is cut off"),
        (idx(IMAGES)[:-1], "takes 3,920 bytes. Received: 3,919"),
        (idx(IMAGES) + b"\0", "takes 3,920 bytes. Received: more"),
        (b"\0\0\x08\x03" + b"\xff" * 12 + bytes(8), "Received: 8"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_broken_idx(content: bytes, rule: str, zipped: bool, tmp_path: Path) -> None:
    path = tmp_path / ("images.gz" if zipped else "images")
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(ValueError, match="Broken data set file") as caught:
        _files.read_idx(path, 3)
    assert rule in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("damage", ["cut", "flipped", "no gzip"])
def test_broken_gzip(damage: str, tmp_path: Path) -> None:
    content = bytearray(gzip.compress(idx(IMAGES)))
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    else:
        content = bytearray(idx(IMAGES))
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="Broken data set file"):
        _files.read_idx(path, 3)


def test_one_label_per_image(home: Path) -> None:
    folder = write_set(home / "data", mnist)
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS[:4])))
    with pytest.raises(ValueError, match=r"one label per image\. Received: 5 images, 4 labels"):
        mnist.load_data(folder)


# California housing


def california_file(path: Path, rows: int = 1000) -> tuple[np.ndarray[Any, Any], Path]:
    x = np.arange(rows * 8, dtype=np.float64).reshape(rows, 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, X=x, y=x[:, 0] / 8)
    return x, path


def test_california_split(home: Path) -> None:
    x, path = california_file(home / "table.npz")
    (x_train, y_train), (x_test, y_test) = california_housing.load_data(path=path)
    assert (x_train.shape, x_test.shape) == ((800, 8), (200, 8))
    assert x_train.dtype == y_train.dtype == x_test.dtype == y_test.dtype == np.float32
    np.testing.assert_array_equal(x_train[:, 0], 8 * y_train)
    np.testing.assert_array_equal(np.sort(np.concatenate([y_train, y_test])), x[:, 0] / 8)
    assert not np.array_equal(y_train, np.sort(y_train))
    again = california_housing.load_data(path=path)
    np.testing.assert_array_equal(again[0][0], x_train)
    other = california_housing.load_data(path=path, seed=0)
    assert not np.array_equal(other[0][0], x_train)


def test_california_small_and_found_in_cache(home: Path) -> None:
    california_file(home / ".pynn" / "datasets" / "california-housing" / "california.npz")
    (x_train, _), (x_test, y_test) = california_housing.load_data("small", test_split=0.25)
    assert (len(x_train), len(x_test)) == (450, 150)
    assert y_test.max() < 600


def test_california_arguments(home: Path) -> None:
    with pytest.raises(ValueError, match=r"version must be .* Received: version='medium'"):
        california_housing.load_data("medium")
    with pytest.raises(ValueError, match="test_split must be between 0 and 1"):
        california_housing.load_data(test_split=1.0)


@pytest.mark.parametrize("content", ["text", "shape", "pickle", "names"])
def test_california_broken_file(content: str, home: Path) -> None:
    path = home / "table.npz"
    if content == "text":
        path.write_text("not a zip file")
    elif content == "shape":
        np.savez(path, X=np.zeros((10, 7)), y=np.zeros(10))
    elif content == "pickle":
        np.savez(path, X=np.array([{}, []], object), y=np.zeros(2))
    else:
        np.savez(path, x=np.zeros((10, 8)), y=np.zeros(10))
    with pytest.raises(ValueError, match="Broken data set file"):
        california_housing.load_data(path=path)


def test_california_download_and_offline(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sklearn_datasets = pytest.importorskip("sklearn.datasets")

    def offline(**_: Any) -> Any:
        raise URLError("no network in tests")

    monkeypatch.setattr(sklearn_datasets, "fetch_california_housing", offline)
    with pytest.raises(ConnectionError, match="no network in tests") as caught:
        california_housing.load_data()
    assert "california-housing/california.npz" in str(caught.value)
    assert "PYNN_HOME" in str(caught.value)

    x = np.arange(20_640 * 8, dtype=np.float64).reshape(-1, 8)
    monkeypatch.setattr(sklearn_datasets, "fetch_california_housing", lambda **_: (x, x[:, 0]))
    (x_train, _), _ = california_housing.load_data()
    assert x_train.shape == (16_512, 8)
    kept = home / ".pynn" / "datasets" / "california-housing"
    assert [file.name for file in kept.iterdir()] == ["california.npz"]


# The real files


@needs_data
@image_sets
def test_real_images(module: ModuleType) -> None:
    for name, md5 in module.ARCHIVE.md5.items():
        found = _files.find(module.ARCHIVE.folder, name)
        if found is None:
            pytest.skip(f"PYNN_HOME has no {module.ARCHIVE.folder}/{name}")
        assert hashlib.md5(found.read_bytes()).hexdigest() == md5
    (x_train, y_train), (x_test, y_test) = module.load_data()
    assert x_train.shape == (60_000, 28, 28)
    assert x_test.shape == (10_000, 28, 28)
    assert (y_train.shape, y_test.shape) == ((60_000,), (10_000,))
    assert x_train.dtype == y_train.dtype == x_test.dtype == y_test.dtype == np.uint8
    assert x_train.max() == 255
    assert np.bincount(y_test).shape == (10,)
    if module is mnist:
        assert np.bincount(y_train).tolist() == [
            5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
        ]  # fmt: skip


@needs_data
def test_real_california() -> None:
    if _files.find("california-housing", "california.npz") is None:
        pytest.skip("PYNN_HOME has no california-housing/california.npz")
    (x_train, y_train), (x_test, y_test) = california_housing.load_data()
    assert (x_train.shape, x_test.shape) == ((16_512, 8), (4_128, 8))
    x = np.concatenate([x_train, x_test]).astype(np.float64)
    longitude = x[:, california_housing.FEATURE_NAMES.index("Longitude")]
    assert -125 < longitude.min() < longitude.max() < -114
    # Shuffled: the training rows are no longer a stretch of the map.
    assert abs(np.median(x_train[:, 6]) - np.median(x_test[:, 6])) < 0.5
    assert 2.0 < y_train.mean() < 2.1
    assert 2.0 < y_test.mean() < 2.1
