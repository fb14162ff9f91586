"""What the estimators have beyond scikit-learn's: each parameter does what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.utils.class_weight import compute_sample_weight

import pynn
from pynn import MLPClassifier, MLPRegressor

Array = Any
IRIS = load_iris(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
ONE_STEP: dict[str, Any] = {
    "solver": "sgd",
    "momentum": 0,
    "max_iter": 1,
    "batch_size": 1000,
    "shuffle": False,
}

pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer:Warning"),
    pytest.mark.filterwarnings("ignore:Got `batch_size`:UserWarning"),
]


def start_weights(hidden: int, features: int, outputs: int, seed: int = 0) -> list[Array]:
    """scikit-learn's start weights of one hidden layer."""
    stream, found = np.random.RandomState(seed), []
    for rows, cols in ((features, hidden), (hidden, outputs)):
        bound = np.sqrt(6 / (rows + cols))
        found.append(stream.uniform(-bound, bound, (rows, cols)))
        found.append(stream.uniform(-bound, bound, cols))
    return found


def forward(w: list[Array], x: Array) -> Array:
    return np.maximum(x @ w[0] + w[1], 0) @ w[2] + w[3]


def weights_of(estimator: Any) -> list[Array]:
    (a, b), (c, d) = estimator.coefs_, estimator.intercepts_
    return [a, c, b, d]


def differences(function: Any, w: list[Array]) -> list[Array]:
    """The gradient of a function of all weights by central differences."""
    slopes = [np.zeros_like(part) for part in w]
    for part, slope in zip(w, slopes, strict=True):
        for place in np.ndindex(*part.shape):
            kept = part[place]
            part[place] = kept + 1e-6
            above = function(w)
            part[place] = kept - 1e-6
            slope[place] = (above - function(w)) / 2e-6
            part[place] = kept
    return slopes


def squares(w: list[Array]) -> float:
    return float((w[0] ** 2).sum() + (w[2] ** 2).sum())


def absolutes(w: list[Array]) -> float:
    return float(np.abs(w[0]).sum() + np.abs(w[2]).sum())


def bce(y: Array, z: Array) -> Array:
    return np.logaddexp(0, z) - y * z


X, Y = (CANCER[0] - CANCER[0].mean(0))[:40, :5] / CANCER[0].std(0)[:5], CANCER[1][:40, None]


def focal(y: Array, z: Array) -> Array:
    p = special.expit(z)
    q = y * p + (1 - y) * (1 - p)
    return (1 - q) ** 2 * bce(y, z)


CLASSIFIERS: list[tuple[dict[str, Any], Any]] = [
    ({"loss": "focal"}, lambda w: focal(Y, forward(w, X)).mean() + squares(w) * 1e-4 / 80),
    (
        {"label_smoothing": 0.2},
        lambda w: bce(0.8 * Y + 0.1, forward(w, X)).mean() + squares(w) * 1e-4 / 80,
    ),
    (
        {"loss": "hinge", "alpha": 0.1},
        lambda w: np.maximum(1 - (2 * Y - 1) * forward(w, X), 0).mean() + squares(w) * 0.1 / 80,
    ),
    (
        {"l1_ratio": 0.3, "alpha": 2.0},
        lambda w: bce(Y, forward(w, X)).mean() + (0.3 * absolutes(w) + 0.35 * squares(w)) * 2 / 40,
    ),
]


@pytest.mark.parametrize(("options", "loss"), CLASSIFIERS, ids=lambda o: str(o)[:30])
def test_a_step_of_a_classifier_follows_the_loss(options: dict[str, Any], loss: Any) -> None:
    est = MLPClassifier(4, random_state=0, learning_rate_init=0.5, **ONE_STEP, **options)
    est.fit(X, Y.ravel())
    w = start_weights(4, 5, 1)
    np.testing.assert_allclose(est.loss_, loss(w), rtol=1e-12)
    for ours, start, slope in zip(weights_of(est), w, differences(loss, w), strict=True):
        np.testing.assert_allclose(ours, start - 0.5 * slope, rtol=1e-6, atol=1e-8)


def pinball(y: Array, p: Array, q: Any) -> Array:
    return np.maximum(q * (y - p), (q - 1) * (y - p))


