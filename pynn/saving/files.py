"""Files as a whole: which kind one is, writing without ever leaving half of one behind."""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

KERAS_VERSION = "3.15.0"  # whose layout is written
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_MOST_TEXT = 1 << 28  # bytes of a JSON member
_MOST_GROWTH = 1000  # of a compressed member


def kind_of(path: str) -> str:
    """Returns "zip" or "hdf5", by the first bytes of a file.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it is of neither kind.
    """
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no such file. Received: filepath={path!r}")
    if os.path.isdir(path):
        raise OSError(f"Expected a .keras or .h5 file, not a folder. Received: filepath={path!r}")
    with open(path, "rb") as file:
        start = file.read(8)
    if start[:4] == b"PK\x03\x04":
        return "zip"
    if start == b"\x89HDF\r\n\x1a\n":
        return "hdf5"
    raise OSError(
        "Expected a .keras file (a zip archive) or an HDF5 file (.h5, .weights.h5). "
        f"Received: filepath={path!r}, which begins with {start!r}"
    )


def replace(path: str, write: Callable[[Any], None], overwrite: bool = True) -> None:
    """Writes a file: all of it, or nothing.

    Args:
        path: where it goes; folders that do not exist are made.
        write: is given a file object open for reading and writing.
        overwrite: False to keep a file that is there.

    Raises:
        FileExistsError: there is a file and it may not be overwritten.
        OSError: it cannot be written; a file that was there is as it was.
    """
    if not overwrite and os.path.exists(path):
        raise FileExistsError(
            "The file exists: choose another name, or overwrite=True. "
            f"Received: filepath={path!r}, overwrite=False"
        )
    folder, name = os.path.split(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, "x+b") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        raise


def write_zip(file: Any, members: Mapping[str, bytes]) -> None:
    """Writes a zip archive without compression (weights hardly shrink)."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


class Archive:
    """A ``.keras`` file open for reading.

    Args:
        path: where it is.

    Raises:
        OSError: the archive is damaged.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise OSError(f"The file is damaged: {error}. Received: filepath={path!r}") from error

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exception: object) -> None:
        self._zip.close()

    def text(self, name: str) -> Any:
        """Returns the content of a JSON member.

        Raises:
            OSError: it is missing or damaged.
        """
        if self._info(name).file_size > _MOST_TEXT:
            raise OSError(f"{name} is too large. Received: filepath={self._path!r}")
        return parse_json(self._read(name), f"{name} in {self._path!r}")

    def weights(self) -> io.BytesIO:
        """Returns the weights' HDF5 file.

        Raises:
            OSError: it is missing or damaged, or would grow without measure.
        """
        if "model.weights.npz" in self._zip.namelist():
            raise OSError(
                "Weights in NumPy's format are not supported: save with weights_format='h5'. "
                f"Received: filepath={self._path!r}"
            )
        return io.BytesIO(self._read(WEIGHTS))

    def _info(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._zip.getinfo(name)
        except KeyError:
            raise OSError(
                f"The file is no Keras model: it lacks {name}. Received: filepath={self._path!r}"
            ) from None

    def _read(self, name: str) -> bytes:
        info = self._info(name)
        if info.file_size > _MOST_GROWTH * max(info.compress_size, 1024):
            raise OSError(
                f"{name} claims to grow from {info.compress_size} to {info.file_size} bytes, which "
                f"no model does. Received: filepath={self._path!r}"
            )
        try:
            return self._zip.read(info)
        except Exception as error:  # what a broken stream raises depends on its compression
            raise OSError(
                f"{name} is damaged: {error}. Received: filepath={self._path!r}"
            ) from error


def parse_json(data: str | bytes, what: str) -> Any:
    """Returns what JSON text says.

    Raises:
        ValueError: it is no JSON, or nested beyond measure.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} is not readable JSON: {error}") from None
