"""Settings of the library: float type, epsilon, threads, and what this build can do."""

from __future__ import annotations

import platform
import sys
from typing import Any

import numpy as np

from pynn._compat import explain_absent

__all__ = [
    "backend",
    "disable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "get_num_threads",
    "image_data_format",
    "is_traceback_filtering_enabled",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_num_threads",
    "show_config",
]

_FLOAT_TYPES = ("float32", "float64")
_settings: dict[str, Any] = {"floatx": "float32", "epsilon": 1e-7, "threads": 0}


def floatx() -> str:
    """Returns the float type of new layers: ``"float32"`` unless changed.

    Example:
        >>> floatx()
        'float32'
    """
    return str(_settings["floatx"])


def set_floatx(value: str) -> None:
    """Sets the float type of layers made from now on.

    Args:
        value: ``"float32"`` or ``"float64"``.

    Raises:
        ValueError: another type.
    """
    _settings["floatx"] = check_dtype("set_floatx", value)


def check_dtype(owner: str, dtype: Any) -> str:
    """Returns the name of a float type the engine computes in.

    Raises:
        ValueError: another type.
    """
    try:
        name = str(np.dtype(dtype).name)
    except TypeError:
        name = str(dtype)
    if name not in _FLOAT_TYPES:
        raise ValueError(
            f"{owner}: the engine computes in float32 or float64. Received: dtype={dtype!r}"
        )
    return name


def epsilon() -> float:
    """Returns the small number that keeps logarithms and divisions finite (1e-7).

    Example:
        >>> epsilon()
        1e-07
    """
    return float(_settings["epsilon"])


def set_epsilon(value: float) -> None:
    """Sets the value that ``epsilon()`` returns.

    Raises:
        ValueError: no finite number, or a negative one.
    """
    if not isinstance(value, (int, float, np.number)) or not 0 <= value < np.inf:
        raise ValueError(f"set_epsilon: `value` must be finite and >= 0. Received: value={value!r}")
    _settings["epsilon"] = float(value)


def backend() -> str:
    """Returns ``"pynn"``: what computes is pynn's own engine, and arrays are NumPy's.

    Example:
        >>> backend()
        'pynn'
    """
    return "pynn"


def image_data_format() -> str:
    """Returns ``"channels_last"``: the order in which images are flattened.

    Example:
        >>> image_data_format()
        'channels_last'
    """
    return "channels_last"


def set_image_data_format(data_format: str) -> None:
    """Accepts ``"channels_last"``, the one order there is.

    Raises:
        ValueError: another order.
    """
    if data_format != image_data_format():
        raise ValueError(
            "set_image_data_format: images have their channels last; numpy.moveaxis reorders "
            f"others. Received: data_format={data_format!r}"
        )


def is_traceback_filtering_enabled() -> bool:
    """Returns False: errors show every frame, there are few.

    Example:
        >>> is_traceback_filtering_enabled()
        False
    """
    return False


def disable_traceback_filtering() -> None:
    """Asks for what is always so: errors show every frame."""


def enable_unsafe_deserialization() -> None:
    """Lets ``load_model`` make ``Lambda`` layers, as ``safe_mode=False`` does for one call.

    Code in files is not run even then: a layer's function must be given in ``custom_objects``.
    """
    from pynn.utils import registration

    registration.enable_unsafe_deserialization()


def set_num_threads(n: int | None, allow_oversubscription: bool = False) -> None:
    """Sets how many threads pynn may use; results do not depend on it.

    The team is the minimum of this number, the processors this process may run on, its cgroup
    quota and ``OMP_NUM_THREADS``.

    Args:
        n: number of threads; 0 or None for as many as are available.
        allow_oversubscription: take ``n`` even where fewer processors are available (for tests).

    Raises:
        ValueError: ``n`` is negative or not an integer.
    """
    if n is None:
        n = 0
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(
            f"set_num_threads: `n` must be an integer >= 0 (0: all available). Received: n={n!r}"
        )
    _settings["threads"] = -int(n) if allow_oversubscription else int(n)


def get_num_threads() -> int:
    """Returns how many threads the next call may use."""
    from pynn import _core

    return int(_core.team_size(abs(n_threads()), n_threads() < 0)[0])


def n_threads() -> int:
    """The number handed to the engine: 0 leaves the choice to it, -n means n whatever there is."""
    return int(_settings["threads"])


def show_config() -> None:
    """Prints versions, compiler, instruction set, BLAS and threads, for bug reports.

    Example:
        >>> show_config()  # doctest: +ELLIPSIS
        pynn ...
    """
    from pynn import _core

    facts = dict(_core.config())
    team, reason = _core.team_size(abs(n_threads()), n_threads() < 0)
    built = _readable(facts["instruction_sets_built"])
    rows = {
        "pynn": str(facts["version"]),
        "Python": f"{platform.python_version()} ({sys.implementation.name}, {platform.platform()})",
        "NumPy": np.__version__,
        "compiler": str(facts["compiler"]),
        "instructions": f"{facts['instruction_set']} (built for: {built})",
        "BLAS": str(facts["blas"]),
        "threads": f"{team} ({reason})",
    }
    width = max(map(len, rows))
    print("\n".join(f"{name:<{width}}  {value}" for name, value in rows.items()))


def _readable(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


explain_absent(globals())
