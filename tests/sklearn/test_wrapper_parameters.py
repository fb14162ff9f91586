"""Parameters of wrapped models and of their parts, and copies of estimators."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import layers, losses, metrics

pytest.importorskip("sklearn")

import joblib
from sklearn.base import clone

from pynn.sklearn import KerasClassifier, KerasRegressor
from wrapped_models import OPTIONS, Array, iris, multiclass

# ---- routing -------------------------------------------------------------------------------------


def test_parameters_reach_their_parts() -> None:
    estimator = KerasClassifier(
        multiclass,
        optimizer="sgd",
        optimizer__learning_rate=0.03,
        optimizer__momentum=0.5,
        loss=losses.CategoricalCrossentropy,
        loss__label_smoothing=0.1,
        metrics=["accuracy", metrics.TopKCategoricalAccuracy],
        metrics__1__k=2,
        compile__weighted_metrics=["mse"],
        fit__validation_freq=2,
        model__hidden=5,
        inner="tanh",  # the function's own argument, without a prefix
        epochs=4,
        validation_split=0.5,
    )
    rows = np.random.default_rng(0).permutation(150)
    model: Any = estimator.fit(*(part[rows] for part in iris())).model_
    assert type(model.optimizer).__name__ == "SGD"
    assert model.optimizer.learning_rate == pytest.approx(0.03)
    assert model.optimizer.momentum == 0.5
    assert model.loss.label_smoothing == 0.1
    assert model.metrics[1].k == 2
    assert model.layers[0].units == 5
    assert model.layers[0].activation is pynn.activations.tanh
    history = estimator.history_
    assert set(history) >= {"accuracy", "top_k_categorical_accuracy", "mse"}
    assert (len(history["loss"]), len(history["val_loss"])) == (4, 2)


def test_arguments_of_a_call_come_first() -> None:
    x, y = iris()
    estimator = KerasClassifier(multiclass, epochs=1, fit__epochs=2)
    assert len(estimator.fit(x, y).history_["loss"]) == 2
    assert len(estimator.fit(x, y, epochs=3).history_["loss"]) == 3


def test_what_a_function_that_builds_models_is_told() -> None:
    told: dict[str, Any] = {}

    def ask(
        meta: dict[str, Any],
        compile_kwargs: dict[str, Any],
        params: dict[str, Any],
        X: Array,
        y: Array,
        target_type_: str,
        n_outputs_expected_: int,
        width: int = 3,
    ) -> pynn.Model:
        told.update(locals())
        model = multiclass(meta["n_features_in_"], meta["n_classes_"], width)
        model.compile(**{**compile_kwargs, "loss": "categorical_crossentropy"})
        return model

    x, y = iris()
    estimator = KerasClassifier(ask, optimizer__learning_rate=0.5, width=6).fit(x, y)
    assert told["target_type_"] == told["meta"]["target_type_"] == "multiclass"
    assert (told["width"], told["n_outputs_expected_"], told["meta"]["n_outputs_"]) == (6, 1, 1)
    assert told["params"]["optimizer__learning_rate"] == 0.5
    np.testing.assert_array_equal(told["y"], np.eye(3)[y])  # as keras.wrappers shows it
    np.testing.assert_array_equal(told["X"], x)
    assert estimator.model_.loss == "categorical_crossentropy"
    assert estimator.model_.optimizer.learning_rate == 0.5


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("epoch", "epochs"),
        ("hidde", "hidden"),
        ("model__hiden", "model__hidden"),
        ("optimiser__learning_rate", "optimizer__learning_rate"),
        ("fit__validation_frequency", "fit__validation_freq"),
        ("compile__loss_weight", "compile__loss_weights"),
    ],
)
def test_unknown_names_tell_what_was_meant(wrong: str, meant: str) -> None:
    with pytest.raises(TypeError, match=f"`{wrong}`. Did you mean `{meant}`"):
        KerasClassifier(multiclass, **{wrong: 1})  # type: ignore[arg-type]
    estimator = KerasClassifier(multiclass, model__hidden=3)
    with pytest.raises(ValueError, match=f"`{wrong}`. Did you mean `{meant}`"):
        estimator.set_params(epochs=9, **{wrong: 1})
    assert estimator.epochs == 1  # nothing was set


def test_wrong_input_is_refused() -> None:
    x, y = iris()
    cases: list[tuple[Any, type[Exception], str]] = [
        (KerasClassifier(), TypeError, "`model` must be a model or a function.*None"),
        (KerasClassifier(lambda: 3), TypeError, "must return a model. Received: 3"),
        (KerasClassifier(lambda depth: multiclass(4, 3)), TypeError, "needs model__depth="),
        (KerasClassifier(multiclass(4, 2)), ValueError, r"one column per class, \[3\].*\[2\]"),
        (KerasClassifier(multiclass, optimizer__rate=1), TypeError, "unknown argument `rate`"),
        (KerasClassifier(multiclass, optimizer="adan"), ValueError, "Did you mean 'adam'"),
        (KerasClassifier(multiclass, callbacks=print, callbacks__a=1), TypeError, "Only classes"),
        (KerasClassifier(multiclass, metrics=["mse"], metrics__1__k=1), ValueError, "entries.*0"),
        (KerasClassifier(multiclass, random_state="one"), ValueError, "cannot be used to seed"),
        (KerasClassifier(multiclass, class_weight="fair"), ValueError, "class_weight"),
    ]
    for estimator, error, message in cases:
        with pytest.raises(error, match=message):
            estimator.fit(x, y)
    labels = (x > 0).astype(int)
    with pytest.raises(ValueError, match="one class per row"):
        KerasClassifier(lambda: multiclass(4, 4), class_weight={0: 2.0}).fit(x, labels)
    with pytest.raises(TypeError, match=r"KerasClassifier.fit: unknown argument `epoch`"):
        KerasClassifier(multiclass).fit(x, y, epoch=3)
    with pytest.raises(ValueError, match=r"at least two classes.*1 class"):
        KerasClassifier(multiclass).fit(x[:9], y[:9])
    with pytest.raises(TypeError, match=r"only a function.*model__hidden with a ready model"):
        KerasClassifier(multiclass(4, 3), model__hidden=3)
    with pytest.raises(ValueError, match=r"one row of numbers.*\(n, 2, 4\)"):
        KerasRegressor(pynn.Sequential([layers.RepeatVector(2)])).fit(x, y)


def test_a_class_of_models() -> None:
    class Residual(pynn.Model):
        def __init__(self, n_features_in_: int, n_classes_: int, depth: int = 1) -> None:
            super().__init__()
            self.inner = [layers.Dense(n_features_in_, activation="relu") for _ in range(depth)]
            self.end = layers.Dense(n_classes_)

        def call(self, inputs: Any) -> Any:
            for layer in self.inner:
                inputs = inputs + layer(inputs)
            return self.end(inputs)

    x, y = iris()
    estimator = KerasClassifier(Residual, depth=2, optimizer="adam", epochs=60, random_state=0).fit(
        x, y
    )
    assert len(estimator.model_.layers) == 3
    np.testing.assert_allclose(estimator.predict_proba(x).sum(axis=1), 1, rtol=1e-5)  # from logits
    assert estimator.score(x, y) > 0.8


# ---- copies --------------------------------------------------------------------------------------


def test_clone_keeps_all_parameters() -> None:
    ready = multiclass(4, 3)
    for model in (multiclass, ready):
        options: dict[str, Any] = {} if model is ready else {"model__hidden": 5}
        estimator = KerasClassifier(model, optimizer__learning_rate=0.1, **options)
        copied = clone(estimator)
        names = estimator.get_params()
        assert copied.get_params().keys() == names.keys()
        assert copied.get_params()["optimizer__learning_rate"] == 0.1
        assert not hasattr(copied, "model_")
        assert "optimizer__learning_rate=0.1" in repr(estimator)
        assert "optimizer__learning_rate" in estimator._repr_html_()


def test_copies_of_a_fitted_estimator(tmp_path: Path) -> None:
    x, y = iris()
    estimator = KerasClassifier(multiclass, **OPTIONS).fit(x, y)
    joblib.dump(estimator, tmp_path / "estimator")
    copies: list[Any] = [
        copy.deepcopy(estimator),
        pickle.loads(pickle.dumps(estimator)),
        joblib.load(tmp_path / "estimator"),
    ]
    expected = estimator.predict_proba(x)
    for copied in copies:
        np.testing.assert_array_equal(copied.predict_proba(x), expected)
    estimator.partial_fit(x, y)  # weights, optimizer and seeds go on alike
    for copied in copies:
        np.testing.assert_array_equal(
            copied.partial_fit(x, y).predict_proba(x), estimator.predict_proba(x)
        )
