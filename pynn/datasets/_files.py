"""Where data sets come from: local folders first, then public mirrors with checksums."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import uuid
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeAlias
from urllib.request import Request, urlopen

import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Split: TypeAlias = tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]

_UNSIGNED_BYTE = 0x08
_CHUNK = 1 << 16
_TIMEOUT = 30.0


@dataclass(frozen=True)
class Archive:
    """One data set: its folder, the mirrors that serve it and the md5 of every file."""

    folder: str
    mirrors: tuple[str, ...]
    md5: Mapping[str, str]


def cache() -> Path:
    """The folder that downloads are kept in."""
    return Path.home() / ".pynn" / "datasets"


def roots() -> list[Path]:
    """Folders searched for data sets, in order: ``$PYNN_HOME``, then ``~/.pynn/datasets``."""
    home = os.environ.get("PYNN_HOME")
    return ([Path(home).expanduser()] if home else []) + [cache()]


def find(folder: str, name: str) -> Path | None:
    """The first existing ``<root>/<folder>/<name>``, or None."""
    candidates = (root / folder / name for root in roots())
    return next((path for path in candidates if path.is_file()), None)


def fetch(archive: Archive, name: str) -> Path:
    """Returns the local path of one file of a data set, downloading it when it is nowhere.

    A download is checked against the published md5 before it takes the file's name, so
    an interrupted or damaged download never leaves a file behind.

    Args:
        archive: the data set.
        name: the file's name in it.

    Raises:
        ConnectionError: the file is not on this machine and no mirror delivered it.
    """
    found = find(archive.folder, name)
    if found is not None:
        return found
    target = cache() / archive.folder / name
    failures = []
    for mirror in archive.mirrors:
        try:
            _download(mirror + name, target, archive.md5[name])
            return target
        except (OSError, ValueError, HTTPException) as error:
            failures.append(f"{mirror}{name} ({error})")
    raise ConnectionError(offline_message(f"{archive.folder}/{name}", failures))


def offline_message(name: str, failures: list[str]) -> str:
    """What was wanted, where it was sought, and what a user without a network can do."""
    places = " or ".join(str(root / name) for root in roots())
    tried = "".join(f"\n  - {failure}" for failure in failures)
    return (
        f"Data set file {name!r} is not on this machine and could not be downloaded. "
        f"Tried:{tried}\n"
        f"Without a network, put the file at {places}, or set the environment variable "
        f"PYNN_HOME to a folder that holds {name}. "
        f"Received: PYNN_HOME={os.environ.get('PYNN_HOME')!r}"
    )


def _open(url: str) -> Any:
    """Opens a URL for reading; the one place where data sets touch the network."""
    return urlopen(Request(url, headers={"User-Agent": "pynn"}), timeout=_TIMEOUT)


def _download(url: str, target: Path, md5: str) -> None:
    from tqdm import tqdm

    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with _open(url) as response, open(part, "xb") as out:
            size = int(response.headers.get("Content-Length") or 0) or None
            with tqdm(total=size, unit="B", unit_scale=True, desc=target.name) as bar:
                for chunk in iter(lambda: response.read(_CHUNK), b""):
                    digest.update(chunk)
                    bar.update(out.write(chunk))
        if digest.hexdigest() != md5:
            raise ValueError(f"md5 should be {md5}, received {digest.hexdigest()}")
        os.replace(part, target)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def read_idx(path: Path, ndim: int) -> Bytes:
    """Reads an array of unsigned bytes in the idx format, gzipped or not.

    The format is two zero bytes, one byte for the element type (0x08: unsigned byte),
    one for the number of dimensions, each dimension as a big-endian 32-bit integer, and
    the elements in row-major order.

    Args:
        path: the file; a name ending in ``.gz`` is decompressed.
        ndim: the number of dimensions the file must have.

    Raises:
        ValueError: the file is no idx file, has other dimensions, is cut off or too long.

    References:
        - LeCun, Cortes, Burges, The MNIST database of handwritten digits (file formats).
    """

    def broken(rule: str) -> ValueError:
        return ValueError(f"Broken data set file {str(path)!r}: {rule}. Delete it and load again.")

    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            head = file.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or head[2] != _UNSIGNED_BYTE:
                raise broken(
                    f"expected the idx magic 00 00 08 of unsigned bytes. Received: {head.hex(' ')}"
                )
            if head[3] != ndim:
                raise broken(f"expected {ndim} dimensions. Received: {head[3]}")
            sizes = file.read(4 * ndim)
            if len(sizes) < 4 * ndim:
                raise broken("the header is cut off")
            shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
            count = math.prod(shape)
            # The header of a hostile file may claim anything: read what is there, then compare.
            data = b"".join(_blocks(file, count + 1))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise broken(str(error)) from error
    if len(data) != count:
        rest = "more" if len(data) > count else f"{len(data):,}"
        raise broken(f"shape {shape} takes {count:,} bytes. Received: {rest}")
    # A copy, because an array over bytes cannot be written to.
    return np.frombuffer(data, np.uint8).reshape(shape).copy()


def _blocks(file: Any, limit: int) -> Iterator[bytes]:
    while limit > 0 and (block := file.read(min(limit, 1 << 22))):
        limit -= len(block)
        yield block


def load_images(archive: Archive, path: str | os.PathLike[str] | None) -> Split:
    """Loads a data set in MNIST's layout from ``path`` or from wherever `fetch` finds it."""
    place = resolve(path)
    if place is not None and place.is_file():
        return _from_npz(place)
    names = tuple(archive.md5)
    paths = [fetch(archive, name) if place is None else _member(place, name) for name in names]
    x_train, x_test = read_idx(paths[0], 3), read_idx(paths[2], 3)
    y_train, y_test = read_idx(paths[1], 1), read_idx(paths[3], 1)
    for images, labels, where in ((x_train, y_train, paths[1]), (x_test, y_test, paths[3])):
        if len(images) != len(labels):
            raise ValueError(
                f"Broken data set: {str(where)!r} must hold one label per image. "
                f"Received: {len(images):,} images, {len(labels):,} labels"
            )
    return (x_train, y_train), (x_test, y_test)


