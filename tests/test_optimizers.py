"""Optimizers against NumPy formulas over many steps; every row of the catalog is tested."""

from __future__ import annotations

import inspect
import itertools
import json
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import _catalog, _core, optimizers
from pynn.optimizers import schedules
from reference_optimizers import OPTIMIZERS, Array, State

ROWS = _catalog.rows("optimizer")
NAMES = list(ROWS)
SHARED = {  # in Keras's order
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
    "name": None,
}
STEPS = 50


def value_cases(name: str) -> list[dict[str, Any]]:
    """Every combination of switches, where a share that is 0 by default is a switch too."""
    options = []
    for field in ROWS[name].fields:
        values = [field.default]
        if field.is_flag:
            values = [False, True]
        elif field.default == 0:
            values = [0.0, 0.9]
        options.append([(field.name, value) for value in values])
    cases = [dict(case) for case in itertools.product(*options)]
    numbers = [f for f in ROWS[name].fields if not f.is_flag and f.default]
    return [*cases, {f.name: 0.6 * float(f.default) for f in numbers}]


CASES = [(name, case) for name in NAMES for case in value_cases(name)]


def gradients(size: int, seed: int = 0) -> Array:
    """Gradients of very different sizes, some of them always 0."""
    rng = np.random.default_rng(seed)
    g = rng.normal(size=(STEPS, size)) * 10 ** rng.uniform(-4, 1, size)
    g[:, ::7] = 0
    return g


def run(name: str, case: dict[str, Any], w: Any, g: Any, lr: float = 0.01, **options: float) -> Any:
    """All steps in the engine."""
    fields = list(ROWS[name].params(name, case))
    slots = [
        w.copy() if start is None else np.full(shape, start, w.dtype)
        for _, shape, start in _core.optimizer_slots(name, fields, w.shape)
    ]
    w = w.copy()
    for t, gt in enumerate(g.astype(w.dtype), start=1):
        _core.optimizer_step(name, fields, lr, t, w, gt, slots, **options)
    return w


def run_reference(
    name: str, case: dict[str, Any], w: Array, g: Array, lr: float = 0.01, keep: float = 1.0
) -> Array:
    fields = {f.name: float(case.get(f.name, f.default)) for f in ROWS[name].fields}
    w, state = w.copy(), State()
    if name == "schedulefreeadamw":  # starts its state from the weights before they decay
        OPTIMIZERS[name](w.copy(), 0 * w, lr, 1, state, **fields)
    for t, gt in enumerate(g, start=1):
        w *= keep
        OPTIMIZERS[name](w, gt, lr, t, state, **fields)
    return w


def test_every_row_has_a_reference_and_a_class() -> None:
    assert set(NAMES) == set(OPTIMIZERS)
    ours = [cls for cls in optimizers.Optimizer.__subclasses__() if hasattr(cls, "row")]
    classes = {cls.row.name for cls in ours}
    assert set(NAMES) == classes


@pytest.mark.parametrize(("name", "case"), CASES)
@pytest.mark.parametrize("shape", [(1,), (33,), (1000,), (7, 5), (1, 40)])
def test_trajectories(name: str, case: dict[str, Any], shape: tuple[int, ...]) -> None:
    size = math.prod(shape)
    w = np.random.default_rng(1).normal(size=shape)
    g = gradients(size).reshape(STEPS, *shape)
    wanted = run_reference(name, case, w, g)
    np.testing.assert_allclose(run(name, case, w, g), wanted, rtol=1e-11, atol=1e-13)
    single = run(name, case, w.astype(np.float32), g)
    assert single.dtype == np.float32
    tolerance = (
        2e-5 if case.get("centered") else 5e-6
    )  # the variance is a difference of near numbers
    np.testing.assert_allclose(single, wanted, rtol=0, atol=tolerance * max(1, np.abs(w).max()))