U, V = DIABETES[0][:40, :5], DIABETES[1][:40, None] / 100
REGRESSORS: list[tuple[dict[str, Any], int, Any]] = [
    ({"loss": "absolute_error"}, 1, lambda p: np.abs(p - V)),
    (
        {"loss": "huber"},
        1,
        lambda p: np.where(np.abs(p - V) <= 1, (p - V) ** 2 / 2, np.abs(p - V) - 0.5),
    ),
    ({"loss": "quantile", "quantile": 0.9}, 1, lambda p: pinball(V, p, 0.9)),
    (
        {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]},
        3,
        lambda p: pinball(V, p, np.array([0.1, 0.5, 0.9])),
    ),
    ({"loss": pynn.losses.LogCosh()}, 1, lambda p: np.log(np.cosh(p - V))),
]


@pytest.mark.parametrize(("options", "outputs", "values"), REGRESSORS, ids=lambda o: str(o)[:40])
def test_a_step_of_a_regressor_follows_the_loss(
    options: dict[str, Any], outputs: int, values: Any
) -> None:
    def loss(w: list[Array]) -> float:
        return float(values(forward(w, U)).sum(1).mean() + squares(w) * 1e-4 / 80)

    est = MLPRegressor(
        hidden_layer_sizes=4, random_state=0, learning_rate_init=0.1, **ONE_STEP, **options
    ).fit(U, V.ravel())
    w = start_weights(4, 5, outputs)
    np.testing.assert_allclose(est.loss_, loss(w), rtol=1e-12)
    for ours, start, slope in zip(weights_of(est), w, differences(loss, w), strict=True):
        np.testing.assert_allclose(ours, start - 0.1 * slope, rtol=1e-6, atol=1e-8)
    wanted = forward(weights_of(est), U)
    np.testing.assert_allclose(est.predict(U).reshape(40, -1), wanted, rtol=1e-12)


def test_quantiles_cover_their_part_of_the_targets() -> None:
    est = MLPRegressor(
        "quantile", quantile=[0.1, 0.5, 0.9], max_iter=1000, learning_rate_init=0.01, random_state=0
    ).fit(*DIABETES)
    below = (DIABETES[1][:, None] < est.predict(DIABETES[0])).mean(0)
    np.testing.assert_allclose(below, [0.1, 0.5, 0.9], atol=0.04)


def test_hinge_gives_scores_instead_of_probabilities() -> None:
    est = MLPClassifier(loss="hinge", random_state=0, max_iter=100).fit(*IRIS)
    scores = est.decision_function(IRIS[0])
    assert scores.shape == (150, 3)
    np.testing.assert_array_equal(est.predict(IRIS[0]), scores.argmax(1))
    assert not hasattr(est, "predict_proba")
    assert not hasattr(MLPClassifier(), "decision_function")
    binary = MLPClassifier(loss="hinge", random_state=0, max_iter=100).fit(X, Y.ravel())
    signs = binary.decision_function(X) > 0
    np.testing.assert_array_equal(binary.predict(X), signs.astype(int))


@pytest.mark.parametrize("target", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_class_weights_are_the_sample_weights_they_stand_for(
    target: str, early_stopping: bool
) -> None:
    x, y = IRIS
    class_weight: Any = {0: 0.5, 1: 2.0, 2: 3.0}
    if target == "binary":
        y, class_weight = (y == 1).astype(int), "balanced"
    if target == "multilabel":
        y = np.column_stack([y == 1, x[:, 0] > 6]).astype(int)
        class_weight = [{0: 1.0, 1: 3.0}, {0: 2.0, 1: 0.5}]
    options: dict[str, Any] = {"random_state": 0, "max_iter": 8, "early_stopping": early_stopping}
    one = MLPClassifier(class_weight=class_weight, **options).fit(x, y)
    other = MLPClassifier(**options).fit(x, y, sample_weight=compute_sample_weight(class_weight, y))
    for a, b in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    rows = np.linspace(0.5, 1.5, len(x))
    both = MLPClassifier(class_weight=class_weight, **options).fit(x, y, rows)
    product = rows * compute_sample_weight(class_weight, y)
    other = MLPClassifier(**options).fit(x, y, sample_weight=product)
    np.testing.assert_array_equal(both.coefs_[0], other.coefs_[0])
    assert not np.array_equal(both.coefs_[0], one.coefs_[0])


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_weights_stand_for_repeated_rows(solver: str) -> None:
    x, y = IRIS[0][::3], IRIS[1][::3]
    times = np.arange(len(x)) % 3 + 1
    options: dict[str, Any] = {
        "random_state": 0,
        "max_iter": 20,
        "batch_size": 1000,
        "shuffle": False,
    }
    one = MLPClassifier(solver=solver, **options).fit(x, y, sample_weight=times)
    other = MLPClassifier(solver=solver, **options).fit(x.repeat(times, 0), y.repeat(times))
    for a, b in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-10)


