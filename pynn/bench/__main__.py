"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pynn.bench import (
    accuracy,
    guard,
    instructions,
    limit,
    machine,
    plots,
    surroundings,
    throughput,
)
from pynn.bench.jobs import JOBS
from pynn.bench.peers import PEERS, SLOW_TO_START, Peer
from pynn.bench.rounds import Settings, say


class Part(NamedTuple):
    """A part of the benchmark: what it measures can be written as JSON."""

    title: str
    measure: Callable[[Settings], Any]
    markdown: Callable[[Any], str]


PARTS = {
    "jobs": Part("Jobs", throughput.measure, throughput.markdown),
    "accuracy": Part("Time to accuracy", accuracy.measure, accuracy.markdown),
    "sweeps": Part("Batch size and width", throughput.measure_sweeps, throughput.sweeps_markdown),
    "shapes": Part("Matrix products", limit.measure, limit.markdown),
    "busy": Part("Beside a busy process", surroundings.measure_busy, surroundings.busy_markdown),
    "footprint": Part(
        "Memory, import, size", surroundings.measure_footprint, surroundings.footprint_markdown
    ),
    "instructions": Part("Instructions", instructions.measure, instructions.markdown),
}


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="python -m pynn.bench",
        description="The same work by pynn and by every installed peer, in one run.",
        epilog="Exit status 1: losses differ, or something became slower.",
    )
    names = [job.name for job in JOBS]
    made.add_argument("--jobs", nargs="+", choices=names, metavar="JOB", help=", ".join(names))
    peers = [peer.name for peer in PEERS]
    made.add_argument(
        "--peers",
        nargs="+",
        choices=peers,
        metavar="PEER",
        help=f"beside pynn: {', '.join(peers[1:])} (by default those installed, the compiled not)",
    )
    made.add_argument(
        "--parts", nargs="+", choices=[*PARTS, "all"], default=["jobs"], metavar="PART",
        help=f"{', '.join(PARTS)} or all (default: jobs)",
    )  # fmt: skip
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--threads", type=int, default=machine.cores(), help="default: all cores")
    made.add_argument("--quick", action="store_true", help="fewer jobs, rows and rounds: a minute")
    made.add_argument("--output", type=Path, metavar="FOLDER", help="for Markdown, JSON and plots")
    made.add_argument("--check", type=Path, metavar="JSON", help="results not to fall behind")
    return made


def installed(names: list[str] | None, threads: int) -> Iterator[type[Peer]]:
    """pynn and the peers that are wanted and can be imported; says which cannot."""
    for peer in PEERS:
        wanted = peer is PEERS[0] or (
            peer not in SLOW_TO_START if names is None else peer.name in names
        )
        if not wanted:
            continue
        try:
            peer(JOBS[-1], threads)
            yield peer
        except ImportError as error:
            say(f"{peer.name} left out: {error}")


def main(arguments: list[str] | None = None) -> int:
    """Measures, prints Markdown; 1 if mathematics was unequal or something became slower."""
    command_line = parser()
    options = command_line.parse_args(arguments)
    if options.check and not options.check.is_file():
        command_line.error(f"--check needs results of an earlier run. Received: {options.check}")
    machine.restrict(options.threads)
    for text in limit.warnings():
        say(f"Warning: {text}")
    jobs = [job for job in JOBS if options.jobs is None or job.name in options.jobs]
    rounds = options.rounds
    if options.quick:
        jobs, rounds = [job.shortened(8) for job in jobs if job.kind != "sgd" or options.jobs], 1
    peers = list(installed(options.peers, options.threads))
    settings = Settings(peers, jobs, rounds, options.threads)

    results: dict[str, Any] = {"about": machine.about(settings)}
    for name in PARTS if "all" in options.parts else options.parts:
        results[name] = PARTS[name].measure(settings)
    text = markdown(results)
    print(text)
    if options.output:
        write(results, text, options.output)
    problems = [
        f"{job}: the losses differ" for job in throughput.unequal(results.get("jobs", {"rows": []}))
    ]
    if options.check:
        problems += guard.compare(json.loads(options.check.read_text("utf-8")), results)
    for problem in problems:
        say(problem)
    return bool(problems)


def markdown(results: dict[str, Any]) -> str:
    """All parts that found something."""
    texts = [
        f"## {part.title}\n\n{part.markdown(results[name])}"
        for name, part in PARTS.items()
        if results.get(name)
    ]
    return "\n".join([*texts, machine.markdown(results["about"])])


def write(results: dict[str, Any], text: str, folder: Path) -> None:
    """Writes results.json, README.md and plots."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = plots.save(results, folder)
    links = "".join(f"\n![{Path(name).stem}]({name})\n" for name in pictures)
    (folder / "README.md").write_text(f"# Results\n\n{text}{links}", encoding="utf-8")
    (folder / "results.json").write_text(json.dumps(rounded(results), indent=1) + "\n", "utf-8")


def rounded(value: Any) -> Any:
    """The same with five digits of every number."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    sys.exit(main())