@pytest.mark.parametrize("name", NAMES)
def test_gradient_and_weights_are_prepared_before_the_rule(name: str) -> None:
    w, g = np.random.default_rng(1).normal(size=40), gradients(40)
    scaled = run(name, {}, w, g, grad_scale=0.25)
    np.testing.assert_allclose(scaled, run_reference(name, {}, w, 0.25 * g), rtol=1e-11)
    clipped = run(name, {}, w, g, grad_limit=0.05)
    np.testing.assert_allclose(
        clipped, run_reference(name, {}, w, np.clip(g, -0.05, 0.05)), rtol=1e-11
    )
    smaller = run(name, {}, w, g, keep=0.9)
    wanted = run_reference(name, {}, w, g, keep=0.9)
    np.testing.assert_allclose(smaller, wanted, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_late_steps(name: str) -> None:
    """Constants that depend on t are right, and finite, after many steps."""
    fields = list(ROWS[name].params(name, {}))
    values = {field.name: float(field.default) for field in ROWS[name].fields}
    state = State()
    OPTIMIZERS[name](np.ones(3), np.ones(3), 0.01, 1, state, **values)  # makes the state's arrays
    for t in (1, 899, 901, 2000, 10**9):
        w, g = np.ones(3), np.full(3, 0.3)
        slots = [np.full(s, 0.1) for _, s, _ in _core.optimizer_slots(name, fields, (3,))]
        _core.optimizer_step(name, fields, 0.01, t, w, g, slots)
        assert np.isfinite(w).all()
        if t < 10**9:
            wanted = np.ones(3)
            OPTIMIZERS[name](wanted, g, 0.01, t, {key: np.full(3, 0.1) for key in state}, **values)
            np.testing.assert_allclose(w, wanted, rtol=1e-12)


def test_ftrl_in_single_precision() -> None:
    """The difference of the roots of large sums of squares keeps its digits."""
    fields = list(ROWS["ftrl"].params("ftrl", {}))
    values = {field.name: float(field.default) for field in ROWS["ftrl"].fields}
    w, g = np.full(3, 0.5), np.array([1e-3, 1e-2, 0.1])
    single, slots = w.astype(np.float32), [np.full(3, 50, np.float32), np.full(3, 0.1, np.float32)]
    state = State(total=np.full(3, 50.0), linear=np.full(3, 0.1))
    before = state["linear"].copy()
    _core.optimizer_step("ftrl", fields, 1e-5, 1, single, g.astype(np.float32), slots)
    OPTIMIZERS["ftrl"](w, g, 1e-5, 1, state, **values)
    np.testing.assert_allclose(slots[1], state["linear"], rtol=1e-6)
    assert not np.array_equal(before, state["linear"])


@pytest.mark.parametrize("name", NAMES)
def test_nan_is_not_hidden(name: str) -> None:
    g = np.ones((STEPS, 3))
    g[:, 1] = np.nan
    others = name == "adafactor"  # divides by a norm of the step
    assert np.isnan(run(name, {}, np.ones(3), g)).tolist() == [others, True, others]


# ---- the classes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_signatures_match_the_catalog(name: str) -> None:
    row = ROWS[name]
    cls = getattr(optimizers, row.class_name)
    given = inspect.signature(cls).parameters
    wanted = {"learning_rate": row.facts["learning_rate"]}
    if row.facts["weight_decay"]:
        wanted["weight_decay"] = row.facts["weight_decay"]
    wanted |= {field.name: field.default for field in row.fields}
    documented = list(wanted)
    wanted |= {key: value for key, value in SHARED.items() if key not in wanted}
    named = {key: p.default for key, p in given.items()}
    assert named == wanted
    assert list(named) == list(wanted)
    assert all(isinstance(named[f.name], bool) == f.is_flag for f in row.fields)
    doc = inspect.getdoc(cls) or ""
    assert all(f"    {argument}: " in doc for argument in documented)


def test_options_by_position() -> None:
    sgd, adamw = (vars(optimizers)[name] for name in ("SGD", "AdamW"))
    given = sgd(0.1, 0.9, True, 0.01, None, 0.5, name="mine")
    assert (given.weight_decay, given.clipvalue, given.name) == (0.01, 0.5, "mine")
    assert adamw(0.1, 0.2, 0.8, 0.9, 1e-6, False, 0.5).clipnorm == 0.5
    with pytest.raises(TypeError, match="got `weight_decay` twice"):
        sgd(0.1, 0.9, True, 0.01, weight_decay=0.1)
    with pytest.raises(TypeError, match="too many arguments"):
        sgd(*range(20))


@pytest.mark.parametrize(("name", "case"), CASES)
def test_configuration_round_trip(name: str, case: dict[str, Any]) -> None:
    cls = getattr(optimizers, ROWS[name].class_name)
    made = cls(0.02, **case, clipnorm=1.5, weight_decay=0.1, name="mine")
    assert made.spec() == {
        "name": name,
        "fields": list(ROWS[name].params(name, case)),
        "weight_decay": 0.1,
        "clipnorm": 1.5,
        "clipvalue": None,
        "global_clipnorm": None,
        "accumulation": None,
        "ema_momentum": None,
        "ema_overwrite_frequency": None,
    }
    config = json.loads(json.dumps(optimizers.serialize(made)))
    again = optimizers.deserialize(config)
    assert type(again) is cls
    assert again.get_config() == made.get_config()
    assert cls.from_config(made.get_config()).get_config() == made.get_config()
    assert eval(repr(made), vars(optimizers)).spec() == made.spec()


@pytest.mark.parametrize("name", NAMES)
def test_get(name: str) -> None:
    cls = getattr(optimizers, ROWS[name].class_name)
    for known in (name, name.upper(), cls.__name__, cls, cls(), {"class_name": cls.__name__}):
        assert type(optimizers.get(known)) is cls
    made = cls()
    assert optimizers.get(made) is made


def test_schedules_of_ones_own_come_back_from_a_configuration() -> None:
    class Halving(schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return 0.5**step

    config = json.loads(json.dumps(optimizers.SGD(Halving()).get_config()))
    again = optimizers.SGD.from_config(config, {"Halving": Halving})
    assert again.learning_rates(0, 3).tolist() == [1.0, 0.5, 0.25]

    class Mine(optimizers.Adam):
        pass

    made = optimizers.deserialize(optimizers.serialize(Mine(0.5)), {"Mine": Mine})
    assert type(made) is Mine
    assert made.learning_rate == 0.5


def test_learning_rates() -> None:
    plain = optimizers.SGD(0.5)
    assert plain.learning_rate == 0.5
    plain.learning_rate = 0.25
    assert plain.learning_rates(3, 2).tolist() == [0.25, 0.25]
    falling = optimizers.SGD(schedules.InverseTimeDecay(1.0, 1, 1.0))
    assert falling.learning_rates(1, 3).tolist() == [1 / 2, 1 / 3, 1 / 4]
    falling.iterations = 3
    assert falling.learning_rate == 0.25
    with pytest.raises(TypeError, match="follows a schedule"):
        falling.learning_rate = 0.1
    falling.learning_rate = schedules.PowerDecay(2.0)
    assert falling.learning_rate == 1.0
    assert optimizers.SGD(lambda step: 1 / (1 + step)).learning_rates(0, 2).tolist() == [1.0, 0.5]
    assert optimizers.SGD(lambda: 0.125).learning_rate == 0.125

    class Steps(schedules.LearningRateSchedule):
        def __call__(self, step: int) -> float:
            return 1.0 if step < 2 else 0.5

    assert optimizers.Adam(Steps()).learning_rates(0, 4).tolist() == [1.0, 1.0, 0.5, 0.5]


def test_older_spellings() -> None:
    assert optimizers.SGD(lr=0.5).learning_rate == 0.5  # type: ignore[call-arg]
    old = optimizers.SGD(lr=1.0, decay=0.5)  # type: ignore[call-arg]
    assert old.learning_rates(0, 3).tolist() == [1.0, 1 / 1.5, 0.5]


def test_excluded_from_weight_decay() -> None:
    variables = [SimpleNamespace(name=n) for n in ("dense/kernel", "dense/bias", "norm/gamma")]
    adamw = optimizers.AdamW()
    assert adamw.no_decay(variables) == []
    adamw.exclude_from_weight_decay(var_names=["bias", "gamma$"])
    assert adamw.no_decay(variables) == [1, 2]
    adamw.exclude_from_weight_decay(var_list=variables[:1])
    assert adamw.no_decay(variables) == [0]


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"Unknown optimizer.*adam.*Received: optimizer='adm'"):
        optimizers.get("adm")
    with pytest.raises(TypeError, match="An optimizer is one of"):
        optimizers.get(lambda: 0)
    with pytest.raises(TypeError, match=r"unknown argument `momentun`. Did you mean `momentum`"):
        optimizers.SGD(momentun=0.9)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match=r"`momentum` must be between 0 and 1. Received"):
        optimizers.SGD(momentum=2)
    with pytest.raises(ValueError, match="`beta_1` must be between 0 and 1"):
        optimizers.Lion(beta_1=0.0)
    with pytest.raises(ValueError, match="give one of `clipnorm`, `clipvalue`"):
        optimizers.SGD(clipnorm=1.0, clipvalue=1.0)
    with pytest.raises(ValueError, match="`clipnorm` must not be negative"):
        optimizers.SGD(clipnorm=-1.0)
    with pytest.raises(TypeError, match="`learning_rate` must be a number"):
        optimizers.SGD("fast")  # type: ignore[arg-type]
    for rate in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="`learning_rate` must be finite and not negative"):
            optimizers.SGD(rate)


