"""Losses against NumPy formulas and central differences; every row of the catalog is tested."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from scipy import special

from pynn import _catalog, _core, losses
from reference_losses import LOSSES, LOSSES_FROM_LOGITS, Array, batch

ROWS = _catalog.rows("loss")
NAMES = list(ROWS)
LOGITS = [name for name in NAMES if ROWS[name].facts["from_logits"]]
SMOOTH = [name for name in NAMES if ROWS[name].facts["smoothing"]]
BOUNDED = ["log_loss", "binary_log_loss"]  # by the precision
SHAPES = [(1, 2), (33, 1), (70, 3), (37, 32), (9, 33), (5, 40), (2, 2500)]


def value_cases(name: str) -> list[dict[str, float]]:
    """Parameters to test a loss with: the defaults, and other values of each parameter."""
    cases: list[dict[str, float]] = [{}]
    for field in ROWS[name].fields:
        if field.is_flag:
            cases.append({field.name: 1.0})
        else:
            cases += [{field.name: 0.3 * float(field.default)}, {field.name: 0.7}]
    return cases


CASES = [(name, case) for name in NAMES for case in value_cases(name)]


def params(name: str, case: dict[str, float]) -> list[float]:
    return list(ROWS[name].params(name, case))


def smoothed(name: str, y: Array, cols: int, smoothing: float) -> Array:
    """Smoothed targets; class numbers become rows."""
    y = np.eye(cols)[y.astype(int)] if ROWS[name].facts["index_target"] else y
    classes = 2 if ROWS[name].facts["fuses_with"] == "sigmoid" else cols
    return (1 - smoothing) * y + smoothing / classes


def differences(function: Any, x: Array, h: float = 2e-4) -> Array:
    """Derivatives of each row's value by each of its elements, five-point formula."""
    out = np.zeros_like(x)
    for j in range(x.shape[1]):
        step = np.zeros_like(x)
        step[:, j] = h
        near = function(x + step) - function(x - step)
        far = function(x + 2 * step) - function(x - 2 * step)
        out[:, j] = (8 * near - far) / (12 * h)
    return out


def assert_gradient(got: Array, wanted: Array) -> None:
    scale = np.abs(wanted).max()
    assert np.abs(got - wanted).max() <= 1e-6 * max(scale, 1e-3)


def test_every_row_has_a_reference() -> None:
    assert set(NAMES) == set(LOSSES)
    assert set(LOGITS) == set(LOSSES_FROM_LOGITS)


@pytest.mark.parametrize(("name", "case"), CASES)
@pytest.mark.parametrize("shape", SHAPES)
def test_values(name: str, case: dict[str, float], shape: tuple[int, int]) -> None:
    kind, formula = LOSSES[name]
    y, p = batch(kind, *shape)
    wanted = formula(y, p, **case)
    got = _core.loss(name, y, p, params(name, case))
    np.testing.assert_allclose(got, wanted, rtol=1e-11, atol=1e-13)
    single = _core.loss(name, y.astype(np.float32), p.astype(np.float32), params(name, case))
    np.testing.assert_allclose(single, wanted, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "case"), CASES)
