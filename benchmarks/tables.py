"""Compares pynn's estimators with scikit-learn's on tables of real data, at default parameters.

    python benchmarks/tables.py                     # two minutes on two cores
    python benchmarks/tables.py --rows 5000 --seeds 3 --only adult letter

Both fit the same folds with the same seeds, one after the other, so a busy neighbour hurts both.
The score (accuracy or R²) is cross-validated on standardized features, and targets of regressions
are standardized. It must agree within scikit-learn's own spread from seed to seed; otherwise the
exit status is 1. Times are those of `fit` alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler, scale

import pynn

Array = npt.NDArray[Any]
Scores = dict[int, list[float]]  # of the folds, by seed

# Threads of a library spin for a while after their work, on cores that the next one wants.
SETTLE = 0.1  # seconds
OURS, THEIRS = "pynn", "scikit-learn"
CLASSES = {
    OURS: {True: pynn.MLPClassifier, False: pynn.MLPRegressor},
    THEIRS: {True: MLPClassifier, False: MLPRegressor},
}


@dataclass
class Table:
    """One table's data, and what each library made of it."""

    name: str
    x: Array
    y: Array
    rows: int  # of the whole table, of which `x` may be a sample
    seconds: dict[str, list[float]] = field(default_factory=lambda: {OURS: [], THEIRS: []})
    losses: dict[str, list[float]] = field(default_factory=lambda: {OURS: [], THEIRS: []})
    epochs: dict[str, list[int]] = field(default_factory=lambda: {OURS: [], THEIRS: []})
    scores: dict[str, Scores] = field(default_factory=lambda: {OURS: {}, THEIRS: {}})

    @property
    def classifies(self) -> bool:
        """Whether the target is a class."""
        return self.y.dtype.kind not in "f"

    def score(self, library: str) -> float:
        """The mean over folds and seeds."""
        return float(np.mean(list(self.scores[library].values())))

    @property
    def spread(self) -> float:
        """The range of scikit-learn's cross-validated scores over the seeds."""
        means = [float(np.mean(folds)) for folds in self.scores[THEIRS].values()]
        return max(means) - min(means)

    @property
    def agrees(self) -> bool:
        """Whether the scores differ by no more than the spread (and what one row counts)."""
        tolerance = max(self.spread, 1 / len(self.y))
        return abs(self.score(OURS) - self.score(THEIRS)) <= tolerance

    @property
    def ratio(self) -> float:
        """How many times faster pynn fits, the median over pairs of fits."""
        pairs = zip(self.seconds[THEIRS], self.seconds[OURS], strict=True)
        return statistics.median(theirs / ours for theirs, ours in pairs)


def tables(folder: Path, rows: int, only: list[str] | None) -> Iterator[Table]:
    """The tables of a folder, large ones reduced to a random sample."""
    files = [*sorted((folder / "tabular").glob("*.npz")), *folder.glob("california*/*.npz")]
    for file in files:
        if only and file.stem not in only:
            continue
        data = np.load(file, allow_pickle=False)
        key = {name.lower(): name for name in data.files}
        x, y = data[key["x"]], data[key["y"]]
        chosen = np.random.default_rng(0).permutation(len(y))[:rows]
        if y.dtype.kind != "f":
            # Folds need a few rows of every class.
            common = np.bincount(y[chosen], minlength=int(y.max()) + 1) >= 6
            chosen = chosen[common[y[chosen]]]
        yield Table(file.stem, x[chosen], y[chosen], len(y))


def fit_folds(table: Table, seeds: int, folds: int, dtype: str) -> None:
    """Cross-validates both libraries; which one goes first alternates."""
    splitter = (StratifiedKFold if table.classifies else KFold)(folds, shuffle=True, random_state=0)
    y = table.y if table.classifies else scale(table.y.astype(dtype))
    order = [OURS, THEIRS]
    for train, test in splitter.split(table.x, y):
        scaler = StandardScaler().fit(table.x[train].astype(dtype))
        x_train, x_test = (scaler.transform(table.x[i].astype(dtype)) for i in (train, test))
        for seed in range(seeds):
            for library in order:
                model = CLASSES[library][table.classifies](random_state=seed)
                time.sleep(SETTLE)
                start = time.perf_counter()
                model.fit(x_train, y[train])
                table.seconds[library].append(time.perf_counter() - start)
                table.losses[library].append(model.loss_)
                table.epochs[library].append(model.n_iter_)
                score = model.score(x_test, y[test])
                table.scores[library].setdefault(seed, []).append(score)
            order.reverse()


