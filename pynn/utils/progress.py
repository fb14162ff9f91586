"""The lines that fit, evaluate and predict print.

In a terminal and in a notebook a bar grows in place; in a file or a pipe every epoch is one plain
line.
"""

from __future__ import annotations

import io
import math
import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

import numpy as np

_PLAIN = str.maketrans("━─┃│┏┓┡┩└┘├┤┳╇┴┼…", "--||" + 12 * "+" + "~")
_BOLD, _GREEN, _WHITE, _RESET = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


class Progress:
    """Prints how far a loop over steps has come, the time a step takes, and running means.

    Args:
        target: number of steps, None if it is not known before the end.
        verbose: 0 prints nothing, 1 a bar, 2 one line at the end.
        stream: where to print; by default ``sys.stdout`` as it is now.
        width: characters of the bar.
        interval: seconds between two drawings.
        unit: what a step is called.

    Example:
        >>> import io
        >>> stream = io.StringIO()
        >>> progress = Progress(3, verbose=2, stream=stream)
        >>> progress.finish({"loss": 0.5})
        >>> print(stream.getvalue(), end="")  # doctest: +ELLIPSIS
        3/3 - 0s - ...s/step - loss: 0.5000
    """

    def __init__(
        self,
        target: int | None,
        verbose: int = 1,
        stream: TextIO | None = None,
        width: int = 20,
        interval: float = 0.1,
        unit: str = "step",
    ) -> None:
        self.target = target if target is None else max(1, target)
        self.verbose = verbose
        self.stream = stream or sys.stdout or io.StringIO()  # pythonw has no standard output
        self._start = time.perf_counter()
        self._width, self._interval, self._unit = width, interval, unit
        self._last_drawn = -math.inf
        self._first: tuple[int, float] | None = None  # steps and time at the first update
        self._current = 0
        self._open = False  # whether the cursor stands on an unfinished line
        self._in_place = verbose == 1 and (self._is_terminal() or _is_notebook(self.stream))
        self._colors = self._in_place and "NO_COLOR" not in os.environ
        self._blank = 0  # characters on the unfinished line

    def update(self, current: int, values: Mapping[str, Any] | None = None) -> None:
        """Draws the bar at ``current`` steps, at most ten times a second."""
        now = time.perf_counter()
        self._note(current, now)
        if self._in_place and now - self._last_drawn >= self._interval:
            self._last_drawn = now
            self._draw(values or {}, now, finished=False)

    def finish(self, values: Mapping[str, Any] | None = None) -> None:
        """Writes the last line: all steps done."""
        now = time.perf_counter()
        if self.target is None:
            self.target = max(1, self._current)
        self._note(self.target, now)
        if self.verbose == 1:
            self._draw(values or {}, now, finished=True)
        elif self.verbose == 2:
            steps = f"{self.target}/{self.target} - {now - self._start:.0f}s -"
            self._write(steps + self._step_time(now) + _values(values or {}) + "\n")

    def close(self) -> None:
        """Ends an unfinished line, so that whatever is printed next starts on a new one."""
        if self._open:
            self._write("\n")
            self._open = False

    # ---- parts -------------------------------------------------------------------------------

    def _draw(self, values: Mapping[str, Any], now: float, finished: bool) -> None:
        line = "━" if _can_print("━", self.stream) else "="
        seconds, done, ahead = now - self._start, "", ""
        if self.target is None:
            count, clock = f"{self._current:>7d}/Unknown", f"{seconds:.0f}s"
        else:
            count = f"{self._current:>{len(str(self.target))}d}/{self.target}"
            filled = self._width * self._current // self.target
            done, ahead = line * filled, line * (self._width - filled)
            left = self._seconds_per_step(now) * (self.target - self._current)
            clock = f"{seconds:.0f}s" if finished else _remaining(left)
        rest = self._step_time(now) + _values(values)
        head = " ".join(part for part in (count, done + ahead, clock) if part)
        if not self._in_place:
            self._write(f"{head}{rest}\n")
            return
        if not finished and self._is_terminal():  # a wrapped line could not be drawn over
            room = shutil.get_terminal_size().columns - 1 - len(head)
            rest = rest[: max(0, room)]
        length = len(head) + len(rest)
        bar = self._paint(done, _GREEN) + self._paint(ahead, _WHITE)
        painted = (self._paint(count, _BOLD), bar, self._paint(clock, _BOLD))
        text = " ".join(part for part in painted if part)
        padding = " " * max(0, self._blank - length)
        self._write(f"\r{text}{rest}{padding}" + ("\n" if finished else ""))
        self._open = not finished
        self._blank = 0 if finished else length

    def _paint(self, text: str, color: str) -> str:
        return f"{color}{text}{_RESET}" if self._colors and text else text

    def _note(self, current: int, now: float) -> None:
        if self._first is None and current > 0 and current != self.target:
            self._first = (current, now)
        self._current = current if self.target is None else min(current, self.target)

    def _seconds_per_step(self, now: float) -> float:
        # The first steps are not representative: they pay for memory and caches.
        if self._first is not None and self._current > self._first[0]:
            steps, then = self._first
            return (now - then) / (self._current - steps)
        return (now - self._start) / max(1, self._current)

    def _step_time(self, now: float) -> str:
        seconds = self._seconds_per_step(now)
        if seconds >= 1 or seconds == 0:
            return f" {seconds:.0f}s/{self._unit}"
        if seconds >= 1e-3:
            return f" {seconds * 1e3:.0f}ms/{self._unit}"
        return f" {seconds * 1e6:.0f}us/{self._unit}"

    def _is_terminal(self) -> bool:
        return self.stream.isatty() and os.environ.get("TERM") != "dumb"

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


