"""Perceptron is scikit-learn's: weights, epochs, errors and printed lines."""

from __future__ import annotations

import inspect
import re
import signal
import threading
import time
import warnings
from collections.abc import Callable
from itertools import product
from operator import methodcaller
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import sklearn.linear_model
from scipy import sparse
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags

from pynn import _core
from pynn.sklearn import Perceptron

Array = npt.NDArray[Any]
Call = Callable[[Any], Any]

CLASSES: Array = np.array(["fox", "hen", "owl"])
ROWS, NUMBERS = make_classification(
    120, 12, n_informative=6, n_classes=3, flip_y=0.05, random_state=1
)
WEIGHTS = np.random.RandomState(2).rand(len(ROWS))

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
every_form = pytest.mark.parametrize("form", ["dense", "csr"])
both_counts = pytest.mark.parametrize("n_classes", [2, 3])


def table(form: str = "dense", dtype: str = "float64") -> Any:
    """Rows, with many zeros where they are sparse."""
    if form == "dense":
        return ROWS.astype(dtype)
    return sparse.csr_matrix(np.where(abs(ROWS) > 1, ROWS, 0).astype(dtype))


def labels(n_classes: int = 3) -> Array:
    names: Array = CLASSES[np.minimum(NUMBERS, n_classes - 1)]
    return names


def both(*calls: Call, **parameters: Any) -> tuple[Any, Any]:
    """Ours and theirs, after the same calls."""
    pair = Perceptron(**parameters), sklearn.linear_model.Perceptron(**parameters)
    for model in pair:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for call in calls:
                call(model)
    return pair


def assert_same(ours: Any, theirs: Any, context: Any = None) -> None:
    for name in ("coef_", "intercept_"):
        found, expected = getattr(ours, name), getattr(theirs, name)
        assert found.dtype == expected.dtype, (name, context)
        rtol = 1e-5 if expected.dtype == np.float32 or theirs.coef_.dtype == np.float32 else 1e-10
        np.testing.assert_allclose(found, expected, rtol, rtol, err_msg=f"{name} {context}")
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_), context
    assert (type(ours.n_iter_), type(ours.t_)) == (type(theirs.n_iter_), type(theirs.t_))
    assert set(vars(ours)) - set(inspect.signature(type(ours)).parameters) <= set(vars(theirs))


# The same fit


@both_counts
@every_dtype
@every_form
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("penalty", [None, "l1", "l2", "elasticnet"])
def test_fit(penalty: Any, early_stopping: bool, form: str, dtype: str, n_classes: int) -> None:
    x, y = table(form, dtype), labels(n_classes)
    every = product([None, "balanced", {"fox": 2.0, "hen": 0.3}], [False, True], [None, 1e-3, 0.0])
    for number, (class_weight, weighted, tol) in enumerate(every):
        parameters = {
            "penalty": penalty,
            "early_stopping": early_stopping,
            "class_weight": class_weight,
            "tol": tol,
            "shuffle": number % 4 != 0,
            "alpha": [1e-4, 0.05][number % 5 % 2],
            "max_iter": 12,
            "random_state": 7,
        }
        weight = WEIGHTS if weighted else None
        pair = both(methodcaller("fit", x, y, sample_weight=weight), **parameters)
        assert_same(*pair, parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {"fit_intercept": False},
        {"eta0": 0.1, "penalty": "l2", "alpha": 0.5},
        {"eta0": 3.0, "penalty": "l2", "alpha": 1.0},  # would shrink weights below zero
        {"penalty": "elasticnet", "l1_ratio": 0.9, "alpha": 0.01},
        {"penalty": "elasticnet", "l1_ratio": 0},
        {"penalty": "l1", "alpha": 0},
        {"n_iter_no_change": 1},
        {"early_stopping": True, "validation_fraction": 0.4, "n_iter_no_change": 2},
        {"tol": 1e6},
        {"max_iter": 1},
        {"n_jobs": 2},
        {"n_jobs": -1, "penalty": "l1"},
        {"random_state": None},
        {"random_state": 2**32 - 1},
    ],
    ids=str,
)
@both_counts
def test_parameters(parameters: dict[str, Any], n_classes: int) -> None:
    def fit(model: Any) -> None:
        np.random.seed(5)  # random_state=None draws from this
        model.fit(table(), labels(n_classes))

    assert_same(*both(fit, **{"max_iter": 40, **parameters}))


