"""What a model does to its process: memory, forks, signals, several threads at once.

Every test runs a script of its own, because what it looks at belongs to a whole process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import pynn

SETUP = """
import os, signal, sys, threading, time
import numpy as np
import pynn
from pynn import layers

rng = np.random.default_rng(0)

def classifier(features, *widths, **options):
    stack = [layers.Dense(width, activation="relu") for width in widths]
    model = pynn.Sequential(
        [pynn.Input((features,)), *stack, layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", **options)
    return model

def rows(n, features):
    return rng.normal(size=(n, features)).astype("f4"), rng.integers(0, 3, n)
"""
POSIX = pytest.mark.skipif(os.name != "posix", reason="needs fork and signals")
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def run(script: str, **environment: str) -> str:
    """Runs a script in a process of its own and returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", SETUP + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(pynn.__file__).parents[
            1
        ],  # python -c looks there first, whatever this run stands in
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        check=False,
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@LINUX
def test_training_on_bytes_adds_less_than_60_mb() -> None:
    """The peak of the whole process, above what it had with 47 MB of uint8 images in memory."""
    added = run("""
        def kilobytes(key):
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) for line in status if line.startswith(key))

        x = rng.integers(0, 256, (60000, 784), dtype=np.uint8)
        y = rng.integers(0, 3, 60000)
        before = kilobytes("VmRSS")
        model = classifier(784, 300, 100, metrics=["accuracy"])
        model.fit(x, y, batch_size=128, validation_split=0.2, verbose=0)
        model.evaluate(x, y, verbose=0)
        print((kilobytes("VmHWM") - before) / 1024)
    """)
    assert float(added) < 60


@LINUX
def test_memory_does_not_grow_with_the_number_of_calls() -> None:
    grown = run("""
        def resident():
            with open("/proc/self/statm") as statm:
                return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

        x, y = rows(50, 4)
        model = classifier(4, 50, metrics=["accuracy"])
        def calls(n):
            for _ in range(n):
                model.fit(x, y, validation_split=0.2, verbose=0)
                model.predict(x, verbose=0)
                model.evaluate(x, y, verbose=0)
        calls(50)
        before = resident()
        calls(500)
        print(resident() - before)
    """)
    assert float(grown) < 1


@POSIX
def test_a_child_forked_after_training_trains_and_predicts() -> None:
    out = run("""
        pynn.config.set_num_threads(2, allow_oversubscription=True)
        x, y = rows(2000, 40)
        model = classifier(40, 200)
        model.fit(x, y, verbose=0)
        expected = model.predict(x, verbose=0)
        child = os.fork()
        if child == 0:
            same = np.array_equal(model.predict(x, verbose=0), expected)
            model.fit(x, y, verbose=0)
            os._exit(0 if same and np.isfinite(model.evaluate(x, y, verbose=0)) else 1)
        _, status = os.waitpid(child, 0)
        model.fit(x, y, verbose=0)
        print(status)
    """)
    assert out == "0"


@POSIX
def test_worker_processes_get_the_same_weights() -> None:
    out = run("""
        import multiprocessing

        pynn.config.set_num_threads(2, allow_oversubscription=True)
        x, y = rows(2000, 40)
        model = classifier(40, 200)
        model.fit(x, y, verbose=0)

        def work(_):
            pynn.utils.set_random_seed(3)
            model.fit(x, y, verbose=0, shuffle=False)
            return model.get_weights()[0].tobytes()

        context = multiprocessing.get_context("fork")
        with context.Pool(2, maxtasksperchild=1) as pool:
            results = pool.map(work, range(3), chunksize=1)
        print(len({*results, work(0)}))
    """)
    assert out == "1"


@POSIX
@pytest.mark.parametrize(
    "call",
    [
        "model.fit(x, y, epochs=100000, verbose=0)",
        "model.fit(x, y, epochs=100000, batch_size=1, verbose=0)",
        "[model.evaluate(x, y, verbose=0) for _ in range(100000)]",
        "[model.predict(x, verbose=0) for _ in range(100000)]",
    ],
)
def test_control_c_is_answered_at_once(call: str) -> None:
    seconds = run(f"""
        x, y = rows(20000, 100)
        model = classifier(100, 200, 100)
        model.fit(x[:100], y[:100], verbose=0)
        sent = []
        signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it

        def interrupt():
            time.sleep(0.5)
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt).start()
        try:
            {call}
        except KeyboardInterrupt:
            print(time.perf_counter() - sent[0])
        model.fit(x[:100], y[:100], verbose=0)
        assert np.isfinite(model.predict(x, verbose=0)).all()
    """)
    assert float(seconds) < 1  # 0.2 on a machine that does nothing else


def test_a_second_fit_at_the_same_time_is_refused() -> None:
    out = run("""
        x, y = rows(20000, 40)
        model = classifier(40, 100)
        model.fit(x[:32], y[:32], verbose=0)
        refused = []

        def fit(batch_size):
            try:
                model.fit(x, y, epochs=3, batch_size=batch_size, verbose=0)
            except RuntimeError as error:
                refused.append(str(error))

        threads = [threading.Thread(target=fit, args=(n,)) for n in (16, 640, 1500, 20000)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert 1 <= len(refused) <= 3, refused
        model.fit(x, y, verbose=0)
        assert np.isfinite(model.predict(x, verbose=0)).all()
        print(*set(refused))
    """)
    assert "is being trained already" in out


@POSIX
def test_a_signal_handler_cannot_train_the_model_beneath_a_fit() -> None:
    out = run("""
        x, y = rows(60000, 40)
        model = classifier(40, 200, 100)
        model.fit(x[:32], y[:32], verbose=0)
        met = set()

        def handler(*_):
            try:
                model.fit(x, y, batch_size=60000, verbose=0)
            except RuntimeError as error:
                met.add(str(error))
            assert np.isfinite(model.predict(x[:100], verbose=0)).all()

        signal.signal(signal.SIGALRM, handler)
        while not met:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            model.fit(x, y, verbose=0)
        print(*met)
    """)
    assert "is being trained already" in out


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_any_standard_output_will_do(encoding: str) -> None:
    out = run(
        """
        x, y = rows(50, 4)
        model = classifier(4, 8)
        model.fit(x, y)
        model.summary()
        sys.stdout.flush()
        sys.stdout = None
        model.fit(x, y)
        model.summary()
        """,
        PYTHONIOENCODING=encoding,
    )
    assert "2/2" in out
    assert "Trainable params: 67" in out
    assert ("|" if encoding == "ascii" else "┃") in out