@pytest.mark.parametrize("shape", [(33, 1), (20, 3), (3, 40)])
def test_gradients(name: str, case: dict[str, float], shape: tuple[int, int]) -> None:
    y, p = batch(LOSSES[name][0], *shape)
    given = params(name, case)
    got = _core.loss_gradient(name, y, p, given)
    assert_gradient(got, differences(lambda x: _core.loss(name, y, x, given), p))
    single = _core.loss_gradient(name, y.astype(np.float32), p.astype(np.float32), given)
    assert single.dtype == np.float32
    constant = np.abs(got).max() < 1e-9  # the cosine of single numbers: only rounding is left
    scale = 1.0 if constant else np.abs(got).max()
    np.testing.assert_allclose(single, got, rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize(("name", "case"), [c for c in CASES if c[0] in LOGITS])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_from_logits(
    name: str, case: dict[str, float], shape: tuple[int, int], smoothing: float
) -> None:
    smoothing *= name in SMOOTH
    y, _ = batch(LOSSES[name][0], *shape)
    z = (1 if name in BOUNDED else 3) * np.random.default_rng(1).normal(size=shape)
    given = (params(name, case), smoothing, True)
    if ROWS[name].facts["index_target"] and smoothing:
        target = smoothed(name, y, shape[1], smoothing)
        wanted = LOSSES_FROM_LOGITS["categorical_crossentropy"](target, z)
    else:
        target = smoothed(name, y, shape[1], smoothing) if smoothing else y
        wanted = LOSSES_FROM_LOGITS[name](target, z, **case)
    np.testing.assert_allclose(_core.loss(name, y, z, *given), wanted, rtol=1e-11, atol=1e-13)
    single = _core.loss(name, y.astype(np.float32), z.astype(np.float32), *given)
    np.testing.assert_allclose(single, wanted, rtol=2e-5, atol=2e-6)
    got = _core.loss_gradient(name, y, z, *given)
    if shape[1] < 100:
        assert_gradient(got, differences(lambda x: _core.loss(name, y, x, *given), z))
    with_float = _core.loss_gradient(name, y.astype(np.float32), z.astype(np.float32), *given)
    np.testing.assert_allclose(with_float, got, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("shape", [(33, 1), (9, 2), (20, 5)])
def test_label_smoothing(name: str, shape: tuple[int, int]) -> None:
    y, p = batch(LOSSES[name][0], *shape)
    dense = name.replace("sparse_", "")
    wanted = LOSSES[dense][1](smoothed(name, y, shape[1], 0.2), p)
    got = _core.loss(name, y, p, [], 0.2)
    np.testing.assert_allclose(got, wanted, rtol=1e-11, atol=1e-13)
    gradient = _core.loss_gradient(name, y, p, [], 0.2)
    assert_gradient(gradient, differences(lambda x: _core.loss(name, y, x, [], 0.2), p))


@pytest.mark.parametrize("name", LOGITS)
def test_form_from_logits_is_the_chain_of_two(name: str) -> None:
    """What the plan may put in place of activation and loss gives the same values and gradients."""
    y, _ = batch(LOSSES[name][0], 20, 4)
    z = np.random.default_rng(2).normal(size=(20, 4))
    activation = ROWS[name].facts["fuses_with"]
    p = _core.activation(activation, z)
    np.testing.assert_allclose(
        _core.loss(name, y, z, [], 0.0, True), _core.loss(name, y, p), rtol=1e-9
    )
    chained = _core.activation_gradient(activation, z, _core.loss_gradient(name, y, p))
    fused = _core.loss_gradient(name, y, z, [], 0.0, True)
    np.testing.assert_allclose(fused, chained, rtol=1e-9, atol=1e-12)


# exp(1e4) itself is infinite.
@pytest.mark.parametrize(
    "name", [n for n in LOGITS if ROWS[n].facts["fuses_with"] != "exponential"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_logits_stay_finite(name: str, dtype: str) -> None:
    z = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [-1e4, -1e4, -1e4]], dtype)
    y, _ = batch(LOSSES[name][0], 3, 3)
    y = y.astype(dtype)
    values = _core.loss(name, y, z, [], 0.0, True)
    gradient = _core.loss_gradient(name, y, z, [], 0.0, True)
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()
    if name == "binary_crossentropy":
        wanted = special.expit(z.astype(float)) - y
        np.testing.assert_allclose(3 * gradient, wanted, atol=1e-6)
    if name in BOUNDED:
        assert 5 < values.max() <= -np.log(np.finfo(dtype).eps) * (1 + 1e-6)
    elif "focal" not in name:
        np.testing.assert_allclose(
            values, LOSSES_FROM_LOGITS[name](y.astype(float), z.astype(float)), rtol=1e-6
        )


def test_small_losses_from_logits_keep_their_digits() -> None:
    z = np.array([[30.0], [40.0]])
    got = _core.loss("binary_crossentropy", np.ones_like(z), z, [], 0.0, True)
    np.testing.assert_allclose(got, np.exp(-z[:, 0]), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_errors_keep_their_digits_in_log_cosh(dtype: str) -> None:
    p = np.array([[1e-6], [1e-3], [0.5], [1.5], [1e4]], dtype)
    got = _core.loss("log_cosh", np.zeros_like(p), p)
    x = p[:, 0].astype(float)
    wanted = np.where(x < 0.01, x**2 / 2 - x**4 / 12, np.logaddexp(x, -x) - np.log(2))
    np.testing.assert_allclose(got, wanted, rtol=1e-6 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("from_logits", [False, True])
def test_a_row_does_not_depend_on_its_batch(name: str, from_logits: bool) -> None:
    if from_logits and name not in LOGITS:
        return
    for cols in (1, 3, 17, 32, 33, 1100):
        y, p = (a.astype(np.float32) for a in batch(LOSSES[name][0], 70, cols))
        together = _core.loss(name, y, p, [], 0.0, from_logits)
        apart = [_core.loss(name, y[[r]], p[[r]], [], 0.0, from_logits)[0] for r in range(70)]
        assert together.tolist() == apart


@pytest.mark.parametrize("name", NAMES)
def test_nan_is_not_hidden(name: str) -> None:
    y, p = batch(LOSSES[name][0], 3, 4)
    p[1, 2 if name != "categorical_generalized_cross_entropy" else int(y[1])] = np.nan
    values = _core.loss(name, y, p)
    if name == "categorical_hinge":  # its maximum may be elsewhere, its sum is not
        values = values + 0 * p.sum(-1)
    assert np.isnan(values).tolist() == [False, True, False]


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("number", [-1.0, 3.0, np.nan, np.inf])
def test_class_numbers_outside_the_range(number: float, from_logits: bool) -> None:
    name = "sparse_categorical_crossentropy"
    y, p = np.array([0.0, number, 2.0]), batch("classes", 3, 3)[1]
    values = _core.loss(name, y, p, [], 0.0, from_logits)
    gradient = _core.loss_gradient(name, y, p, [], 0.0, from_logits)
    assert np.isnan(values).tolist() == [False, True, False]
    assert (gradient[1] == 0).all()
    assert (gradient[[0, 2]] != 0).all()


def test_sparse_and_dense_targets_agree() -> None:
    y, p = batch("class numbers", 40, 6)
    rows = np.eye(6)[y.astype(int)]
    for from_logits in (False, True):
        for smoothing in (0.0, 0.1):
            given: tuple[list[float], float, bool] = ([], smoothing, from_logits)
            np.testing.assert_allclose(
                _core.loss_gradient("sparse_categorical_crossentropy", y, p, *given),
                _core.loss_gradient("categorical_crossentropy", rows, p, *given),
                rtol=1e-10,
                atol=1e-14,
            )


# ---- the public functions and classes ------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_functions_and_classes(name: str) -> None:
    row = ROWS[name]
    kind, formula = LOSSES[name]
    y, p = batch(kind, 12, 3)
    wanted = formula(y, p)
    function, cls = getattr(losses, name), getattr(losses, row.class_name)
    np.testing.assert_allclose(function(y, p), wanted, rtol=1e-11, atol=1e-13)
    loss = cls()
    assert loss(y, p) == pytest.approx(wanted.mean(), rel=1e-11)
    weight = np.arange(12.0)
    assert loss(y, p, weight) == pytest.approx((weight * wanted).mean(), rel=1e-11)
    assert loss(y, p, sample_weight=weight[:, None]) == pytest.approx((weight * wanted).mean())
    summed = cls(reduction="sum")
    assert summed(y, p, weight) == pytest.approx((weight * wanted).sum(), rel=1e-11)
    mean = cls(reduction="mean_with_sample_weight")
    assert mean(y, p, weight) == pytest.approx(np.average(wanted, weights=weight), rel=1e-11)
    np.testing.assert_allclose(cls(reduction="none")(y, p, weight), weight * wanted, rtol=1e-11)
    assert loss.sparse == row.facts["index_target"]
    assert loss.spec()["name"] == name
    for alias in (name, *row.aliases):
        assert losses.get(alias) is losses.get(function) is function
        assert type(losses.resolve(alias)) is cls
        assert losses.resolve(alias).name == alias
    assert type(losses.get(row.class_name)) is type(losses.get(cls)) is cls
    assert losses.get(loss) is losses.resolve(loss) is loss


@pytest.mark.parametrize("name", NAMES)
def test_signatures_come_from_the_catalog(name: str) -> None:
    row = ROWS[name]
    defaults = {field.name: field.default for field in row.fields}
    if row.facts["from_logits"]:
        defaults["from_logits"] = False
    if row.facts["smoothing"]:
        defaults["label_smoothing"] = 0.0
    if row.facts["index_target"] and row.facts["from_logits"]:
        defaults["ignore_class"] = None
    given = inspect.signature(getattr(losses, name)).parameters
    assert {
        k: p.default for k, p in given.items() if k not in ("y_true", "y_pred", "axis")
    } == defaults
    made = inspect.signature(getattr(losses, row.class_name)).parameters
    assert {k: made[k].default for k in made if k in defaults} == defaults
    assert row.doc in getattr(losses, name).__doc__
    assert row.formula in getattr(losses, row.class_name).__doc__


@pytest.mark.parametrize("name", NAMES)
def test_configuration_round_trip(name: str) -> None:
    row = ROWS[name]
    given: dict[str, Any] = {f.name: f.is_flag or 0.4 for f in row.fields}
    loss = getattr(losses, row.class_name)(**given, name="mine")
    again = losses.deserialize(losses.serialize(loss))
    assert again.get_config() == loss.get_config() == {**loss.get_config(), **given, "name": "mine"}
    assert again.spec() == loss.spec()


def test_shapes() -> None:
    y, p = np.array([1.0, 2.0]), np.array([[1.0], [4.0]])
    assert losses.MeanSquaredError()(y, p) == 2.0
    assert losses.MeanSquaredError()([1, 2], [1, 4]) == 2.0
    assert losses.mean_squared_error(np.ones((2, 3, 4)), np.zeros((2, 3, 4))).shape == (2, 3)
    numbers = losses.sparse_categorical_crossentropy([[1], [0]], [[0.5, 0.5], [0.25, 0.75]])
    np.testing.assert_allclose(numbers, [np.log(2), np.log(4)], rtol=1e-6)
    with pytest.raises(ValueError, match=r"y_true.*shape.*Received: y_true.shape=\(2, 3\)"):
        losses.mean_squared_error(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ValueError, match="class numbers"):
        losses.sparse_categorical_crossentropy(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="sample_weight"):
        losses.MeanSquaredError()(np.ones((2, 3)), np.ones((2, 3)), np.ones(3))


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"Unknown loss.*'mse'.*Received: loss='mze'"):
        losses.get("mze")
    with pytest.raises(ValueError, match=r"A loss is a name.*Received: loss=3"):
        losses.get(3)
    with pytest.raises(ValueError, match=r"`delta` must be above 0. Received: delta=-1"):
        losses.Huber(delta=-1)
    with pytest.raises(ValueError, match="`quantile` must be between 0 and 1"):
        losses.quantile([1.0], [1.0], quantile=1.5)
    with pytest.raises(TypeError, match="`delta` must be a number"):
        losses.Huber(delta="big")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`reduction` must be one of"):
        losses.MeanSquaredError(reduction="max")
    with pytest.raises(ValueError, match="`label_smoothing` must be between 0 and 1"):
        losses.BinaryCrossentropy(label_smoothing=2)
    with pytest.raises(ValueError, match="`axis` must be a whole number"):
        losses.BinaryCrossentropy(axis=True)
    with pytest.raises(ValueError, match="float32 or float64"):
        losses.MeanSquaredError(dtype="int8")
    with pytest.raises(NotImplementedError, match=r"define call"):
        losses.Loss()([0.0], [1.0])
    assert "label_smoothing" not in losses.SparseCategoricalCrossentropy().get_config()
    with pytest.raises(ValueError, match="training minimizes one number"):
        losses.MeanSquaredError(reduction="none").spec()
    with pytest.raises(TypeError, match="alpha"):
        losses.Huber(alpha=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="real numbers"):
        losses.mean_squared_error(["a"], [1.0])