@both_counts
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_random_state_is_used_up_alike(n_classes: int, early_stopping: bool) -> None:
    left = []
    for kind in (Perceptron, sklearn.linear_model.Perceptron):
        state = np.random.RandomState(3)
        model = kind(random_state=state, early_stopping=early_stopping)
        left.append((model.fit(table(), labels(n_classes)).coef_, state.randint(1000, size=4)))
    for ours, theirs in zip(*left, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@both_counts
@every_dtype
@every_form
@pytest.mark.parametrize("penalty", [None, "l1", "l2"])
def test_fits_in_a_row(penalty: Any, form: str, dtype: str, n_classes: int) -> None:
    x, y = table(form, dtype), labels(n_classes)

    def batches(model: Any) -> None:
        for first in range(0, 120, 40):
            part = slice(first, first + 40)
            model.partial_fit(x[part], y[part], np.unique(y), WEIGHTS[part])

    def fit(model: Any) -> None:
        model.fit(x, y)

    assert_same(*both(batches, penalty=penalty))
    assert_same(*both(batches, batches, penalty=penalty, class_weight={"fox": 2.0, "hen": 1.0}))
    assert_same(*both(fit, fit, batches, fit, penalty=penalty, max_iter=3, warm_start=True))
    shape = (3, 12) if n_classes == 3 else (1, 12)
    assert_same(
        *both(
            lambda m: m.fit(x, y, coef_init=np.full(shape, 0.5), intercept_init=[-1] * shape[0]),
            penalty=penalty,
            max_iter=3,
        )
    )


def test_a_batch_may_lack_classes() -> None:
    def batches(model: Any) -> None:
        model.partial_fit(ROWS[NUMBERS == 1], labels()[NUMBERS == 1], classes=CLASSES)
        model.partial_fit(ROWS[NUMBERS > 0], labels()[NUMBERS > 0])

    assert_same(*both(batches))


def test_other_forms_of_input() -> None:
    y = labels()
    expected = sklearn.linear_model.Perceptron().fit(table("csr"), y)
    for x in (table("csr").tocsc(), table("csr").tocoo(), sparse.csr_array(table("csr"))):
        assert_same(Perceptron().fit(x, y), expected)
    expected = sklearn.linear_model.Perceptron().fit(ROWS, y)
    for x in (np.asfortranarray(ROWS), ROWS.tolist(), ROWS.astype(object)):
        assert_same(Perceptron().fit(x, y), expected)


def test_predictions() -> None:
    x, y = load_digits(return_X_y=True)
    ours, theirs = both(lambda m: m.fit(x, y), penalty="l1")
    np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))
    np.testing.assert_allclose(ours.decision_function(x), theirs.decision_function(x), 1e-10)
    assert ours.score(x, y) == theirs.score(x, y)
    dense = ours.coef_.copy()
    assert sparse.issparse(ours.sparsify().coef_)
    np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))
    np.testing.assert_array_equal(ours.densify().coef_, dense)
    again = ours.sparsify().partial_fit(x, y)
    assert_same(again, theirs.partial_fit(x, y))


# The same face


def test_face() -> None:
    ours, theirs = Perceptron(), sklearn.linear_model.Perceptron()
    assert ours.get_params() == theirs.get_params()
    for name in ("fit", "partial_fit", "predict", "score", "decision_function"):
        parameters = inspect.signature(getattr(ours, name)).parameters.values()
        expected = inspect.signature(getattr(theirs, name)).parameters.values()
        assert [(p.name, p.default, p.kind) for p in parameters] == [
            (p.name, p.default, p.kind) for p in expected
        ]
    assert repr(Perceptron(alpha=1, tol=None)) == "Perceptron(alpha=1, tol=None)"
    assert get_tags(ours) == get_tags(theirs)
    assert not hasattr(ours, "predict_proba")


