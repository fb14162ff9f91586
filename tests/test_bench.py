"""The benchmark: its jobs, its judgement of the mathematics, its tables and its guard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import pynn
from pynn.bench import __main__ as program
from pynn.bench import guard, instructions, limit, machine, rounds, surroundings, throughput
from pynn.bench.jobs import JOBS, Job, loss
from pynn.bench.peers import PEERS, Peer
from pynn.bench.peers.jax_scan import Jax
from pynn.bench.peers.ours import Estimator, Pynn
from pynn.bench.peers.pytorch import PyTorch
from pynn.bench.peers.scikit_learn import ScikitLearn
from pynn.bench.rounds import Entry, Row, Settings, run

SMALL_JOBS = [
    Job((6, 5, 2), 8, "adam", 40, 1e-2),
    Job((6, 5, 4, 3), 8, "sgd", 40, 1e-2),
    Job((6, 5, 3), 16, "predict", 16, tolerance=1e-3),
    Job((6, 5, 2), 1, "predict", 1, tolerance=1e-3),
]
every_small_job = pytest.mark.parametrize("job", SMALL_JOBS, ids=lambda job: job.name)


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def same_threads_afterwards() -> Iterator[None]:
    yield
    pynn.set_num_threads(0)


# Jobs


def test_names_tell_jobs_apart() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert JOBS[0].name == "784-300-100-10/32/adam"


def test_operations_of_a_row() -> None:
    # Forward 2 (2·3 + 3·4) = 36; gradients of the weights as many; of the input of the second 24.
    assert Job((2, 3, 4), 1, "predict", 1).flops == 36
    assert Job((2, 3, 4), 1, "sgd", 1).flops == 36 + 36 + 24


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_epochs_are_whole_batches(job: Job) -> None:
    assert job.rows % job.batch == 0
    assert job.shortened(8).rows % job.batch == 0
    assert 0 < job.shortened(8).rows <= job.rows


def test_loss_is_the_cross_entropy() -> None:
    x = np.ones((1, 2), np.float32)
    weights = [np.array([[1.0, 0.0], [0.0, 2.0]], np.float32), np.zeros(2, np.float32)]
    expected = np.log(np.exp(1) + np.exp(2)) - 2
    assert loss(weights, x, np.array([1])) == pytest.approx(expected, rel=1e-12)


# Peers


@every_small_job
@pytest.mark.parametrize("peer", [Pynn, Estimator, Jax, PyTorch, ScikitLearn])
def test_peers_do_the_same(peer: type[Peer], job: Job) -> None:
    pytest.importorskip(peer.module)
    row = run(job, Settings([ScikitLearn, peer], [job], 1, 1))
    assert row.equal
    assert all(len(entry.seconds) == 1 and entry.rate > 0 for entry in row.entries)


class Careless(ScikitLearn):
    """Trains on the rows in another order."""

    name: ClassVar[str] = "careless"

    def train(self) -> None:
        self.model.partial_fit(self.x[::-1], self.y)

    def predict(self) -> Any:
        return super().predict()[:, ::-1]


@every_small_job
def test_other_mathematics_is_unequal(job: Job) -> None:
    row = run(job, Settings([Pynn, Careless], [job], 1, 1))
    assert not row.equal
    results = {"threads": 1, "sgemm": 1e9, "rows": [asdict(row)]}
    assert throughput.unequal(results) == [job.name]
    assert "**UNEQUAL**" in throughput.markdown(results)


# Tables


def results(ours: float, theirs: float, counts: int = 1000) -> dict[str, Any]:
    """Of one job, from the seconds per row."""
    row = Row(
        JOBS[0].name, 1000, [Entry("pynn", [ours] * 3, 0.5), Entry("peer", [theirs] * 3, 0.5)]
    )
    jobs = {"threads": 2, "sgemm": 1e9, "rows": [asdict(row)]}
    return {"jobs": jobs, "instructions": {JOBS[0].name: counts}}


def test_ratios_are_medians_of_rounds() -> None:
    row = Row("job", 1, [Entry("a", [1.0, 1.0, 4.0]), Entry("b", [2.0, 3.0, 4.0])])
    assert row.ratio(row.entries[1]) == 2.0
    assert Row.read(json.loads(json.dumps(asdict(row)))) == row


def test_markdown() -> None:
    text = throughput.markdown(results(1e-5, 4e-5)["jobs"])
    head, _, line = text.splitlines()[:3]
    assert head == "| job | pynn | peer | × peer | of the limit | reached |"
    # 1000 operations in 1e-5 s are 1e8 a second: a twentieth of 2 × 1e9.
    assert line == f"| {JOBS[0].name} | 100.0 | 25.0 | **4.00** | 0.05 | 0.5 / 0.5 |"


def test_the_guard_allows_fifteen_percent() -> None:
    old = results(1e-5, 4e-5)
    assert guard.compare(old, results(1.1e-5, 4e-5)) == []
    assert guard.compare(old, results(0.5e-5, 4e-5)) == []
    slower = guard.compare(old, results(1.25e-5, 4e-5))
    assert slower == [
        "784-300-100-10/32/adam × peer: 4.00 before, 3.20 now (-20%)",
        "784-300-100-10/32/adam, of the limit: 0.05 before, 0.04 now (-20%)",
    ]


def test_the_guard_counts_instructions() -> None:
    old = results(1, 1)
    assert guard.compare(old, results(1, 1, 1020)) == []
    assert len(guard.compare(old, results(1, 1, 1100))) == 1
    assert guard.compare(old, {"jobs": old["jobs"]}) == []


def test_instructions_are_read_from_a_dump(tmp_path: Path) -> None:
    dump = tmp_path / "counts.1"
    dump.write_text("events: Ir\nfn=(1)\n12 5\n\ntotals: 12345\n", encoding="utf-8")
    assert instructions._count(dump) == 12345


# The program


def test_products_agree() -> None:
    for what in ("forward", "weights", "inputs"):
        made = limit.products(limit.Shape(what, 5, 7, 3))
        first, *others = (np.asarray(product()) for product in made.values())
        assert first.shape == (5, 3)
        for other in others:
            np.testing.assert_allclose(other, first, rtol=1e-5)


def test_slow_environment_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert any("OPENBLAS_CORETYPE=Haswell" in text for text in limit.warnings())


def test_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(program, "JOBS", SMALL_JOBS[:2])
    monkeypatch.setattr(machine, "restrict", lambda threads: None)
    monkeypatch.setattr(limit, "sgemm_rate", lambda: 1e9)
    names = [job.name for job in SMALL_JOBS[:2]]
    asked = ["--quick", "--jobs", *names, "--threads", "1", "--peers", "scikit-learn"]
    asked += ["--output", str(tmp_path)]
    assert program.main(asked) == 0
    shown = capsys.readouterr()
    assert names[1] in shown.err
    assert "× scikit-learn" in shown.out
    assert {"README.md", "results.json"} <= {path.name for path in tmp_path.iterdir()}
    saved = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [row["job"] for row in saved["jobs"]["rows"]] == names
    # Ten times as fast once: that is missed now.
    saved["jobs"]["rows"][0]["entries"][0]["seconds"] = [1e-12]
    better = tmp_path / "better.json"
    better.write_text(json.dumps(saved), encoding="utf-8")
    assert program.main([*asked, "--check", str(better)]) == 1
    assert f"{names[0]} × scikit-learn" in capsys.readouterr().err


def test_options_refuse_what_is_unknown(capsys: Any) -> None:
    for wrong in (["--jobs", "no-such-job"], ["--peers", "nobody"], ["--parts", "everything"]):
        with pytest.raises(SystemExit):
            program.main(wrong)
    assert "nobody" in capsys.readouterr().err
    assert len({peer.name for peer in PEERS}) == len(PEERS)


def test_wheel_is_small() -> None:
    assert 1e5 < surroundings.wheel_size() < 15e6
