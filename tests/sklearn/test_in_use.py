"""The estimators in the hands of scikit-learn's tools, on real data."""

from __future__ import annotations

import contextlib
import copy
import pickle
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas
import pytest
import sklearn
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, scale
from sklearn.utils.fixes import parse_version

from pynn import MLPClassifier, MLPRegressor
from twins import VERSION, threads_at_hand

X_CANCER, Y_CANCER = load_breast_cancer(return_X_y=True)
X_WINE, Y_WINE = load_wine(return_X_y=True)
X_DIABETES, Y_DIABETES = load_diabetes(return_X_y=True)
X_CANCER, X_WINE, Y_DIABETES = scale(X_CANCER), scale(X_WINE), scale(Y_DIABETES)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BACKENDS = ["loky", "threading", "multiprocessing"]


def classifier(**parameters: Any) -> MLPClassifier:
    quick: dict[str, Any] = {
        "hidden_layer_sizes": (16,),
        "max_iter": 30,
        "learning_rate_init": 0.01,
    }
    return MLPClassifier(**(quick | {"random_state": 0} | parameters))


def regressor(**parameters: Any) -> MLPRegressor:
    quick: dict[str, Any] = {
        "hidden_layer_sizes": (16,),
        "max_iter": 60,
        "learning_rate_init": 0.01,
    }
    return MLPRegressor(**(quick | {"random_state": 0} | parameters))


# Searching and validating