@both_counts
@every_form
@pytest.mark.parametrize("early_stopping", [False, True])
def test_printed_lines(
    early_stopping: bool, form: str, n_classes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    written = []
    for kind in (Perceptron, sklearn.linear_model.Perceptron):
        model = kind(verbose=1, penalty="l2", early_stopping=early_stopping)
        model.fit(table(form), labels(n_classes))
        lines = re.sub(r"\d+\.\d+ seconds", "seconds", capsys.readouterr().out).splitlines()
        lines = [line for line in lines if not line.startswith("[Parallel")]
        if form == "csr" and sklearn.__version__ < "1.8":  # whose norms there are of all columns
            lines = [re.sub(r"Norm: \S+", "", line) for line in lines]
        written.append(lines)
    assert written[0] == written[1]


def sorted_sets(message: str) -> str:
    """Sets print in an order of their own in each compiled file."""
    return re.sub(
        r"\{([^{}]*)\}", lambda found: f"{{{', '.join(sorted(found[1].split(', ')))}}}", message
    )


def assert_same_error(call: Call, **parameters: Any) -> None:
    with pytest.raises(Exception) as ours:
        call(Perceptron(**parameters))
    with pytest.raises(type(ours.value)) as theirs:
        call(sklearn.linear_model.Perceptron(**parameters))
    assert sorted_sets(str(ours.value)) == sorted_sets(str(theirs.value))


@pytest.mark.parametrize(
    "parameters",
    [
        {"penalty": "l3"},
        {"alpha": -1},
        {"l1_ratio": 1.1},
        {"max_iter": 0},
        {"tol": -1e-3},
        {"shuffle": "yes"},
        {"warm_start": "again"},
        {"n_iter_no_change": 0},
        {"validation_fraction": 1.0},
        {"class_weight": "even"},
        {"class_weight": {"wolf": 2.0}},
        {"random_state": "seven"},
        {"n_jobs": 1.5},
        {"early_stopping": True, "validation_fraction": 0.999},
    ],
    ids=str,
)
def test_wrong_parameters(parameters: dict[str, Any]) -> None:
    assert_same_error(lambda m: m.fit(ROWS, labels()), **parameters)


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.fit(ROWS, labels()[:-1]),
        lambda m: m.fit(ROWS, np.full(120, "fox")),
        lambda m: m.fit(np.where(ROWS > 2, np.nan, ROWS), labels()),
        lambda m: m.fit(ROWS, labels(), sample_weight=np.ones(3)),
        lambda m: m.fit(ROWS, labels(), coef_init=np.zeros((3, 5))),
        lambda m: m.fit(ROWS, labels(), intercept_init=np.zeros(2)),
        lambda m: m.fit(ROWS, labels(2), coef_init=np.zeros(5)),
        lambda m: m.fit(ROWS, labels(2), intercept_init=np.zeros(2)),
        lambda m: m.partial_fit(ROWS, labels()),
        lambda m: m.fit(ROWS, labels()).partial_fit(ROWS[:, :5], labels()),
        lambda m: m.fit(ROWS, labels()).predict(ROWS[:, :5]),
        lambda m: m.fit(ROWS, labels()).partial_fit(ROWS, labels(), classes=["fox", "hen"]),
        lambda m: m.predict(ROWS),
        lambda m: m.sparsify(),
        lambda m: m.set_params(early_stopping=True).partial_fit(ROWS, labels(), CLASSES),
        lambda m: m.set_params(class_weight="balanced").partial_fit(ROWS, labels(), CLASSES),
        lambda m: m.set_params(early_stopping=True).fit(
            ROWS, labels(), sample_weight=np.zeros(120)
        ),
        lambda m: m.fit(ROWS * 1e308, labels(2)),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_wrong_calls(call: Call) -> None:
    assert_same_error(call)


def test_warns_where_it_has_not_converged() -> None:
    with pytest.warns(ConvergenceWarning, match="Maximum number of iteration"):
        Perceptron(max_iter=2).fit(ROWS, labels())
    Perceptron(max_iter=2, tol=None).fit(ROWS, labels())


# The engine


def test_ctrl_c_is_answered() -> None:
    stop = threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    start = time.monotonic()
    try:
        stop.start()
        with pytest.raises(KeyboardInterrupt):
            Perceptron(max_iter=10**9, tol=None).fit(ROWS, labels())
    finally:
        stop.join()
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - start < 20


def train(**changed: Any) -> list[int]:
    arguments: dict[str, Any] = {
        "x": np.ones((4, 2)),
        "columns": None,
        "starts": None,
        "labels": np.array([0, 1, 0, 1], np.int32),
        "sample_weight": np.ones(4),
        "held_out": None,
        "coef": np.zeros((1, 2)),
        "intercept": np.zeros(1),
        "problems": [(1, 1.0, 1.0, 3)],
        "options": {
            "alpha": 0.0,
            "l1_ratio": 0.0,
            "eta0": 1.0,
            "intercept_rate": 1.0,
            "tol": None,
            "max_epochs": 3,
            "patience": 1,
            "shuffle": True,
            "penalty_counts": True,
        },
        "report": None,
        "n_threads": 1,
    }
    epochs: list[int] = _core.train_perceptrons(**{**arguments, **changed})
    return epochs


CSR = {
    "x": np.ones(3),
    "columns": np.array([0, 1, 1], np.int32),
    "starts": np.array([0, 1, 1, 3, 3], np.int32),
}


@pytest.mark.parametrize(
    "changed",
    [
        {"x": np.ones((4, 3))},
        {"x": np.ones((4, 2), np.float32)},
        {"x": np.ones((2, 4)).T},
        {"labels": np.zeros(0, np.int32)},
        {"labels": np.zeros(4, np.int64)},
        {"sample_weight": np.ones(3)},
        {"sample_weight": None},
        {"held_out": np.ones(4, bool)},
        {"coef": np.zeros((2, 2))},
        {"coef": np.zeros((1, 2), np.float32)},
        {"intercept": np.zeros(2)},
        {"problems": []},
        {**CSR, "x": np.ones(4)},
        {**CSR, "starts": None},
        {**CSR, "columns": np.array([0, 2, 1], np.int32)},
        {**CSR, "columns": np.array([0, -1, 1], np.int32)},
        {**CSR, "starts": np.array([0, 1, 5, 3, 3], np.int32)},
        {**CSR, "starts": np.array([0, -1, 1, 3, 3], np.int32)},
    ],
    ids=str,
)
def test_the_engine_checks_what_comes_in(changed: dict[str, Any]) -> None:
    assert train() == [3]
    assert train(**CSR) == [3]
    with pytest.raises((ValueError, TypeError)):
        train(**changed)
