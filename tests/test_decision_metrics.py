"""Metrics of decisions: precision and recall, areas under curves, F scores, overlap of classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from pynn import _catalog, _core, metrics
from reference_losses import COUNTS, Array

ROWS = _catalog.rows("metric")


def cases(rows: int = 60, cols: int = 4, ties: bool = False) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(5)
    y = (rng.random((rows, cols)) < 0.4).astype(float)
    p = rng.random((rows, cols))
    p[0] = [0.0, 1.0, 0.5, 0.25]
    return y, np.round(4 * p) / 4 if ties else p, rng.random(rows)


# ---- the sums of the engine ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("decisions", [0.5, math.inf, math.inf]),
        ("decisions", [0.25, math.inf, 2.0]),
        ("decisions", [-1e10, 2.0, math.inf]),
        ("decisions", [-1e10, 1.0, 3.0]),
        ("decisions", [0.6, 3.0, math.inf]),
        ("decisions", [0.6, 9.0, math.inf]),
        ("scores_by_threshold", [5.0, math.inf, 0.0]),
        ("scores_by_threshold", [200.0, 1.0, 0.0]),
        ("scores_by_threshold", [7.0, -1.0, 0.0]),
        ("scores_by_threshold", [7.0, math.inf, 1.0]),
        ("decisions_by_column", [math.inf]),
        ("decisions_by_column", [0.5]),
    ],
)
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums(name: str, params: list[float], ties: bool, weighted: bool) -> None:
    y, p, w = cases(ties=ties)
    given = dict(zip([field.name for field in ROWS[name].fields], params, strict=True))
    wanted = COUNTS[name][1](y, p, w if weighted else np.ones(len(w)), **given)
    got = _core.metric(name, y, p, w if weighted else None, params)
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
    y32, p32, w32 = (array.astype(np.float32) for array in (y, p, w))
    single = _core.metric(name, y32, p32, w32 if weighted else None, params)
    np.testing.assert_allclose(single, wanted, rtol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2.0, -1.0])
def test_scores_outside_the_range(bad: float) -> None:
    y, p = np.array([[1.0, 0.0]]), np.array([[bad, 0.5]])
    sums = _core.metric("scores_by_threshold", y, p, None, [3.0, math.inf, 0.0])
    place = 2 if bad >= 1 else 0
    assert sums == [float(place == 0), 0.0, float(place == 2), 0.0, 1.0, 0.0]
    top = _core.metric("decisions", y, p, None, [-1e10, 1.0, math.inf])
    assert top[0] + top[1] == 1.0
    assert top[0] == float(bad >= 1)


# ---- values: scikit-learn ------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_precision_recall_and_f_scores(weighted: bool) -> None:
    y, p, w = cases()
    weight = w if weighted else None
    for j in range(4):
        given = (y[:, j], p[:, j] > 0.5)
        wanted = reference.precision_score(*given, sample_weight=weight)
        assert metrics.Precision(class_id=j)(y, p, weight) == pytest.approx(wanted, rel=1e-9)
        wanted = reference.recall_score(*given, sample_weight=weight)
        assert metrics.Recall(class_id=j)(y, p, weight) == pytest.approx(wanted, rel=1e-9)
    for average in (None, "micro", "macro", "weighted"):
        wanted = reference.fbeta_score(y, p > 0.5, beta=2, average=average, sample_weight=weight)
        got = metrics.FBetaScore(average, beta=2.0, threshold=0.5)(y, p, weight)
        np.testing.assert_allclose(got, wanted, rtol=1e-6)
    best = np.eye(4)[p.argmax(1)]
    wanted = reference.f1_score(y, best, average="macro", sample_weight=weight)
    assert metrics.F1Score("macro")(y, p, weight) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_area_under_roc(weighted: bool) -> None:
    """With a threshold between any two scores the sum over thresholds is the area itself."""
    y, p, w = cases()
    y, p, weight = y[:, 0], np.round(p[:, 0] * 64) / 64, w if weighted else None
    wanted = reference.roc_auc_score(y, p, sample_weight=weight)
    assert metrics.AUC(129)(y, p, weight) == pytest.approx(wanted, rel=1e-9)
    own = metrics.AUC(thresholds=[i / 128 for i in range(1, 128)])
    assert own.row is None
    assert own(y, p, weight) == pytest.approx(wanted, rel=1e-9)
    logits = np.log(p + 1e-12) - np.log1p(1e-12 - p)
    assert metrics.AUC(1001, from_logits=True)(y, logits, weight) == pytest.approx(wanted, rel=1e-6)


def test_area_of_columns() -> None:
    y, p, w = cases()
    p = np.round(p * 64) / 64
    areas = np.array([reference.roc_auc_score(y[:, j], p[:, j], sample_weight=w) for j in range(4)])
    assert metrics.AUC(129, multi_label=True)(y, p, w) == pytest.approx(areas.mean(), rel=1e-9)
    weights = [0.1, 0.2, 0.3, 0.4]
    weighed = metrics.AUC(129, multi_label=True, num_labels=4, label_weights=weights)
    assert weighed(y, p, w) == pytest.approx(areas @ weights, rel=1e-9)
    joint = reference.roc_auc_score(
        y.ravel(), p.ravel(), sample_weight=np.outer(w, weights).ravel()
    )
    assert metrics.AUC(129, label_weights=weights)(y, p, w) == pytest.approx(joint, rel=1e-9)


@pytest.mark.parametrize(
    ("curve", "method", "wanted"),
    [
        ("ROC", "interpolation", 0.75),
        ("ROC", "minoring", 0.5),
        ("ROC", "majoring", 1.0),
        ("PR", "interpolation", 0.6730),
        ("PR", "minoring", 0.5),
        ("PR", "majoring", 1.0),
    ],
)
def test_areas_of_a_small_example(curve: str, method: str, wanted: float) -> None:
    """Three thresholds: recall (1, 1/2, 0), false alarms (1, 0, 0), precision (1/2, 1, 0)."""
    metric = metrics.AUC(3, curve, method)
    got = metric([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.3, 0.9])
    if (curve, method) == ("PR", "interpolation"):
        # From (tp, called) = (2, 4) to (1, 1): slope 1/3, then to (0, 0): slope 1.
        slope, start = 1 / 3, 1 - 1 / 3
        wanted = slope * (1 + start * math.log(4)) / 2 + 1 / 2
    if (curve, method) == ("PR", "minoring"):
        wanted = 0.5 * 0.5
    assert got == pytest.approx(wanted, rel=1e-9)


def test_best_under_a_condition() -> None:
    y, p, w = cases()
    y, p = y[:, 0], p[:, 0]
    grid = np.arange(11) / 10
    called = p > grid[:, None]
    tp, fp = (called * y * w).sum(1), (called * (1 - y) * w).sum(1)
    recall, alarms = tp / (y * w).sum(), fp / ((1 - y) * w).sum()
    precision = tp / np.maximum(tp + fp, 1e-300)
    for least in (0.0, 0.3, 0.6, 0.9, 1.0):
        for cls, condition, value in (
            (metrics.SensitivityAtSpecificity, 1 - alarms, recall),
            (metrics.SpecificityAtSensitivity, recall, 1 - alarms),
            (metrics.PrecisionAtRecall, recall, precision),
            (metrics.RecallAtPrecision, precision, recall),
        ):
            fit = condition >= least - 1e-12
            wanted = max((value * fit).max(), 0.0)
            got = cls(least, num_thresholds=11)(y, p, w)
            assert got == pytest.approx(wanted, rel=1e-9, abs=1e-12), (cls, least)


def test_intersection_over_union() -> None:
    rng = np.random.default_rng(2)
    y, p = rng.integers(0, 3, 50), rng.integers(0, 3, 50)
    wanted = reference.jaccard_score(y, p, average=None)
    assert metrics.MeanIoU(3)(y, p) == pytest.approx(wanted.mean(), rel=1e-6)
    assert metrics.IoU(3, [2])(y, p) == pytest.approx(wanted[2], rel=1e-6)
    assert metrics.OneHotIoU(3, [0, 1])(np.eye(3)[y], np.eye(3)[p]) == pytest.approx(
        wanted[:2].mean(), rel=1e-6
    )
    assert metrics.OneHotMeanIoU(3, sparse_y_pred=True)(np.eye(3)[y], p) == pytest.approx(
        wanted.mean(), rel=1e-6
    )
    keep = y != 1
    ignored = metrics.IoU(3, [0, 2], ignore_class=1)(y, p)
    assert ignored == pytest.approx(
        reference.jaccard_score(y[keep], p[keep], average=None, labels=[0, 2]).mean(), rel=1e-6
    )
    assert metrics.BinaryIoU([1], 0.4)(y > 0, p / 2) == pytest.approx(
        reference.jaccard_score(y > 0, p / 2 >= 0.4), rel=1e-6
    )
    whole = metrics.MeanIoU(3)(y, p, np.full(50, 1.9))  # counts are whole numbers
    assert whole == pytest.approx(wanted.mean(), rel=1e-6)
    assert metrics.MeanIoU(3, dtype="float32").get_config()["dtype"] == "float32"


# ---- state, empty cases --------------------------------------------------------------------------

EVERY: list[Any] = [
    lambda: metrics.TruePositives(),
    lambda: metrics.FalseNegatives(thresholds=[0.2, 0.7]),
    lambda: metrics.Precision(top_k=2),
    lambda: metrics.Recall(thresholds=[0.1, 0.2, 0.9]),
    lambda: metrics.AUC(curve="PR"),
    lambda: metrics.AUC(curve="PRGAIN", summation_method="minoring"),
    lambda: metrics.AUC(multi_label=True),
    lambda: metrics.AUC(thresholds=[0.3, 0.5]),
    lambda: metrics.SensitivityAtSpecificity(0.5, num_thresholds=1),
    lambda: metrics.PrecisionAtRecall(0.5, class_id=1),
    lambda: metrics.FBetaScore("weighted", beta=0.5),
    lambda: metrics.F1Score(),
]


@pytest.mark.parametrize("make", EVERY)
def test_batches_add_up(make: Any) -> None:
    y, p, w = cases(ties=True)
    whole, parts = make(), make()
    value = whole(y, p, w)
    for at in range(0, 60, 17):
        parts.update_state(y[at : at + 17], p[at : at + 17], w[at : at + 17])
    np.testing.assert_allclose(parts.result(), value, rtol=1e-9)
    assert len(parts.variables) == 1
    other = make()
    other.set_sums(parts.variables[0].numpy())
    np.testing.assert_array_equal(other.result(), parts.result())
    parts.reset_state()
    assert np.all(np.asarray(parts.result()) == 0.0)
    again = metrics.deserialize(metrics.serialize(parts))
    assert again.get_config() == parts.get_config()
    np.testing.assert_allclose(again(y, p, w), value, rtol=1e-12)
    empty = make()
    empty.update_state(y[:0], p[:0])
    assert np.all(np.asarray(empty.result()) == 0.0)


@pytest.mark.parametrize("make", EVERY)
def test_weights_of_zero_leave_nothing(make: Any) -> None:
    y, p, w = cases()
    assert np.all(np.asarray(make()(y, p, 0 * w)) == 0.0)
    assert np.isfinite(make()(np.ones_like(y), p)).all()
    assert np.isfinite(make()(np.zeros_like(y), p)).all()


def test_weights_of_elements() -> None:
    y, p, w = cases()
    weights = np.outer(w, [1.0, 2.0, 3.0, 4.0])
    got = metrics.Precision()(y, p, weights)
    wanted = reference.precision_score(y.ravel(), p.ravel() > 0.5, sample_weight=weights.ravel())
    assert got == pytest.approx(wanted, rel=1e-12)
    right = (y == (p > 0.5)).ravel()
    assert metrics.BinaryAccuracy()(y, p, weights) == pytest.approx(
        np.average(right, weights=weights.ravel()), rel=1e-12
    )


def test_what_the_engine_takes() -> None:
    assert metrics.Precision().spec() == {
        "name": "decisions",
        "params": [0.5, math.inf, math.inf],
    }
    recall: Any = metrics.Recall(top_k=3).spec()
    assert recall["params"] == [-1e10, 3.0, math.inf]
    area: Any = metrics.AUC(50, multi_label=True).spec()
    assert area["params"] == [50.0, -1.0, 0.0]
    assert metrics.F1Score(threshold=0.25).spec()["params"] == [0.25]
    for python_only in (metrics.Precision([0.1, 0.2]), metrics.AUC(thresholds=[0.5])):
        assert python_only.row is None
        assert python_only.spec() is None


def test_directions() -> None:
    assert metrics.AUC().direction == metrics.F1Score().direction == "up"
    assert metrics.MeanIoU(2).direction == metrics.Precision().direction == "up"
    assert metrics.TruePositives().direction is metrics.Mean().direction is None


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"`thresholds` must lie between 0 and 1. Received: .*1.5"):
        metrics.Precision(thresholds=[0.5, 1.5])
    with pytest.raises(ValueError, match="`top_k` must be at least 1"):
        metrics.Recall(top_k=0)
    with pytest.raises(ValueError, match=r"`class_id` must be below .*classes, 4.*class_id=7"):
        metrics.Precision(class_id=7)(*cases()[:2])
    with pytest.raises(ValueError, match="`curve` must be one of"):
        metrics.AUC(curve="XY")
    with pytest.raises(ValueError, match="`num_thresholds` must be at least 2"):
        metrics.AUC(num_thresholds=1)
    with pytest.raises(ValueError, match="`num_labels` is for"):
        metrics.AUC(num_labels=3)
    with pytest.raises(ValueError, match="expected 3 columns"):
        metrics.AUC(multi_label=True, num_labels=3)(*cases()[:2])
    with pytest.raises(ValueError, match="`recall` must lie between 0 and 1"):
        metrics.PrecisionAtRecall(1.5)
    with pytest.raises(ValueError, match="`average` must be one of"):
        metrics.F1Score("mean")
    with pytest.raises(ValueError, match="`beta` must be a float above 0"):
        metrics.FBetaScore(beta=-1.0)
    with pytest.raises(ValueError, match="`threshold` must be a float"):
        metrics.F1Score(threshold=2.0)
    with pytest.raises(ValueError, match=r"`target_class_ids` must be integers in \[0, 2\)"):
        metrics.IoU(2, [2])
