"""Reading and writing HDF5 with nothing but groups, arrays of numbers and text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_ATTRIBUTE_LIMIT = 64512  # bytes: longer lists are cut into numbered attributes
_MOST_NAMES = 1 << 20
_MOST_TEXT = 1 << 28  # characters of one attribute


@contextmanager
def reading(target: Any, path: str) -> Iterator[Any]:
    """Opens an HDF5 file (a path or a file object) called ``path`` to its reader.

    Raises:
        OSError: it is no HDF5 file, or found to be damaged while it is read.
    """
    import h5py

    try:
        file = h5py.File(target, "r")
    except OSError as error:
        raise OSError(f"The file is damaged: {error}. Received: filepath={path!r}") from error
    try:
        with file:
            yield file
    except (KeyError, RuntimeError, UnicodeDecodeError, MemoryError) as error:
        raise OSError(f"The file is damaged: {error}. Received: filepath={path!r}") from error


def writing(target: Any) -> Any:
    """Opens a file object for writing HDF5 into it."""
    import h5py

    return h5py.File(target, "w")


def group(parent: Any, path: str) -> Any:
    """Returns the group at ``path``, or None if there is none.

    Raises:
        ValueError: the path leads through a link, which could lead out of the file.
    """
    import h5py

    place = parent
    for part in path.split("/") if path else ():
        if not isinstance(place, h5py.Group) or part not in place:
            return None
        _no_link(place, part)
        place = place[part]
    return place if isinstance(place, h5py.Group) else None


def array(parent: Any, path: str, shape: Sequence[int] | None = None) -> Array:
    """Returns the array at ``path``.

    Args:
        parent: a group.
        path: the names on the way to it.
        shape: the shape it must have; by default any of at most 2^26 elements.

    Raises:
        ValueError: no array, not numbers, another shape, or one that lies outside the file.
    """
    import h5py

    before, _, last = path.rpartition("/")
    holder = group(parent, before)
    if holder is None or last not in holder:
        raise ValueError(f"The file lacks the array {parent.name.rstrip('/')}/{path}.")
    _no_link(holder, last)
    found = holder[last]
    name = f"{holder.name.rstrip('/')}/{last}"
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "fiub":
        raise ValueError(f"{name}: expected an array of numbers in the file.")
    if found.is_virtual or found.external:
        raise ValueError(f"{name}: the array lies outside the file, which is not followed.")
    if shape is not None and tuple(found.shape) != tuple(shape):
        raise ValueError(
            f"{name}: expected an array of shape {tuple(shape)}. Received: shape={found.shape}"
        )
    if shape is None and math.prod(found.shape) > 1 << 26:
        raise ValueError(f"{name}: the array is too large. Received: shape={found.shape}")
    return np.asarray(found[()])


def shape_of(parent: Any, path: str) -> tuple[int, ...] | None:
    """Returns the shape of the array at ``path`` without reading it; None if there is none."""
    before, _, last = path.rpartition("/")
    holder = group(parent, before)
    if holder is None or last not in holder:
        return None
    _no_link(holder, last)
    return tuple(getattr(holder[last], "shape", None) or ())


def _no_link(holder: Any, name: str) -> None:
    import h5py

    if not isinstance(holder.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"{holder.name}/{name}: links in a file are not followed.")


def text(holder: Any, name: str) -> str | None:
    """Returns an attribute that is text, or None.

    Raises:
        ValueError: it is something else.
    """
    if name not in holder.attrs:
        return None
    value = _attribute(holder, name, 1)
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if not isinstance(value, str) or len(value) > _MOST_TEXT:
        raise ValueError(f"{holder.name}: the attribute {name} must be text.")
    return value


def _attribute(holder: Any, name: str, most: int = _MOST_NAMES) -> Any:
    """An attribute's value; damage may make it claim any number of elements."""
    shape = holder.attrs.get_id(name).shape
    if shape is None or math.prod(shape) > most:
        raise ValueError(f"{holder.name}: the attribute {name} is damaged: shape {shape}.")
    return holder.attrs[name]


def names(holder: Any, name: str) -> list[str]:
    """Returns an attribute that is a list of names, also one cut into numbered parts."""
    parts = []
    if name in holder.attrs:
        parts.append(_attribute(holder, name))
    while f"{name}{len(parts)}" in holder.attrs:
        parts.append(_attribute(holder, f"{name}{len(parts)}"))
    items = [item for part in parts for item in np.ravel(part)]
    return [item.decode() if isinstance(item, bytes) else str(item) for item in items]


def write_names(holder: Any, name: str, values: Sequence[str]) -> None:
    """Writes a list of names as an attribute, cut into numbered ones if it is long."""
    encoded = np.array([value.encode() for value in values])
    if encoded.nbytes <= _ATTRIBUTE_LIMIT:
        holder.attrs[name] = encoded
        return
    rows = max(1, _ATTRIBUTE_LIMIT // encoded.itemsize)
    for part, start in enumerate(range(0, len(encoded), rows)):
        holder.attrs[f"{name}{part}"] = encoded[start : start + rows]


def write_arrays(holder: Any, arrays: Mapping[str, Any]) -> None:
    """Writes arrays under their names; a slash in a name makes groups."""
    for name, values in arrays.items():
        holder.create_dataset(name, data=np.asarray(values))
