"""Fits equal scikit-learn's, weight by weight: a network starts, trains and stops as its twin does.

All combinations of solver, schedule, activation, stopping rule, storage and task are fitted. Each
also gets values of the other parameters, drawn so that any two values of any two parameters meet.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from twins import (
    STORAGE,
    TASKS,
    assert_close,
    assert_same_fit,
    features,
    fit,
    pair,
    targets,
    weights,
)

STOPPING: dict[str, dict[str, Any]] = {
    "never": {"tol": 1e-7, "n_iter_no_change": np.inf},
    "loss": {"tol": 2e-2, "n_iter_no_change": 2},
    "validation": {
        "early_stopping": True,
        "validation_fraction": 0.3,
        "tol": 1e-2,
        "n_iter_no_change": 3,
    },
}
ALL_COMBINED: dict[str, list[Any]] = {
    "solver": ["sgd", "adam"],
    "learning_rate": ["constant", "invscaling", "adaptive"],
    "activation": ["identity", "logistic", "tanh", "relu"],
    "stopping": list(STOPPING),
    "storage": ["dense", "csr"],
    "task": TASKS,
}
DRAWN: dict[str, list[Any]] = {
    "weighted": [False, True],
    "batch_size": ["auto", 16, 7],  # of 61 rows, so the last batch is short
    "shuffle": [True, False],
    "momentum": [0.9, 0.5, 0.0],
    "nesterovs_momentum": [True, False],
    "alpha": [1e-4, 0.0, 0.5],
    "hidden_layer_sizes": [(6,), (5, 4), 3],
    "learning_rate_init": [0.01, 0.05],
    "power_t": [0.5, 0.25],
    "beta_1": [0.9, 0.0],
    "beta_2": [0.999, 0.9],
    "epsilon": [1e-8, 1e-3],
    "random_state": [0, 1],
}


def make_cases() -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)
    return [
        dict(zip(ALL_COMBINED, values, strict=True))
        | {name: levels[rng.integers(len(levels))] for name, levels in DRAWN.items()}
        for values in product(*ALL_COMBINED.values())
    ]


CASES = make_cases()


def case_id(case: dict[str, Any]) -> str:
    return "-".join(str(case[name]) for name in ALL_COMBINED)


def fitted_pair(case: dict[str, Any], max_iter: int) -> tuple[Any, Any, Any]:
    """Both estimators fitted on a case's data, and the data."""
    case = dict(case)
    task, stopping = case.pop("task"), STOPPING[case.pop("stopping")]
    x, y = STORAGE[case.pop("storage")](features()), targets(task)
    arguments: dict[str, Any] = {"sample_weight": weights()} if case.pop("weighted") else {}
    ours, theirs = pair(task, **case, **stopping, max_iter=max_iter)
    fit(ours, x, y, **arguments)
    fit(theirs, x, y, **arguments)
    return ours, theirs, x


def test_every_two_values_meet() -> None:
    factors = ALL_COMBINED | DRAWN
    for a, b in combinations(factors, 2):
        met = {(str(case[a]), str(case[b])) for case in CASES}
        assert met == set(product(map(str, factors[a]), map(str, factors[b]))), f"{a}, {b}"


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_stochastic_solvers(case: dict[str, Any]) -> None:
    for epochs, tolerance in ((5, 1e-8), (30, 1e-6)):
        ours, theirs, x = fitted_pair(case, epochs)
        assert_same_fit(ours, theirs, x, tolerance)


@pytest.mark.parametrize("stopping", ["loss", "validation"])
@pytest.mark.parametrize("solver", ALL_COMBINED["solver"])
def test_the_cases_stop(solver: str, stopping: str) -> None:
    """Many runs end before their 30 epochs, at different moments: the rules are put to the test."""
    chosen = [c for c in CASES if c["solver"] == solver and c["stopping"] == stopping]
    ends = [fitted_pair(case, 30)[0].n_iter_ for case in chosen[::6]]
    assert np.mean(np.array(ends) < 30) > 0.3
    assert len(set(ends)) > 4


@pytest.mark.parametrize("weighted", DRAWN["weighted"])
@pytest.mark.parametrize("storage", ALL_COMBINED["storage"])
@pytest.mark.parametrize("activation", ALL_COMBINED["activation"])
@pytest.mark.parametrize("task", TASKS)
def test_lbfgs(task: str, activation: str, storage: str, weighted: bool) -> None:
    """The first iterations are the same; many amplify rounding, but the optimum is the same."""
    case = {
        "solver": "lbfgs",
        "task": task,
        "activation": activation,
        "storage": storage,
        "weighted": weighted,
        "stopping": "never",
        "alpha": 1.0,
        "hidden_layer_sizes": (6,),
        "random_state": 2,
    }
    ours, theirs, x = fitted_pair(case, 5)
    assert_same_fit(ours, theirs, x, 1e-8)
    ours, theirs, x = fitted_pair(case, 30)  # convergence may be noticed an iteration sooner
    assert_same_fit(ours, theirs, x, 1e-6, skip="n_iter_")
    ours, theirs, x = fitted_pair(case, 150)
    assert_close(ours.loss_, theirs.loss_, 1e-4, "loss_")