# ---- in training ---------------------------------------------------------------------------------

OPTIONS: list[dict[str, Any]] = [
    {},
    {"clipnorm": 0.1},
    {"clipnorm": 100.0},
    {"clipvalue": 0.02},
    {"global_clipnorm": 0.1},
    {"weight_decay": 0.3},
    {"weight_decay": 0.3, "global_clipnorm": 0.05},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("rate", [0.1, schedules.InverseTimeDecay(0.1, 1, 0.5)], ids=["0.1", "1/t"])
@pytest.mark.parametrize("bias_decays", [True, False])
def test_options_in_training(options: dict[str, Any], rate: Any, bias_decays: bool) -> None:
    """Five steps of a linear model against the same in NumPy."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 4)), rng.normal(size=(12, 3))
    layer = pynn.layers.Dense(3, dtype="float64")
    model = pynn.Sequential([pynn.Input((4,)), layer])
    kernel, bias = rng.normal(size=(4, 3)), rng.normal(size=3)
    layer.set_weights([kernel, bias])
    sgd = optimizers.SGD(rate, momentum=0.5, **options)
    if not bias_decays:
        sgd.exclude_from_weight_decay(var_names=["bias"])
    model.compile(sgd, "mse")
    model.fit(x, y, batch_size=12, epochs=5, verbose=0)

    weights, velocity = [kernel, bias], [np.zeros_like(kernel), np.zeros_like(bias)]
    for step in range(5):
        lr = rate(step) if callable(rate) else rate
        error = 2 / y.size * (x @ weights[0] + weights[1] - y)
        grads = [x.T @ error, error.sum(0)]
        norms = [float(np.linalg.norm(g)) for g in grads]
        for i, g in enumerate(grads):
            if "clipnorm" in options:
                g = g * min(1, options["clipnorm"] / norms[i])
            elif "global_clipnorm" in options:
                g = g * min(1, options["global_clipnorm"] / math.hypot(*norms))
            elif "clipvalue" in options:
                g = np.clip(g, -options["clipvalue"], options["clipvalue"])
            decay = options.get("weight_decay", 0.0) if i == 0 or bias_decays else 0.0
            velocity[i] = 0.5 * velocity[i] - lr * g
            weights[i] = weights[i] * (1 - lr * decay) + velocity[i]
    for got, wanted in zip(layer.get_weights(), weights, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_training_is_the_rule(name: str) -> None:
    """A model trained by each optimizer follows the reference."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 40)), rng.normal(size=(16, 1))
    layer = pynn.layers.Dense(1, use_bias=False, dtype="float64")
    model = pynn.Sequential([pynn.Input((40,)), layer])
    wanted, state = rng.normal(size=(40, 1)), State()
    layer.set_weights([wanted.copy()])
    optimizer = optimizers.get(name)
    model.compile(optimizer, "mse")
    model.fit(x, y, batch_size=16, epochs=20, verbose=0)
    row = ROWS[name]
    fields = {f.name: float(f.default) for f in row.fields}
    lr, decay = row.facts["learning_rate"], row.facts["weight_decay"]
    for t in range(1, 21):
        gradient = 2 / 16 * x.T @ (x @ wanted - y)
        wanted *= 1 - lr * decay
        OPTIMIZERS[name](wanted, gradient, lr, t, state, **fields)
    np.testing.assert_allclose(layer.get_weights()[0], wanted, rtol=1e-9)
    assert optimizer.iterations == 20
