"""Standardized samples, missing values and categories: what scikit-learn's estimators refuse."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn import neural_network as theirs
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

import pynn
from pynn import MLPClassifier, MLPRegressor
from pynn.sklearn.inputs import class_numbers
from twins import VERSION

Array = Any
CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
STREAM = np.random.RandomState(0)
ROWS = 400
CITY = np.array(list("abcdefgh"))[STREAM.randint(8, size=ROWS)]
SIZE = STREAM.normal(size=ROWS)
FLOORS = STREAM.randint(5, size=ROWS)
LIVED_IN = (2 * np.isin(CITY, list("adf")) + SIZE > 1).astype(int)
TABLE = np.empty((ROWS, 3), object)
TABLE[:, 0], TABLE[:, 1], TABLE[:, 2] = SIZE, CITY, FLOORS
SHORT: dict[str, Any] = {"max_iter": 15, "random_state": 0}

pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer:Warning"),
    pytest.mark.filterwarnings("ignore:lbfgs failed:Warning"),
]


def frame(library: str) -> Any:
    """The table as a data frame with a categorical column."""
    frames = pytest.importorskip(library)
    if library != "pandas" and parse_version("1.9") > VERSION:
        pytest.skip("scikit-learn reads the names of other frames' columns from 1.9 on")
    columns = {"size": SIZE, "city": CITY, "floors": FLOORS}
    if library == "pandas":
        return frames.DataFrame(columns).astype({"city": "category"})
    if library == "polars":
        return frames.DataFrame(columns).with_columns(
            frames.col("city").cast(frames.Enum(sorted(set(CITY))))
        )
    return frames.table({**columns, "city": frames.array(CITY).dictionary_encode()})


def with_gaps(x: Array) -> Array:
    gaps = np.random.RandomState(1).uniform(size=x.shape) < 0.02
    gaps[:, ::3] = False
    return np.where(gaps, np.nan, x)


# ---- standardize -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{}, {"early_stopping": True}, {"solver": "lbfgs"}, {"solver": "sgd", "activation": "tanh"}],
    ids=str,
)
def test_standardize_is_a_scaler_in_front(options: dict[str, Any]) -> None:
    for kind, (x, y) in (("MLPClassifier", CANCER), ("MLPRegressor", DIABETES)):
        x = np.column_stack([x, np.full(len(x), 7.0)])  # a constant, too
        own = getattr(pynn, kind)(standardize=True, **SHORT, **options).fit(x, y)
        one = getattr(theirs, kind)(**SHORT, **options)
        one = make_pipeline(StandardScaler(), one).fit(x, y)
        np.testing.assert_allclose(own.coefs_[0], one[-1].coefs_[0], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(own.predict(x), one.predict(x), rtol=1e-9)


def test_statistics_are_those_of_the_first_rows() -> None:
    x, y = DIABETES
    scaler = StandardScaler().fit(x[:200])
    own = MLPRegressor(standardize=True, random_state=0)
    one = theirs.MLPRegressor(random_state=0)
    for rows in (slice(0, 200), slice(200, 400), slice(0, 400)):
        own.partial_fit(x[rows], y[rows])
        one.partial_fit(scaler.transform(x[rows]), y[rows])
    np.testing.assert_allclose(own.predict(x), one.predict(scaler.transform(x)), rtol=1e-9)


def test_weights_of_rows_count_in_the_statistics() -> None:
    x, y = CANCER
    times = np.random.RandomState(0).randint(3, size=len(y))
    est = MLPClassifier(standardize=True, max_iter=1)
    one = clone(est).fit(x, y, sample_weight=times)
    two = clone(est).fit(x.repeat(times, 0), y.repeat(times))
    layer_one, layer_two = (est.model_.get_layer("standardize") for est in (one, two))
    np.testing.assert_allclose(layer_one.mean, layer_two.mean, rtol=1e-12)
    np.testing.assert_allclose(layer_one.variance, layer_two.variance, rtol=1e-12)


def test_the_model_and_its_copies_read_samples_as_they_are(tmp_path: Any) -> None:
    x, y = CANCER
    est = MLPClassifier(standardize=True, missing="indicator", **SHORT).fit(with_gaps(x), y)
    expected = est.predict_proba(with_gaps(x))
    np.testing.assert_allclose(
        pickle.loads(pickle.dumps(est)).predict_proba(with_gaps(x)), expected
    )
    np.testing.assert_allclose(est.predictor().predict_proba(with_gaps(x)), expected)
    est.model_.save(tmp_path / "model.keras")
    model = pynn.models.load_model(tmp_path / "model.keras")
    found = model.predict(with_gaps(x), verbose=0)
    np.testing.assert_allclose(found[:, 0], expected[:, 1], rtol=1e-12)


def test_float32_stays() -> None:
    x, y = DIABETES
    est = MLPRegressor(standardize=True, missing="indicator", **SHORT)
    est.fit(with_gaps(x).astype(np.float32), y)
    assert {array.dtype for array in est.coefs_} == {np.dtype(np.float32)}
    assert est.predict(x.astype(np.float32)).dtype == np.float32


# ---- missing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("options", [{}, {"solver": "lbfgs"}, {"early_stopping": True}], ids=str)
def test_missing_is_an_imputer_in_front(standardize: bool, options: dict[str, Any]) -> None:
    x, y = DIABETES
    x = with_gaps(x)
    own = MLPRegressor(standardize=standardize, missing="indicator", **SHORT, **options).fit(x, y)
    steps = [StandardScaler()] * standardize + [SimpleImputer(add_indicator=True)]
    one = make_pipeline(*steps, theirs.MLPRegressor(**SHORT, **options)).fit(x, y)
    assert own.coefs_[0].shape == one[-1].coefs_[0].shape
    np.testing.assert_allclose(own.predict(x), one.predict(x), rtol=1e-9)
    later = np.full((1, x.shape[1]), np.nan)  # of features, too, that were never missing
    np.testing.assert_allclose(own.predict(later), one.predict(later), rtol=1e-9)


def test_a_feature_that_is_always_missing_says_nothing() -> None:
    x, y = with_gaps(DIABETES[0]), DIABETES[1]
    x[:, 1] = np.nan
    est = MLPRegressor(missing="indicator", standardize=True, **SHORT).fit(x, y)
    without = MLPRegressor(missing="indicator", standardize=True, **SHORT)
    without.fit(np.delete(x, 1, axis=1), y)
    assert est.coefs_[0].shape[0] == without.coefs_[0].shape[0] + 2
    assert np.isfinite(est.predict(x)).all()


def test_missing_values_are_refused_by_default() -> None:
    x, y = with_gaps(CANCER[0]), CANCER[1]
    with pytest.raises(ValueError, match="Input X contains NaN"):
        MLPClassifier(standardize=True).fit(x, y)
    est = MLPClassifier(missing="indicator", **SHORT).fit(x, y)
    assert est.__sklearn_tags__().input_tags.allow_nan
    assert not MLPClassifier().__sklearn_tags__().input_tags.allow_nan
    with pytest.raises(ValueError, match="infinity"):
        est.predict(np.full((1, x.shape[1]), np.inf))


# ---- categories --------------------------------------------------------------------------------


def vectors_of(est: Any, column: int) -> Any:
    """The variable with the vectors of a column's categories."""
    return est.model_.get_layer(f"embedding_{column}").embeddings