def test_balanced_needs_all_rows() -> None:
    est = MLPClassifier(class_weight="balanced")
    with pytest.raises(ValueError, match="not supported for partial_fit"):
        est.partial_fit(*IRIS, classes=[0, 1, 2])


def test_batch_norm_centres_what_reaches_the_activation() -> None:
    est = MLPClassifier(
        20,
        batch_norm=True,
        activation="identity",
        random_state=0,
        max_iter=300,
        n_iter_no_change=300,
    ).fit(*IRIS)
    layer = est.model_.get_layer("batch_norm_1")
    gamma, beta, mean, variance = (np.asarray(v) for v in layer.weights)
    z = IRIS[0] @ est.coefs_[0] + est.intercepts_[0]
    np.testing.assert_allclose(mean, z.mean(0), rtol=0.05, atol=0.05)
    h = (z - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    wanted = special.softmax(h @ est.coefs_[1] + est.intercepts_[1], 1)
    np.testing.assert_allclose(est.predict_proba(IRIS[0]), wanted, rtol=1e-9)


def test_max_norm_bounds_the_weights_into_each_unit() -> None:
    free = MLPClassifier(random_state=0, max_iter=50).fit(X, Y.ravel())
    assert np.linalg.norm(free.coefs_[0], axis=0).max() > 0.3
    held = MLPClassifier(random_state=0, max_iter=50, max_norm=0.3).fit(X, Y.ravel())
    assert np.linalg.norm(held.coefs_[0], axis=0).max() <= 0.3 * (1 + 1e-6)


def test_clip_norm_bounds_a_step() -> None:
    est = MLPRegressor(
        hidden_layer_sizes=4, random_state=0, learning_rate_init=0.5, clip_norm=0.01, **ONE_STEP
    ).fit(U, V.ravel())
    moves = [a - b for a, b in zip(weights_of(est), start_weights(4, 5, 1), strict=True)]
    np.testing.assert_allclose(np.sqrt(sum((m**2).sum() for m in moves)), 0.5 * 0.01, rtol=1e-9)


def test_l1_leaves_few_weights() -> None:
    est = MLPClassifier(
        random_state=0, alpha=3.0, l1_ratio=1.0, max_iter=500, learning_rate_init=0.01
    ).fit(X, Y.ravel())
    assert (np.abs(est.coefs_[0]) < 0.02).mean() > 0.8


@pytest.mark.parametrize("activation", ["gelu", "elu", "selu", pynn.activations.softplus])
def test_activations(activation: Any) -> None:
    est = MLPRegressor(hidden_layer_sizes=4, activation=activation, max_iter=3, random_state=0)
    est.fit(U, V.ravel())
    function = pynn.activations.get(activation)
    hidden = function(U @ est.coefs_[0] + est.intercepts_[0])
    wanted = hidden @ est.coefs_[1] + est.intercepts_[1]
    np.testing.assert_allclose(est.predict(U), wanted.ravel(), rtol=1e-12)


def test_initializer() -> None:
    def start(seed: int) -> Any:
        est = MLPClassifier(
            300, kernel_initializer="he_normal", random_state=seed, max_iter=1,
            solver="sgd", learning_rate_init=1e-12,
        )  # fmt: skip
        return est.fit(*CANCER)

    kernel = start(0).coefs_[0]
    np.testing.assert_allclose(kernel.std(), np.sqrt(2 / 30), rtol=0.03)
    np.testing.assert_allclose(start(0).intercepts_[0], 0, atol=1e-8)
    np.testing.assert_array_equal(kernel, start(0).coefs_[0])
    assert not np.array_equal(kernel, start(1).coefs_[0])


def test_solvers_of_pynn() -> None:
    """RMSprop's first step: g / sqrt(0.1 g^2) for each weight."""
    options: dict[str, Any] = {
        "batch_size": 1000,
        "max_iter": 1,
        "shuffle": False,
        "alpha": 0,
        "random_state": 0,
    }
    est = MLPRegressor(
        hidden_layer_sizes=4, activation="identity", solver="rmsprop", **options
    ).fit(U, V.ravel())
    moved = np.abs(est.coefs_[1] - start_weights(4, 5, 1)[2])
    np.testing.assert_allclose(moved, 0.001 / np.sqrt(0.1), rtol=1e-3)
    own = pynn.optimizers.SGD(0.25)
    est = MLPRegressor(hidden_layer_sizes=4, solver=own, **options).fit(U, V.ravel())
    theirs = MLPRegressor(
        hidden_layer_sizes=4, solver="sgd", momentum=0, learning_rate_init=0.25, **options
    ).fit(U, V.ravel())
    np.testing.assert_array_equal(est.coefs_[0], theirs.coefs_[0])
    assert own.iterations == 0  # the parameter itself is not used up


def test_schedules_count_steps() -> None:
    rates: list[float] = []

    def rate(step: int) -> float:
        rates.append(step)
        return 0.5 / (1 + step)

    est = MLPRegressor(
        hidden_layer_sizes=(), solver="sgd", momentum=0, alpha=0, learning_rate=rate, batch_size=20,
        max_iter=2, shuffle=False, random_state=0,
    ).fit(U, V.ravel())  # fmt: skip
    stream, bound = np.random.RandomState(0), np.sqrt(6 / 6)
    w, b = stream.uniform(-bound, bound, (5, 1)), stream.uniform(-bound, bound, 1)
    for step in range(4):
        rows = slice(0, 20) if step % 2 == 0 else slice(20, 40)
        error = U[rows] @ w + b - V[rows]
        w, b = (
            w - 0.5 / (1 + step) * U[rows].T @ error / 20,
            b - 0.5 / (1 + step) * error.mean(0),
        )
    np.testing.assert_allclose(est.coefs_[0], w, rtol=1e-12)
    assert rates == [0, 1, 2, 3]


def test_dtype_and_threads() -> None:
    est = MLPClassifier(dtype="float32", max_iter=3, random_state=0).fit(*IRIS)
    assert est.coefs_[0].dtype == est.predict_proba(IRIS[0]).dtype == np.float32
    one, two = (
        MLPClassifier(n_threads=n, max_iter=3, random_state=0).fit(*CANCER).coefs_[0]
        for n in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    "option",
    [{"dropout": 0.1}, {"batch_norm": True}, {"max_norm": 1}, {"clip_norm": 1}, {"l1_ratio": 0.5}],
    ids=str,
)
def test_lbfgs_refuses_what_it_cannot_minimize(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs a stochastic solver"):
        MLPClassifier(solver="lbfgs", **option).fit(*IRIS)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"solver": "adamm"}, "The 'solver' parameter of MLPClassifier must be"),
        ({"loss": "nope"}, "The 'loss' parameter of MLPClassifier must be"),
        ({"loss": "hinge", "label_smoothing": 0.1}, "label_smoothing needs loss="),
        ({"dtype": "int8"}, "The 'dtype' parameter"),
        ({"l1_ratio": 1.5}, "The 'l1_ratio' parameter"),
    ],
    ids=str,
)
def test_errors(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**option).fit(*IRIS)


def test_quantile_errors() -> None:
    with pytest.raises(ValueError, match="several quantiles need loss='quantile'"):
        MLPRegressor(quantile=[0.1, 0.9]).fit(U, V.ravel())
    with pytest.raises(ValueError, match="quantile must lie between 0 and 1"):
        MLPRegressor("quantile", quantile=[0.1, 1.9]).fit(U, V.ravel())