class Progbar:
    """A bar for loops of one's own, as ``fit`` draws it.

    Args:
        target: number of steps; None if it is not known.
        width: characters of the bar.
        verbose: 0 prints nothing, 1 a bar, 2 one line at the end.
        interval: seconds between two drawings.
        stateful_metrics: names of values that are shown as they are; of all others the mean over
            the steps is shown.
        stateless_metrics: the other way round: names of values of which the mean is shown.
        unit_name: what a step is called.

    Raises:
        ValueError: both lists of names were given.

    Example:
        >>> bar = Progbar(2, verbose=2)
        >>> bar.update(1, [("loss", 1.0)])
        >>> bar.update(2, [("loss", 0.5)])  # doctest: +ELLIPSIS
        2/2 - 0s - ...s/step - loss: 0.5000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Progbar: give either `stateful_metrics` or `stateless_metrics`, not both."
            )
        self._shown_as_they_are = set(stateful_metrics or ())
        self._averaged = None if stateless_metrics is None else set(stateless_metrics)
        self._progress = Progress(target, verbose, width=width, interval=interval, unit=unit_name)
        self._sums: dict[str, tuple[float, int]] = {}  # of each value, and over how many steps
        self._seen = 0

    @property
    def target(self) -> int | None:
        """The number of steps; can be assigned once it is known."""
        return self._progress.target

    @target.setter
    def target(self, value: int | None) -> None:
        self._progress.target = value

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, float]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Shows that ``current`` steps are done.

        Args:
            current: the number of steps done.
            values: pairs of a name and its value since the last update.
            finalize: whether this is the end, by default when the target is reached: the values are
                then those of the whole loop, and shown as they are.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        steps = max(1, current - self._seen)
        for name, value in values or ():
            total, count = self._sums.get(name, (0.0, 0))
            if finalize or not self._is_averaged(name):
                total, count, weight = 0.0, 0, 1
            else:
                weight = steps
            self._sums[name] = (total + float(value) * weight, count + weight)
        self._seen = current
        means = {name: total / count for name, (total, count) in self._sums.items()}
        if not finalize:
            self._progress.update(current, means)
            return
        if self.target is None:
            self.target = current
        self._progress.finish(means)

    def add(self, n: int, values: Iterable[tuple[str, float]] | None = None) -> None:
        """Shows that ``n`` steps more are done."""
        self.update(self._seen + n, values)

    def _is_averaged(self, name: str) -> bool:
        if self._averaged is not None:
            return name in self._averaged
        return name not in self._shown_as_they_are


def message(text: str, stream: TextIO | None = None) -> None:
    """Prints one line of a report, such as ``Epoch 1/10``."""
    stream = stream or sys.stdout or io.StringIO()
    stream.write(text + "\n")
    stream.flush()


def _values(values: Mapping[str, Any]) -> str:
    return "".join(f" - {name}: {_number(value)}" for name, value in values.items())


def _number(value: Any) -> str:
    number = float(np.float32(np.mean(value)))  # as Keras's numbers, a rate of 0.001 is above 1e-3
    return f"{number:.4f}" if abs(number) > 1e-3 else f"{number:.4e}"


def _remaining(seconds: float) -> str:
    total = int(seconds)
    if total > 3600:
        return f"{total // 3600}:{total % 3600 // 60:02d}:{total % 60:02d}"
    if total > 60:
        return f"{total // 60}:{total % 60:02d}"
    return f"{total}s"


def _is_notebook(stream: TextIO) -> bool:
    return type(stream).__module__.startswith("ipykernel")


def printable(text: str, stream: TextIO | None) -> str:
    """The text as a stream can hold it: lines of tables become ``+``, ``-`` and ``|``."""
    if stream is None or _can_print(text, stream):
        return text
    return text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")


def _can_print(text: str, stream: TextIO) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
