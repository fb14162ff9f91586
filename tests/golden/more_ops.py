"""Golden cases of the functions of ``ops`` that are called on arrays, not trained through."""

from __future__ import annotations

from typing import Any

import numpy as np

from golden.ops import DOMAINS, INTEGERS, NUMBERS, Function, named, operation
from golden.runs import Cases, uniform

SQUARE = uniform(3, 3, seed=81) + 2 * np.eye(3)
POSITIVE = SQUARE @ SQUARE.T
SORTED = np.array([0, 0, 1, 2])
VALUES = np.array([1.0, 2.0, 3.0, 4.0])
BITS = np.array([5, 6, 12])

ONE_ARGUMENT: dict[str, Any] = {
    **dict.fromkeys(
        ("deg2rad", "rad2deg", "sinc", "signbit", "erfc", "i0", "isreal", "real"),
        DOMAINS["any"][0],
    ),
    **dict.fromkeys(("conj", "conjugate", "imag", "copy", "fliplr", "flipud", "rot90", "ptp"),
                    DOMAINS["any"][0]),
    **dict.fromkeys(("isposinf", "isneginf", "nansum", "nanmean", "nanmax", "nanmin"), NUMBERS),
    **dict.fromkeys(("nanargmax", "nanargmin", "nanprod", "nancumsum", "nancumprod"), NUMBERS),
    **dict.fromkeys(("nonzero", "diagflat"), INTEGERS),
    **dict.fromkeys(("det", "slogdet", "inv", "pinv", "matrix_rank"), SQUARE),
    **dict.fromkeys(("cholesky", "logdet"), POSITIVE),
    **dict.fromkeys(("bitwise_not", "bitwise_invert"), BITS),
}  # fmt: skip

ON_ARRAYS: dict[str, Function] = {
    "allclose": lambda o, t: [o.allclose(t, t), o.allclose(t, t + 1)],
    "arccosh": lambda o, t: o.arccosh(1.5 + t * t),
    "array_split": lambda o, t: o.array_split(t, 3, axis=1),
    "bartlett": lambda o, t: o.bartlett(5),
    "blackman": lambda o, t: o.blackman(5),
    "hamming": lambda o, t: o.hamming(5),
    "hanning": lambda o, t: o.hanning(5),
    "kaiser": lambda o, t: o.kaiser(5, 3.0),
    "bitwise_and": lambda o, t: o.bitwise_and(BITS, 6),
    "bitwise_or": lambda o, t: o.bitwise_or(BITS, 6),
    "bitwise_xor": lambda o, t: o.bitwise_xor(BITS, 6),
    "bitwise_left_shift": lambda o, t: o.bitwise_left_shift(BITS, 2),
    "bitwise_right_shift": lambda o, t: o.bitwise_right_shift(BITS, 1),
    "left_shift": lambda o, t: o.left_shift(BITS, 2),
    "right_shift": lambda o, t: o.right_shift(BITS, 1),
    "cross": lambda o, t: o.cross(t[:, :3], t[:, 1:]),
    "corrcoef": lambda o, t: o.corrcoef(t),
    "correlate": lambda o, t: o.correlate(t[0], t[1], mode="full"),
    "dstack": lambda o, t: o.dstack([t, t]),
    "hsplit": lambda o, t: o.hsplit(t, 2),
    "vsplit": lambda o, t: o.vsplit(t, 3),
    "eigh": lambda o, t: o.eigh(POSITIVE)[0],
    "svd": lambda o, t: o.svd(SQUARE, compute_uv=False),
    "qr": lambda o, t: o.absolute(o.qr(SQUARE)[1]),
    "solve": lambda o, t: o.solve(SQUARE, t[:3, :3]),
    "solve_triangular": lambda o, t: o.solve_triangular(np.tril(SQUARE), t[:3, :3], lower=True),
    "lstsq": lambda o, t: o.lstsq(SQUARE, t[:3, :3]),
    "fmax": lambda o, t: o.fmax(NUMBERS, 1.0),
    "fmin": lambda o, t: o.fmin(NUMBERS, 1.0),
    "fmod": lambda o, t: o.fmod(t, 0.7),
    "gcd": lambda o, t: o.gcd(BITS, 4),
    "lcm": lambda o, t: o.lcm(BITS, 4),
    "geomspace": lambda o, t: o.geomspace(1.0, 8.0, 4),
    "logspace": lambda o, t: o.logspace(0.0, 2.0, 3),
    "heaviside": lambda o, t: o.heaviside(t, 0.5),
    "isin": lambda o, t: o.isin(INTEGERS, [1, 5]),
    "kron": lambda o, t: o.kron(t[:2, :2], t[1:, 2:]),
    "logaddexp2": lambda o, t: o.logaddexp2(t, t[::-1]),
    "nanmedian": lambda o, t: o.nanmedian(NUMBERS),
    "nanstd": lambda o, t: o.nanstd(NUMBERS[:, ::2][1:, 1:]),
    "nanvar": lambda o, t: o.nanvar(NUMBERS[:, ::2][1:, 1:]),
    "segment_sum": lambda o, t: o.segment_sum(VALUES, SORTED, num_segments=3),
    "segment_max": lambda o, t: o.segment_max(VALUES, SORTED, num_segments=3),
    "scatter": lambda o, t: o.scatter(np.array([[1], [3]]), np.array([5.0, 6.0]), (4,)),
    "scatter_update": lambda o, t: o.scatter_update(VALUES, np.array([[1]]), np.array([9.0])),
    "slice": lambda o, t: o.slice(t, (0, 1), (2, 2)),
    "slice_update": lambda o, t: o.slice_update(t, (0, 1), np.zeros((2, 2))),
    "select": lambda o, t: o.select([t > 1, t > 0], [t, 2 * t], default=0.5),
    "tri": lambda o, t: o.tri(3, 4, k=1),
    "trapezoid": lambda o, t: o.trapezoid(t, dx=0.5),
    "vander": lambda o, t: o.vander(VALUES, 3),
    "percentile": lambda o, t: o.percentile(t, 30, axis=1),
    "cond": lambda o, t: o.cond(True, lambda: t, lambda: 2 * t),
    "fori_loop": lambda o, t: o.fori_loop(0, 3, lambda i, s: s + i, 1),
    "while_loop": lambda o, t: o.while_loop(lambda i: i < 5, lambda i: (i + 2,), (0,)),
    "switch": lambda o, t: o.switch(1, [lambda s: s, lambda s: 2 * s], t),
    "map": lambda o, t: o.map(lambda row: row * 2, t),
    "scan": lambda o, t: o.scan(lambda c, row: (c + row, c), t[0] * 0, t)[0],
    "unravel_index": lambda o, t: o.unravel_index(np.array([5, 2]), (2, 3)),
    "saturate_cast": lambda o, t: o.saturate_cast(np.array([-1.0, 300.0]), "uint8"),
}

CASES: Cases = {
    **{f"ops.{name}": operation(named(name), x) for name, x in ONE_ARGUMENT.items()},
    **{f"ops.{name}": operation(f, DOMAINS["any"][0]) for name, f in ON_ARRAYS.items()},
}
