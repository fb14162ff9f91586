"""Metrics against NumPy formulas; every row of the catalog is tested."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from pynn import _catalog, _core, losses, metrics
from reference_losses import COUNTS, LOSSES, METRICS, Array, batch

ROWS = {name: row for name, row in _catalog.rows("metric").items() if row.class_name}
LOSS_ROWS = {name: row for name, row in _catalog.rows("loss").items() if name not in ROWS}
NAMES = list(ROWS)
DTYPES = ["float32", "float64"]


def value_cases(name: str) -> list[dict[str, float]]:
    cases: list[dict[str, float]] = [{}]
    for field in ROWS[name].fields:
        cases += [{field.name: 1.0}, {field.name: 0.3 if field.default < 1 else 2.0}]
    return cases


CASES = [(name, case) for name in NAMES for case in value_cases(name)]


def rounded(name: str, rows: int, cols: int) -> tuple[Array, Array, Array]:
    """Targets, predictions with many ties, and weights, the same numbers in float32 and float64."""
    y, p = batch(METRICS[name][0], rows, cols)
    return (
        y.astype(np.float32),
        p if "correlation" in name else np.round(8 * p) / 8,  # constant rows have none
        np.random.default_rng(3).integers(0, 5, rows) / 4,
    )


def test_every_row_has_a_reference() -> None:
    assert set(NAMES) == set(METRICS)
    assert set(_catalog.rows("metric")) == {*METRICS, *COUNTS}


@pytest.mark.parametrize(("name", "case"), CASES)
@pytest.mark.parametrize("shape", [(1, 3), (50, 2), (64, 7), (33, 40)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_values(
    name: str, case: dict[str, float], shape: tuple[int, int], weighted: bool, dtype: str
) -> None:
    if shape[0] == 1 and ROWS[name].facts["result"] == "r2":
        return
    y, p, w = rounded(name, *shape)
    w = w if weighted and shape[0] > 1 else np.ones(shape[0])
    given = {"k": int(case["k"])} if "k" in case else case
    metric = getattr(metrics, ROWS[name].class_name)(**given)
    metric.update_state(y, p.astype(dtype), w if weighted else None)
    wanted = METRICS[name][1](y.astype(np.float64), p, w, **case)
    assert metric.result() == pytest.approx(
        wanted, rel=3e-6 if dtype == "float32" else 1e-12, abs=1e-7
    )


@pytest.mark.parametrize("name", NAMES)
def test_batches_add_up(name: str) -> None:
    y, p, w = rounded(name, 60, 5)
    whole, parts = metrics.get(name), metrics.get(name)
    value = whole(y, p, w)
    for at in range(0, 60, 17):
        parts.update_state(y[at : at + 17], p[at : at + 17], w[at : at + 17])
    assert parts.result() == pytest.approx(value, rel=1e-12)
    whole.reset_state()
    assert whole.result() == 0.0 or name == "r2_score"
    sums = _core.metric(name, y, p, w, list(ROWS[name].params(name, {})))
    assert parts.result_of(sums) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_one_column_may_lack_its_axis(name: str) -> None:
    if "classes" in METRICS[name][0] or ROWS[name].facts["index_target"]:
        return
    if name == "pearson_correlation":
        return  # a single number has no variance
    y, p, w = rounded(name, 30, 1)
    flat, column = metrics.get(name), metrics.get(name)
    assert flat(y[:, 0], p[:, 0], w) == column(y, p, w)


def test_ties_go_to_the_first() -> None:
    p = np.array([[0.5, 0.5, 0.1], [0.1, 0.7, 0.7], [1.0, 1.0, 1.0]])
    metric = metrics.SparseCategoricalAccuracy()
    assert metric([0, 1, 0], p) == 1.0
    metric.reset_state()
    assert metric([1, 2, 2], p) == 0.0
    top = metrics.SparseTopKCategoricalAccuracy(k=1)
    assert top([1, 2, 2], p) == 1.0  # nothing is scored higher


def test_class_numbers_outside_the_range_are_misses() -> None:
    p = np.array([[0.5, 0.2], [0.5, 0.2], [0.5, 0.2]])
    for name in ("sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy"):
        metric = metrics.get(name)
        assert metric([0.0, -1.0, 7.0], p) == pytest.approx(1 / 3)


def test_nan_is_never_among_the_best() -> None:
    p = np.array([[np.nan, 0.2, 0.1]])
    assert metrics.SparseTopKCategoricalAccuracy(k=2)([0], p) == 0.0
    assert np.isnan(metrics.RootMeanSquaredError()(np.zeros((1, 3)), p))
    assert np.isnan(metrics.MeanSquaredError()(np.zeros((1, 3)), p))


def test_r2_score_of_columns() -> None:
    y, p, w = rounded("r2_score", 40, 3)
    scores = metrics.R2Score(class_aggregation=None)(y, p, w)
    single = [metrics.R2Score()(y[:, [j]], p[:, [j]], w) for j in range(3)]
    np.testing.assert_allclose(scores, single, rtol=1e-12)
    spread = [np.average((c - np.average(c, weights=w)) ** 2, weights=w) for c in y.T]
    mixed = metrics.R2Score(class_aggregation="variance_weighted_average")(y, p, w)
    assert mixed == pytest.approx(np.average(scores, weights=spread), rel=1e-9)
    with pytest.raises(ValueError, match="class_aggregation"):
        metrics.R2Score(class_aggregation="max")
    with pytest.raises(ValueError, match="num_regressors"):
        metrics.R2Score(num_regressors=-1)


def test_adjusted_r2_score() -> None:
    y, p, _ = rounded("r2_score", 40, 1)
    plain = metrics.R2Score()(y, p)
    adjusted = metrics.R2Score(num_regressors=3)(y, p)
    assert adjusted == pytest.approx(1 - (1 - plain) * 39 / 36, rel=1e-12)
    with pytest.warns(UserWarning, match="not adjusted"):
        assert metrics.R2Score(num_regressors=39)(y, p) == plain


# ---- losses as metrics ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOSS_ROWS)
def test_losses_are_metrics(name: str) -> None:
    row = LOSS_ROWS[name]
    y, p = batch(LOSSES[name][0], 30, 4)
    w = np.arange(30.0)
    values = LOSSES[name][1](y, p)
    for alias in (name, *row.aliases, row.class_name):
        metric = metrics.resolve(alias)
        assert metric.name == alias
        assert metric.direction == "down"
        assert metric(y, p, w) == pytest.approx(np.average(values, weights=w), rel=1e-9)
    assert metrics.get(getattr(losses, name)) is getattr(losses, name)
    metric = metrics.resolve(getattr(losses, name))
    assert metric.name == name
    metric.update_state(y[:10], p[:10])
    metric.update_state(y[10:], p[10:])
    assert metric.result() == pytest.approx(values.mean(), rel=1e-9)
    assert {**metric.spec(), "reduction": "mean"} == losses.resolve(name).spec()


def test_a_loss_with_parameters_becomes_a_metric_with_them() -> None:
    metric = metrics.resolve(losses.Huber(delta=0.25))
    assert metric.spec()["params"] == [0.25]
    crossentropy = metrics.resolve(losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1))
    assert crossentropy.spec() == {
        "name": "binary_crossentropy",
        "params": [],
        "label_smoothing": 0.1,
        "from_logits": True,
    }


# ---- names, shapes, configuration ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "target", "wanted"),
    [
        ((1,), (), "binary_accuracy"),
        ((1,), (1,), "binary_accuracy"),
        ((10,), (), "sparse_categorical_accuracy"),
        ((10,), (1,), "sparse_categorical_accuracy"),
        ((10,), (10,), "categorical_accuracy"),
        ((4, 10), (4,), "sparse_categorical_accuracy"),
    ],
)
def test_accuracy_is_chosen_by_shapes(
    output: tuple[int, ...], target: tuple[int, ...], wanted: str
) -> None:
    for name in ("accuracy", "acc", "Accuracy"):
        metric = metrics.resolve(name, output, target)
        assert (metric.row.name, metric.name) == (wanted, name)
    crossentropy = metrics.resolve("ce", output, target)
    assert crossentropy.row.name == wanted.replace("accuracy", "crossentropy")


def test_metrics_must_fit_targets() -> None:
    with pytest.raises(ValueError, match="categorical_accuracy: expected targets of the shape"):
        metrics.resolve("categorical_accuracy", (10,), ())
    with pytest.raises(ValueError, match="expected class numbers"):
        metrics.resolve("sparse_categorical_accuracy", (10,), (10,))
    with pytest.raises(ValueError, match="y_true"):
        metrics.MeanSquaredError()(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(ValueError, match="sample_weight"):
        metrics.MeanSquaredError()(np.zeros((3, 2)), np.zeros((3, 2)), np.ones(4))


@pytest.mark.parametrize("name", NAMES)
def test_signatures_and_configuration(name: str) -> None:
    row = ROWS[name]
    cls = getattr(metrics, row.class_name)
    parameters = inspect.signature(cls).parameters
    for field in row.fields:
        assert parameters[field.name].default == field.default
    assert parameters["name"].default == name
    given: dict[str, Any] = {field.name: 1 for field in row.fields}
    metric = cls(**given, name="mine")
    again = metrics.deserialize(metrics.serialize(metric))
    assert again.get_config() == metric.get_config()
    assert again.spec() == metric.spec()
    assert type(metrics.get(name)) is type(metrics.get(row.class_name)) is cls
    assert row.facts["direction"] == metric.direction


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"Unknown metric.*'accuracy'.*metric='acuracy'"):
        metrics.get("acuracy")
    with pytest.raises(ValueError, match="Unknown metric"):
        metrics.check("acuracy")
    with pytest.raises(ValueError, match=r"A metric is a name.*Received: metric=3"):
        metrics.get(3)
    with pytest.raises(ValueError, match="`k` must be at least 1"):
        metrics.TopKCategoricalAccuracy(k=0)
    metrics.check("acc")


def test_keras_names() -> None:
    assert vars(metrics)["LogCoshError"] is metrics.LogCosh
    assert metrics.get("LogCoshError").row.name == "log_cosh"
    assert metrics.LogCosh().name == "logcosh"
    assert metrics.get("mse").name == "mean_squared_error"
    assert metrics.get("auc").curve == "ROC"


def test_mean() -> None:
    mean = metrics.Mean(name="m")
    assert mean([1.0, 2.0, 3.0]) == 2.0
    mean.update_state(8.0)
    assert mean.result() == 3.5
    mean.reset_state()
    assert mean.result() == 0.0
    assert mean.get_config() == {"name": "m", "dtype": "float32"}