def resolve(path: str | os.PathLike[str] | None) -> Path | None:
    """Turns Keras's ``path`` into a file or folder, or None for the standard places."""
    if path is None:
        return None
    place = Path(path).expanduser()
    if place.exists():
        return place
    if place.name == str(path):  # a bare name is Keras's name for a file in its cache
        return next((root / place for root in roots() if (root / place).is_file()), None)
    raise FileNotFoundError(f"path must name an existing file or folder. Received: path={path!r}")


def _member(folder: Path, name: str) -> Path:
    for candidate in (folder / name, folder / name.removesuffix(".gz")):
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"path must hold the file {name!r}. Received: path={str(folder)!r}")


def read_npz(path: Path, names: tuple[str, ...]) -> list[npt.NDArray[Any]]:
    """Reads named arrays from an ``.npz`` file, never executing what is in it.

    Raises:
        ValueError: the file is broken, lacks an array, or holds pickled objects.
    """
    from zipfile import BadZipFile

    try:
        with np.load(path, allow_pickle=False) as file:
            return [np.asarray(file[name]) for name in names]
    except (KeyError, ValueError, EOFError, TypeError, AttributeError, BadZipFile, zlib.error) as e:
        raise ValueError(
            f"Broken data set file {str(path)!r}: expected an .npz file with the arrays "
            f"{', '.join(names)} ({e}). Delete it and load again."
        ) from e


def _from_npz(path: Path) -> Split:
    x_train, y_train, x_test, y_test = read_npz(path, ("x_train", "y_train", "x_test", "y_test"))
    return (x_train, y_train), (x_test, y_test)