def test_pipeline_and_column_transformer() -> None:
    frame = load_wine(as_frame=True).data
    frame["strong"] = np.where(frame.pop("alcohol") > 13, "yes", "no")
    columns = ColumnTransformer(
        [("words", OneHotEncoder(), ["strong"])], remainder=StandardScaler()
    )
    model = Pipeline([("columns", columns), ("net", classifier())]).fit(frame, Y_WINE)
    assert model.score(frame, Y_WINE) > 0.95
    assert model[-1].n_features_in_ == frame.shape[1] + 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_grid_search(backend: str) -> None:
    grid = {"alpha": [1e-4, 1.0], "activation": ["relu", "tanh"]}
    with joblib.parallel_config(backend=backend, n_jobs=2):
        search = GridSearchCV(classifier(), grid, cv=2).fit(X_CANCER, Y_CANCER)
    alone = GridSearchCV(classifier(), grid, cv=2).fit(X_CANCER, Y_CANCER)
    assert np.array_equal(
        search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    assert search.best_score_ > 0.93


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_processes_share_the_machine(backend: str) -> None:
    """Two workers have no more threads together than there are processors."""
    with joblib.parallel_config(backend=backend, n_jobs=2):
        seen = cross_val_score(classifier(), X_WINE, Y_WINE, cv=4, scoring=threads_at_hand)
    assert 2 * seen.max() <= max(2, joblib.cpu_count())


def running_threads() -> int:
    """How many threads of this process, besides the one that asks, run or could run."""
    states = []
    for task in Path("/proc/self/task").iterdir():
        if int(task.name) != threading.get_native_id():
            with contextlib.suppress(OSError):  # it has ended
                states.append((task / "stat").read_text().rpartition(")")[2].split()[0])
    return states.count("R")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at threads in /proc")
def test_threads_share_the_machine() -> None:
    """Two fits at once in one process keep no more threads busy than there are processors."""
    x = np.random.default_rng(0).normal(size=(4000, 200))
    models = [regressor(hidden_layer_sizes=(200,), max_iter=20, batch_size=1000) for _ in "ab"]
    fits = [threading.Thread(target=model.fit, args=(x, x[:, 0])) for model in models]
    for thread in fits:
        thread.start()
    busy = []
    while all(thread.is_alive() for thread in fits):
        busy.append(running_threads())
        time.sleep(0.005)
    for thread in fits:
        thread.join()
    assert len(busy) > 5
    assert np.mean(busy) <= max(2, joblib.cpu_count()) + 0.5


def test_halving_grid_search() -> None:
    search = HalvingGridSearchCV(
        classifier(),
        {"alpha": [1e-4, 1e-2, 1.0], "solver": ["adam", "sgd"]},
        resource="max_iter",
        min_resources=5,
        max_resources=40,
        cv=2,
        n_jobs=2,
    ).fit(X_CANCER, Y_CANCER)
    assert search.n_resources_[-1] == search.best_estimator_.max_iter
    assert search.best_score_ > 0.9


def test_cross_val_predict() -> None:
    proba = cross_val_predict(classifier(), X_WINE, Y_WINE, cv=3, method="predict_proba", n_jobs=2)
    assert proba.shape == (len(Y_WINE), 3)
    assert accuracy_score(Y_WINE, proba.argmax(axis=1)) > 0.93


def test_scorers() -> None:
    scores = cross_validate(
        classifier(), X_CANCER, Y_CANCER, cv=2, scoring=["roc_auc", "neg_log_loss", "f1"]
    )
    assert np.min(scores["test_roc_auc"]) > 0.97


def test_learning_curve() -> None:
    sizes, _, scores = learning_curve(
        classifier(), X_CANCER, Y_CANCER, train_sizes=[0.2, 1.0], cv=2
    )
    assert len(sizes) == 2
    assert scores[-1].mean() > 0.93
    learning_curve(
        classifier(), X_CANCER, Y_CANCER, train_sizes=[0.5, 1.0], cv=2,
        exploit_incremental_learning=True, shuffle=True,
    )  # fmt: skip


def test_validation_curve() -> None:
    scores = validation_curve(
        regressor(), X_DIABETES, Y_DIABETES, param_name="max_iter", param_range=[1, 60], cv=2
    )[1]
    assert scores[1].mean() > scores[0].mean()


# Wrapping


def test_calibration() -> None:
    model = CalibratedClassifierCV(classifier(), cv=2).fit(X_CANCER, Y_CANCER)
    assert model.score(X_CANCER, Y_CANCER) > 0.95


def test_voting() -> None:
    members = [("net", classifier()), ("linear", LogisticRegression())]
    model = VotingClassifier(members, voting="soft").fit(X_WINE, Y_WINE)
    assert model.score(X_WINE, Y_WINE) > 0.95


def test_stacking() -> None:
    members = [("net", regressor()), ("linear", Ridge())]
    model = StackingRegressor(members, cv=2).fit(X_DIABETES, Y_DIABETES)
    assert model.score(X_DIABETES, Y_DIABETES) > 0.4


def test_bagging() -> None:
    model = BaggingClassifier(classifier(), n_estimators=4, n_jobs=2, random_state=0)
    assert model.fit(X_CANCER, Y_CANCER).score(X_CANCER, Y_CANCER) > 0.95


def test_boosting() -> None:
    """Boosting weights rows (or draws them)."""
    model = AdaBoostRegressor(regressor(), n_estimators=3, random_state=0)
    assert model.fit(X_DIABETES, Y_DIABETES).score(X_DIABETES, Y_DIABETES) > 0.4


def test_one_versus_rest_and_many_outputs() -> None:
    model = OneVsRestClassifier(classifier()).fit(X_WINE, Y_WINE)
    assert model.score(X_WINE, Y_WINE) > 0.95
    both = np.stack([Y_DIABETES, -Y_DIABETES], axis=1)
    assert MultiOutputRegressor(regressor()).fit(X_DIABETES, both).score(X_DIABETES, both) > 0.4


def test_transformed_target() -> None:
    raw = load_diabetes().target
    model = TransformedTargetRegressor(regressor(), transformer=StandardScaler())
    assert model.fit(X_DIABETES, raw).score(X_DIABETES, raw) > 0.4


# Looking inside


def test_permutation_importance() -> None:
    """A column of noise matters less than the best column."""
    noise = np.random.default_rng(0).normal(size=(len(Y_WINE), 1))
    x = np.hstack([X_WINE, noise])
    found = permutation_importance(classifier().fit(x, Y_WINE), x, Y_WINE, n_repeats=5, n_jobs=2)
    assert found.importances_mean[-1] < found.importances_mean.max()


def test_partial_dependence() -> None:
    model = regressor().fit(X_DIABETES, Y_DIABETES)
    average = partial_dependence(model, X_DIABETES, [2], grid_resolution=10)["average"][0]
    assert average[-1] > average[0]  # a high body mass index


def test_feature_selection() -> None:
    selector = SequentialFeatureSelector(
        classifier(max_iter=5), n_features_to_select=2, cv=2, direction="forward"
    )
    assert selector.fit(X_WINE[:, :5], Y_WINE).get_support().sum() == 2


# Copies and files


def same_predictions(model: BaseEstimator, other: BaseEstimator, x: Any) -> bool:
    return bool(np.array_equal(model.predict(x), other.predict(x)))


@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_pickle_and_deepcopy(solver: str, protocol: int) -> None:
    """Copies predict the same bits, and go on training by themselves with the same optimizer."""
    model = regressor(solver=solver, max_iter=5).fit(X_DIABETES, Y_DIABETES)
    copies = [pickle.loads(pickle.dumps(model, protocol)), copy.deepcopy(model)]
    for one in copies:
        assert same_predictions(model, one, X_DIABETES)
    if solver != "lbfgs":
        before = model.predict(X_DIABETES)
        for one in copies:
            one.partial_fit(X_DIABETES, Y_DIABETES)
        assert np.array_equal(model.predict(X_DIABETES), before)
        model.partial_fit(X_DIABETES, Y_DIABETES)
        assert all(same_predictions(model, one, X_DIABETES) for one in copies)


def test_clone() -> None:
    model = classifier(alpha=0.3).fit(X_WINE, Y_WINE)
    fresh = clone(model)
    assert fresh.get_params() == model.get_params()
    assert not hasattr(fresh, "coefs_")
    assert same_predictions(model, fresh.fit(X_WINE, Y_WINE), X_WINE)


@pytest.mark.parametrize("compress", [0, 3])
def test_joblib(tmp_path: Path, compress: int) -> None:
    model = make_pipeline(StandardScaler(), classifier()).fit(X_WINE, Y_WINE)
    joblib.dump(model, tmp_path / "model", compress=compress)
    assert same_predictions(model, joblib.load(tmp_path / "model"), X_WINE)


def test_joblib_memory_map(tmp_path: Path) -> None:
    """Weights mapped from the disk, which cannot be written to, predict and are copied to train."""
    model = classifier().fit(X_WINE, Y_WINE)
    joblib.dump(model, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    assert same_predictions(model, mapped, X_WINE)
    model.partial_fit(X_WINE, Y_WINE)
    assert same_predictions(model, mapped.partial_fit(X_WINE, Y_WINE), X_WINE)


def test_skops() -> None:
    """A file in which nothing is executed; our own types are all that must be trusted."""
    skops = pytest.importorskip("skops.io")
    model = classifier().fit(X_WINE, Y_WINE)
    stored = skops.dumps(model)
    unknown = skops.get_untrusted_types(data=stored)
    assert all(name.startswith("pynn.") for name in unknown)
    assert same_predictions(model, skops.loads(stored, trusted=unknown), X_WINE)


# Frames, maps and routed arguments


def test_set_output() -> None:
    model = make_pipeline(StandardScaler(), classifier()).set_output(transform="pandas")
    frame = load_wine(as_frame=True).data
    model.fit(frame, Y_WINE)
    assert list(model[-1].feature_names_in_) == list(frame.columns)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library: str) -> None:
    """Columns are known by name, and other names are refused."""
    frames = pytest.importorskip(library)
    if library == "polars" and parse_version("1.9") > VERSION:
        pytest.skip("scikit-learn reads the names of polars' columns from 1.9 on")
    names = [f"column {i}" for i in range(X_WINE.shape[1])]
    frame = frames.DataFrame(dict(zip(names, X_WINE.T, strict=True)))
    model = classifier().fit(frame, frames.Series(Y_WINE))
    assert list(model.feature_names_in_) == names
    assert np.array_equal(model.predict(frame), classifier().fit(X_WINE, Y_WINE).predict(X_WINE))
    renamed = frame[["column 1", "column 0", *names[2:]]]
    with pytest.raises(ValueError, match="same order"):
        model.predict(renamed)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X_WINE)


