"""What the machine can do: the rate of matrix products, by every library at hand, on one core."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from pynn import _core
from pynn.bench.rounds import Settings, say
from pynn.bench.text import table

Product: TypeAlias = Callable[[], Any]

_SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "NPY_DISABLE_CPU_FEATURES")


class Shape(NamedTuple):
    """A product of (m, k) and (k, n), where a dense layer has it."""

    what: str  # "forward", "weights" (xᵀ dy) or "inputs" (dy Wᵀ)
    m: int
    k: int
    n: int

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.m * self.k * self.n


LARGE = Shape("forward", 1024, 1024, 1024)

# The products of the jobs' largest layers.
SHAPES = [
    shape
    for batch, inputs, units in ((32, 784, 300), (128, 784, 300), (200, 20, 100), (512, 2048, 2048))
    for shape in (
        Shape("forward", batch, inputs, units),
        Shape("weights", inputs, batch, units),
        Shape("inputs", batch, units, inputs),
    )
] + [Shape("forward", 10_000, 784, 300), LARGE]


def products(shape: Shape) -> dict[str, Product]:
    """The product by each library, every one of which allocates its result."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((shape.m, shape.k), dtype=np.float32)
    b = rng.standard_normal((shape.k, shape.n), dtype=np.float32)
    # A transposed factor is a view of what the layer has in memory.
    first, second = shape.what == "weights", shape.what == "inputs"
    left = np.ascontiguousarray(a.T) if first else a
    right = np.ascontiguousarray(b.T) if second else b
    a, b = left.T if first else a, right.T if second else b
    found: dict[str, Product] = {
        "pynn": lambda: _core.gemm(left, right, first, second),
        f"NumPy ({blas_kernel()})": lambda: a @ b,
    }
    try:
        import torch
    except ImportError:
        return found
    s, t = torch.from_numpy(a), torch.from_numpy(b)
    name = "MKL" if torch.backends.mkl.is_available() else "its BLAS"
    found[f"PyTorch ({name})"] = lambda: torch.mm(s, t)
    return found


def rates(shape: Shape, seconds: float = 0.1) -> dict[str, float]:
    """Floating-point operations per second on one core, the best of alternating turns."""
    made = products(shape)
    best = dict.fromkeys(made, float("inf"))
    calls = max(1, int(2e8 / shape.flops))  # some milliseconds
    with OneThread():
        end = time.perf_counter() + seconds * len(made)
        while time.perf_counter() < end:
            for name, product in made.items():
                product()
                start = time.perf_counter()
                for _ in range(calls):
                    product()
                best[name] = min(best[name], (time.perf_counter() - start) / calls)
    return {name: shape.flops / taken for name, taken in best.items()}


def sgemm_rate() -> float:
    """The rate of the best large product: nothing that computes by products is faster."""
    return max(rates(LARGE).values())


def measure(settings: Settings) -> list[dict[str, Any]]:
    """The rates of all shapes."""
    say("matrix products")
    return [{"shape": list(shape), "rates": rates(shape)} for shape in SHAPES]


def markdown(measured: list[dict[str, Any]]) -> str:
    """GFLOP/s of every product by every library."""
    names = list(measured[0]["rates"])
    best = max(max(entry["rates"].values()) for entry in measured)
    rows = []
    for entry in measured:
        what, m, k, n = entry["shape"]
        own = entry["rates"]["pynn"]
        numbers = [f"{rate / 1e9:.1f}" for rate in entry["rates"].values()]
        rows.append([what, f"{m:,} × {k:,} × {n:,}", *numbers, f"{own / best:.2f}"])
    head = ["product", "rows × inner × columns", *names, "pynn, of the best of all"]
    return table(head, rows) + (
        "\nGFLOP/s on one core, float32, result allocated. Forward: x W; weights: xᵀ dy; inputs: "
        "dy Wᵀ.\n"
    )


class OneThread:
    """Holds NumPy's and PyTorch's products to one thread."""

    def __enter__(self) -> None:
        from threadpoolctl import threadpool_limits

        self.limits = threadpool_limits(1)
        try:
            import torch
        except ImportError:
            return
        self.threads = torch.get_num_threads()
        torch.set_num_threads(1)

    def __exit__(self, *_: object) -> None:
        self.limits.restore_original_limits()
        if hasattr(self, "threads"):
            import torch

            torch.set_num_threads(self.threads)


def blas_kernel() -> str:
    """The BLAS that NumPy computes with, and for which processor its kernels are."""
    from threadpoolctl import threadpool_info

    for pool in threadpool_info():
        if pool["user_api"] == "blas" and "numpy" in pool["filepath"]:
            kernels = pool.get("architecture")
            return " ".join(filter(None, (pool["internal_api"], kernels)))
    return "unknown BLAS"


def warnings() -> list[str]:
    """What in the environment makes NumPy's products slower than the machine can."""
    return [
        f"{name}={os.environ[name]} may slow NumPy down, and with it scikit-learn and the limit: "
        "unset it."
        for name in _SLOWING
        if name in os.environ
    ]
