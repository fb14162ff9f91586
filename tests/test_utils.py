"""keras.utils, keras.backend and keras.config: rows, sequences, data sets, names, types."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

import pynn as keras
from pynn import utils


def test_normalize() -> None:
    x = np.array([[3.0, 4.0], [0.0, 0.0], [-5.0, 12.0]])
    np.testing.assert_allclose(utils.normalize(x), [[0.6, 0.8], [0.0, 0.0], [-5 / 13, 12 / 13]])
    np.testing.assert_allclose(utils.normalize(x, order=1)[2], [-5 / 17, 12 / 17])
    np.testing.assert_allclose(utils.normalize(x, axis=0)[:, 1], x[:, 1] / np.sqrt(160))
    np.testing.assert_allclose(utils.normalize(x, order=np.inf)[0], [0.75, 1])
    assert utils.normalize(x).dtype == np.float64
    assert utils.normalize([[1, 2]]).dtype == np.float32


def test_pad_sequences() -> None:
    """The four corners, as Keras pads and cuts."""
    rows = [[1], [2, 3, 4]]
    assert utils.pad_sequences(rows).tolist() == [[0, 0, 1], [2, 3, 4]]
    assert utils.pad_sequences(rows, maxlen=2).tolist() == [[0, 1], [3, 4]]
    post = utils.pad_sequences(rows, maxlen=2, padding="post", truncating="post", value=-1)
    assert post.tolist() == [[1, -1], [2, 3]]
    assert post.dtype == np.int32
    steps = utils.pad_sequences([[[1.0, 2.0]], []], dtype="float32", maxlen=2)
    assert steps.tolist() == [[[0, 0], [1, 2]], [[0, 0], [0, 0]]]
    with pytest.raises(ValueError, match=r"'pre' or 'post'. Received: padding='left'"):
        utils.pad_sequences(rows, padding="left")


def test_split_dataset() -> None:
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    (x1, y1), (x2, y2) = utils.split_dataset((x, y), left_size=0.7)
    assert y1.tolist() == list(range(7))
    assert y2.tolist() == [7, 8, 9]
    assert np.array_equal(np.concatenate([x1, x2]), x)
    left, right = utils.split_dataset(y, left_size=2, right_size=3)
    assert left.tolist() == [0, 1]
    assert right.tolist() == [7, 8, 9]
    left, right = utils.split_dataset(y, right_size=0.2, shuffle=True, seed=1)
    assert len(right) == 2
    assert sorted([*left, *right]) == list(range(10))
    assert left.tolist() != sorted(left)
    for wrong in ({}, {"left_size": 1.5}, {"left_size": 11}, {"left_size": 6, "right_size": 0.5}):
        with pytest.raises(ValueError, match="split_dataset: "):
            utils.split_dataset(y, **wrong)
    with pytest.raises(ValueError, match=r"Received: \[10, 9\]"):
        utils.split_dataset((x, y[1:]), left_size=0.5)


def test_pack_and_unpack() -> None:
    assert utils.pack_x_y_sample_weight(1) == 1
    assert utils.pack_x_y_sample_weight([1]) == ([1],)
    assert utils.pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
    assert utils.unpack_x_y_sample_weight((1, 2, 3)) == (1, 2, 3)
    assert utils.unpack_x_y_sample_weight([1]) == (1, None, None)
    assert utils.unpack_x_y_sample_weight(5) == (5, None, None)
    with pytest.raises(ValueError, match="4 elements"):
        utils.unpack_x_y_sample_weight((1, 2, 3, 4))


class Slow(utils.PyDataset):
    """Eight batches; notes which threads make them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.threads: set[int] = set()
        self.begun = 0

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        self.begun += 1
        self.threads.add(threading.get_ident())
        time.sleep(0.01 * (index % 2))
        return np.full((2, 1), index), np.full((2, 1), -index)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_of_a_dataset_come_in_order(workers: int) -> None:
    dataset = Slow(workers=workers)
    assert dataset.num_batches == 8
    order = [3, 1, 7, 0]
    assert [int(x[0, 0]) for x, _ in dataset.batches(order)] == order
    assert [int(-y[0, 0]) for _, y in dataset] == list(range(8))
    assert (threading.get_ident() in dataset.threads) == (workers < 2)


def test_workers_run_ahead_as_far_as_the_queue_is_long() -> None:
    dataset = Slow(workers=2, max_queue_size=3)
    batches = dataset.batches(range(8))
    next(batches)
    time.sleep(0.1)
    assert dataset.begun == 3
    batches.close()  # type: ignore[attr-defined]


def test_fit_takes_the_batches_that_workers_make() -> None:
    dataset = Slow(workers=2)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    history = model.fit(dataset, epochs=2, verbose=0)
    assert history.params["steps"] == 8
    assert int(model.optimizer.iterations) == 16
    assert model.predict(dataset, verbose=0).shape == (16, 1)


def test_an_error_in_a_worker_arrives() -> None:
    class Broken(utils.PyDataset):
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> Any:
            raise OSError(f"no batch {index}")

    with pytest.raises(OSError, match="no batch 0"):
        list(Broken(workers=2))


def test_a_dataset_without_its_constructor_says_so() -> None:
    class Short(utils.Sequence):
        def __init__(self) -> None:
            pass

        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> Any:
            return index

    with pytest.warns(UserWarning, match=r"call super\(\).__init__"):
        assert list(Short()) == [0]
    with pytest.raises(NotImplementedError, match="__len__"):
        _ = utils.PyDataset().num_batches


def test_types() -> None:
    """Names as Keras gives them."""
    known = {None: "float32", int: "int32", float: "float32", bool: "bool", "int": "int32",
             np.float64: "float64", np.dtype("int8"): "int8", "uint8": "uint8"}  # fmt: skip
    assert {key: utils.standardize_dtype(key) for key in known} == known
    for wrong in ("foo", "U3", object):
        with pytest.raises(ValueError, match="must name a type of numbers"):
            utils.standardize_dtype(wrong)
    backend = keras.backend
    assert backend.is_float_dtype("float16")
    assert not backend.is_float_dtype("int32")
    assert backend.is_int_dtype("uint8")
    assert not backend.is_int_dtype("bool")


def test_numbers_of_names() -> None:
    keras.backend.clear_session()
    assert [keras.backend.get_uid("x") for _ in range(3)] == [1, 2, 3]
    assert keras.backend.get_uid("y") == 1
    assert keras.layers.Dense(1).name == "dense"
    keras.utils.clear_session(free_memory=False)
    assert keras.backend.get_uid("x") == 1
    assert keras.layers.Dense(1).name == "dense"


def test_settings() -> None:
    for module in (keras.config, keras.backend):
        assert module.backend() == "pynn"
        assert module.floatx() == "float32"
        assert module.image_data_format() == "channels_last"
        module.set_image_data_format("channels_last")
        with pytest.raises(ValueError, match="Received: data_format='channels_first'"):
            module.set_image_data_format("channels_first")
    keras.config.disable_traceback_filtering()
    assert not keras.config.is_traceback_filtering_enabled()
    keras.backend.set_epsilon(1e-5)
    assert keras.config.epsilon() == 1e-5
    keras.config.set_epsilon(1e-7)


def test_symbols() -> None:
    a, b = keras.Input((3,)), keras.Input((3,))
    y = keras.layers.Dense(2)(keras.layers.concatenate([a, keras.layers.ReLU()(b)]))
    assert keras.utils.is_keras_tensor(y)
    assert not keras.utils.is_keras_tensor(np.zeros(3))
    assert [found is known for found, known in zip(utils.get_source_inputs(y), [a, b], strict=True)]