def embedded(est: Any, table: Array) -> Array:
    """What the first hidden layer reads: columns of 0 and 1 times the vectors learned."""
    values = sorted(set(CITY))
    one_hot = np.array([[*(city == v for v in values), city not in values] for city in table[:, 1]])
    return np.hstack([table[:, [0, 2]].astype(float), one_hot @ vectors_of(est, 1).numpy()])


def test_embeddings_are_one_hot_columns_times_a_matrix() -> None:
    est = MLPClassifier(categorical_features=[1], embedding_dim=3, **SHORT).fit(TABLE, LIVED_IN)
    table = TABLE[:20].copy()
    table[:3, 1] = [None, np.nan, "elsewhere"]
    h = np.maximum(embedded(est, table) @ est.coefs_[0] + est.intercepts_[0], 0)
    z = (h @ est.coefs_[1] + est.intercepts_[1])[:, 0]
    np.testing.assert_allclose(est.predict_proba(table)[:, 1], 1 / (1 + np.exp(-z)), rtol=1e-12)


def test_gradient_of_embeddings_is_that_of_differences() -> None:
    y, rate, alpha = SIZE * FLOORS, 1e-3, 0.1
    est = MLPRegressor(
        hidden_layer_sizes=4,
        activation="tanh",
        solver="sgd",
        momentum=0,
        alpha=alpha,
        learning_rate_init=rate,
        batch_size=ROWS,
        categorical_features=[1],
        embedding_dim=2,
        random_state=0,
    )
    table = TABLE.copy()
    table[:9, 1] = None
    est.partial_fit(table, y)
    vectors = vectors_of(est, 1)

    def loss() -> float:
        h = np.tanh(embedded(est, table) @ est.coefs_[0] + est.intercepts_[0])
        p = (h @ est.coefs_[1] + est.intercepts_[1])[:, 0]
        squares = sum((w**2).sum() for w in (*est.coefs_, vectors.numpy()))
        return float(((p - y) ** 2).mean() / 2 + alpha * squares / 2 / ROWS)

    start = vectors.numpy().copy()
    slope = np.zeros_like(start)
    for place in np.ndindex(*start.shape):
        both = []
        for step in (1e-6, -1e-6):
            moved = start.copy()
            moved[place] += step
            vectors.assign(moved)
            both.append(loss())
        slope[place] = (both[0] - both[1]) / 2e-6
    vectors.assign(start)
    est.partial_fit(table, y)
    np.testing.assert_allclose((start - vectors.numpy()) / rate, slope, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_embeddings_beat_ordinal_codes(solver: str) -> None:
    options: dict[str, Any] = {
        "solver": solver,
        "max_iter": 60,
        "random_state": 0,
        "hidden_layer_sizes": (8,),
    }
    with_codes = np.column_stack([SIZE, np.unique(CITY, return_inverse=True)[1], FLOORS])
    codes = cross_val_score(MLPClassifier(standardize=True, **options), with_codes, LIVED_IN)
    est = MLPClassifier(standardize=True, categorical_features=[1], **options)
    assert cross_val_score(est, TABLE, LIVED_IN).mean() > codes.mean() + 0.02


def test_size_of_embeddings() -> None:
    many = np.column_stack([SIZE, np.arange(ROWS) % 120, FLOORS])
    est = MLPClassifier(categorical_features=[1, 2], max_iter=1).fit(many, LIVED_IN)
    shapes = [vectors_of(est, k).shape for k in (1, 2)]
    assert [tuple(shape) for shape in shapes] == [(121, 50), (6, 3)]
    assert est.coefs_[0].shape == (1 + 50 + 3, 100)
    assert est.n_features_in_ == 3


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames_are_read_like_arrays(library: str) -> None:
    table = frame(library)
    expected = MLPClassifier(categorical_features=[1], **SHORT).fit(TABLE, LIVED_IN)
    probabilities = expected.predict_proba(TABLE)
    for chosen in ("from_dtype", ["city"], [False, True, False]):
        est = MLPClassifier(categorical_features=chosen, **SHORT).fit(table, LIVED_IN)
        np.testing.assert_array_equal(est.predict_proba(table), probabilities)
        assert est.feature_names_in_.tolist() == ["size", "city", "floors"]
        assert est.predictor().predict_proba([SIZE[0], CITY[0], FLOORS[0]]) == pytest.approx(
            probabilities[0]
        )


def test_strings_and_gaps_in_frames() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    city = [None, *CITY[1:]]
    size = [None, *SIZE[1:]]
    options: dict[str, Any] = {
        "categorical_features": ["city"],
        "missing": "indicator",
        "standardize": True,
    }
    found = []
    for library in (pandas, polars):
        table = library.DataFrame({"city": city, "size": size, "floors": FLOORS})
        est = MLPClassifier(**options, **SHORT).fit(table, LIVED_IN)
        found.append(est.predict_proba(table))
    np.testing.assert_array_equal(*found)
    assert est.coefs_[0].shape[0] == 2 + 1 + 4


def test_names_of_features_are_checked() -> None:
    pandas = pytest.importorskip("pandas")
    table = frame("pandas")
    est = MLPClassifier(categorical_features="from_dtype", **SHORT).fit(table, LIVED_IN)
    with pytest.raises(ValueError, match="feature names should match"):
        est.predict(table.rename(columns={"city": "town"}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        est.predict(TABLE)
    with pytest.raises(ValueError, match="feature names should match"):
        est.predict(table[["size", "city"]])
    plain = pandas.DataFrame({"a": SIZE, "b": FLOORS})
    same = MLPClassifier(categorical_features="from_dtype", **SHORT).fit(plain, LIVED_IN)
    one = theirs.MLPClassifier(**SHORT).fit(plain, LIVED_IN)
    np.testing.assert_allclose(same.predict_proba(plain), one.predict_proba(plain), rtol=1e-9)


def test_categories_of_the_first_call_stay() -> None:
    est = MLPClassifier(categorical_features=[1], random_state=0, warm_start=True)
    known = np.isin(CITY, list("abcd"))
    est.partial_fit(TABLE[known], LIVED_IN[known], classes=[0, 1])
    shape = vectors_of(est, 1).shape
    est.partial_fit(TABLE, LIVED_IN)
    assert vectors_of(est, 1).shape == shape == (5, 2)
    new = TABLE[~known][:2].copy()
    new[:, 0] = new[0, 0]
    new[:, 2] = 1
    assert len(np.unique(est.predict_proba(new)[:, 0])) == 1
    copy = pickle.loads(pickle.dumps(est))
    np.testing.assert_array_equal(copy.predict_proba(TABLE), est.predict_proba(TABLE))
    assert not hasattr(clone(est), "model_")


def test_rows_for_validation_are_read_likewise() -> None:
    est = MLPClassifier(categorical_features=[1], early_stopping=True, scoring="roc_auc", **SHORT)
    est.fit(TABLE[:300], LIVED_IN[:300], X_val=TABLE[300:], y_val=LIVED_IN[300:])
    assert est.best_validation_score_ == np.max(est.history_["val_score"])
    assert max(est.history_["val_score"]) > 0.5


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ([0.5], "must be an array-like of bool, int or str, got: float64"),
        (np.array(["a", 1], object), "got: int, str"),
        ([True, False], r"boolean mask must have shape \(n_features,\), got: \(2,\)"),
        ([3], r"indices must be in \[0, n_features - 1\]"),
        ([-1], r"indices must be in \[0, n_features - 1\]"),
        (["city"], "array of integers or as a boolean mask"),
        ("city", "categorical_features"),
    ],
)
def test_wrong_categorical_features(chosen: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MLPClassifier(categorical_features=chosen).fit(TABLE, LIVED_IN)


def test_wrong_input() -> None:
    with pytest.raises(ValueError, match="could not convert string to float"):
        MLPClassifier(categorical_features=[2]).fit(TABLE, LIVED_IN)
    with pytest.raises(ValueError, match="'town' which is not a valid feature name"):
        MLPClassifier(categorical_features=["town"]).fit(frame("pandas"), LIVED_IN)
    with pytest.raises(ValueError, match="embedding_dim needs categorical_features"):
        MLPClassifier(embedding_dim=2).fit(*CANCER)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        MLPClassifier(categorical_features=[1]).fit(TABLE, LIVED_IN[1:])
    with pytest.raises(ValueError, match="requires y to be passed"):
        MLPClassifier(categorical_features=[1]).fit(TABLE, None)
    with pytest.raises(ValueError, match="Expected 2D array"):
        MLPClassifier(categorical_features=[0]).fit(SIZE, LIVED_IN)
    table = TABLE.copy()
    table[0, 0] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        MLPClassifier(categorical_features=[1]).fit(table, LIVED_IN)
    with pytest.raises(ValueError, match="expecting 3 features"):
        MLPClassifier(categorical_features=[1], max_iter=1).fit(TABLE, LIVED_IN).predict(
            table[:, :2]
        )
    for options in ({"standardize": True}, {"missing": "indicator"}, {"monotonic_cst": [0] * 30}):
        est = MLPClassifier(**options)
        with pytest.raises(TypeError, match="Sparse data was passed"):
            est.fit(csr_matrix(CANCER[0]), CANCER[1])
        assert not est.__sklearn_tags__().input_tags.sparse


def test_scikit_learn_cannot_compute_them() -> None:
    est = MLPClassifier(standardize=True, **SHORT).fit(*CANCER)
    with pytest.raises(ValueError, match="standardize=True"):
        est.to_sklearn()


BOUNDS = np.iinfo(np.int64)


@pytest.mark.parametrize(
    "classes",
    [
        *([0, 1, 2], [-3, 7], [5], [-1, 2**40]),
        *([BOUNDS.min, BOUNDS.min + 9], [BOUNDS.max - 2, BOUNDS.max]),
        *([False, True], [0.5, 2.0], ["a", "b"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64", "uint64", "float64"])
def test_numbers_of_classes(classes: list[Any], dtype: str) -> None:
    values = [0, 1, 2, 3, 5, 7, 9, 127]
    if dtype == "int64":
        values += [-1, -3, 2**40, BOUNDS.min, BOUNDS.min + 9, BOUNDS.max]
    y = np.array([*classes, "c"] if isinstance(classes[0], str) else np.array(values, dtype))
    expected = [classes.index(label) if label in classes else -1 for label in y.tolist()]
    assert class_numbers(np.array(classes), y).tolist() == expected