def test_columns_of_words_are_labels() -> None:
    y = pandas.Series(np.array(["red", "white", "green"])[Y_WINE], dtype="category")
    model = classifier(early_stopping=True).fit(X_WINE, y)
    assert list(model.classes_) == ["green", "red", "white"]
    assert set(model.predict(X_WINE)) <= set(model.classes_)


def test_memory_map_is_not_loaded(tmp_path: Path) -> None:
    """Training on a file takes a small part of its size in memory."""
    x = np.memmap(tmp_path / "x", dtype="float64", mode="w+", shape=(200_000, 100))
    model = regressor(hidden_layer_sizes=(2,), max_iter=1, batch_size=5000)
    tracemalloc.start()
    model.fit(x, np.zeros(len(x)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes / 8


def test_metadata_routing() -> None:
    """Sample weights reach fit and score through a search."""
    weight = np.where(Y_CANCER == 1, 1.0, 3.0)
    with sklearn.config_context(enable_metadata_routing=True):
        model = classifier().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"alpha": [1e-4, 1.0]}, cv=2)
        search.fit(X_CANCER, Y_CANCER, sample_weight=weight)
        scores = cross_val_score(model, X_CANCER, Y_CANCER, cv=2, params={"sample_weight": weight})
    direct = classifier(alpha=search.best_params_["alpha"])
    direct.fit(X_CANCER, Y_CANCER, sample_weight=weight)
    assert same_predictions(search.best_estimator_, direct, X_CANCER)
    assert scores.mean() > 0.9


def test_scores() -> None:
    weight = np.linspace(0, 1, len(Y_DIABETES))
    model = regressor().fit(X_DIABETES, Y_DIABETES)
    expected = r2_score(Y_DIABETES, model.predict(X_DIABETES), sample_weight=weight)
    assert model.score(X_DIABETES, Y_DIABETES, sample_weight=weight) == pytest.approx(expected)