def line(table: Table) -> list[str]:
    """A table's row in the report."""
    median = {name: statistics.median(table.seconds[name]) for name in (OURS, THEIRS)}
    sample = f"{len(table.y):,}" + (f" of {table.rows:,}" if table.rows > len(table.y) else "")
    scores = [f"{table.score(name):.4f}" for name in (OURS, THEIRS)]
    return [
        table.name,
        f"{sample} × {table.x.shape[1]}",
        scores[0] if table.agrees else f"**UNEQUAL** {scores[0]}",
        scores[1],
        f"{table.spread:.4f}",
        " / ".join(f"{statistics.median(table.losses[name]):.4g}" for name in (OURS, THEIRS)),
        " / ".join(f"{statistics.median(table.epochs[name]):.0f}" for name in (OURS, THEIRS)),
        f"{median[OURS]:.2f}",
        f"{median[THEIRS]:.2f}",
        f"**{table.ratio:.1f}**",
    ]


def report(done: list[Table], options: argparse.Namespace) -> str:
    """The whole comparison as Markdown."""
    head = [
        "table", "rows × features", "score, pynn", "scikit-learn", "its spread", "loss", "epochs",
        "fit s, pynn", "scikit-learn", "×",
    ]  # fmt: skip
    cells = [head, ["---"] * len(head), *(line(table) for table in done)]
    ratios = [table.ratio for table in done]
    versions = (
        f"pynn {pynn.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}"
    )
    return "\n".join(f"| {' | '.join(row)} |" for row in cells) + (
        f"\n\nMedian speed-up **{statistics.median(ratios):.1f}**, least {min(ratios):.1f}. "
        f"{options.folds} folds × {options.seeds} seeds, {options.dtype}, at most "
        f"{options.rows:,} rows of a table; medians of alternating fits; score: accuracy or R²; "
        "its spread: range of scikit-learn's score over the seeds; loss and epochs: pynn's / "
        f"scikit-learn's. {options.threads} threads of {processor()} "
        f"({platform.system()} {platform.machine()}), Python {platform.python_version()}, "
        f"{versions}; {datetime.now(timezone.utc).date().isoformat()}.\n"
    )


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for text in info.read_text(encoding="utf-8").splitlines():
            if text.startswith("model name"):
                return text.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def main() -> int:
    """Runs the tables asked for and prints Markdown; 1 if a score disagrees."""
    parser = argparse.ArgumentParser(prog="tables", description=(__doc__ or "").split("\n")[0])
    home = os.environ.get("PYNN_HOME", "~/.pynn/datasets")
    parser.add_argument("--folder", type=Path, default=Path(home).expanduser())
    parser.add_argument("--only", nargs="+", metavar="TABLE")
    parser.add_argument("--rows", type=int, default=4000, help="at most so many of each table")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float64")
    options = parser.parse_args()
    options.threads = pynn.config.get_num_threads()

    done = []
    warnings.simplefilter("ignore", ConvergenceWarning)
    for table in tables(options.folder, options.rows, options.only):
        start = time.perf_counter()
        fit_folds(table, options.seeds, options.folds, options.dtype)
        took = time.perf_counter() - start
        print(f"{table.name}: × {table.ratio:.1f} in {took:.0f} s", file=sys.stderr)
        done.append(table)
    if not done:
        parser.error(f"no tables in {options.folder}")
    print(report(done, options))
    return 0 if all(table.agrees for table in done) else 1


if __name__ == "__main__":
    sys.exit(main())
