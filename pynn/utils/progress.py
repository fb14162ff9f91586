"""The lines that fit, evaluate and predict print.

In a terminal and in a notebook a bar grows in place; in a file or a pipe every epoch is one plain
line.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import time
from collections.abc import Mapping
from typing import TextIO

_WIDTH = 20  # of the bar
_INTERVAL = 0.1  # seconds between two drawings
_PLAIN = str.maketrans("━─┃│┏┓┡┩└┘├┤┳╇┴┼…", "--||" + 12 * "+" + "~")
_BOLD, _GREEN, _WHITE, _RESET = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


class Progress:
    """Prints how far a loop over steps has come, the time a step takes, and running means.

    Args:
        target: number of steps, None if it is not known before the end.
        verbose: 0 prints nothing, 1 a bar, 2 one line at the end.
        stream: where to print; by default ``sys.stdout`` as it is now.

    Example:
        >>> import io
        >>> stream = io.StringIO()
        >>> progress = Progress(3, verbose=2, stream=stream)
        >>> progress.finish({"loss": 0.5})
        >>> print(stream.getvalue(), end="")  # doctest: +ELLIPSIS
        3/3 - 0s - ...s/step - loss: 0.5000
    """

    def __init__(self, target: int | None, verbose: int = 1, stream: TextIO | None = None) -> None:
        self.target = target if target is None else max(1, target)
        self.verbose = verbose
        self.stream = stream or sys.stdout or io.StringIO()  # pythonw has no standard output
        self._start = time.perf_counter()
        self._last_drawn = -_INTERVAL
        self._first: tuple[int, float] | None = None  # steps and time at the first update
        self._current = 0
        self._open = False  # whether the cursor stands on an unfinished line
        self._in_place = verbose == 1 and (self._is_terminal() or _is_notebook(self.stream))
        self._colors = self._in_place and "NO_COLOR" not in os.environ
        self._blank = 0  # characters on the unfinished line

    def update(self, current: int, values: Mapping[str, float] | None = None) -> None:
        """Draws the bar at ``current`` steps, at most ten times a second."""
        now = time.perf_counter()
        self._note(current, now)
        if self._in_place and now - self._last_drawn >= _INTERVAL:
            self._last_drawn = now
            self._draw(values or {}, now, finished=False)

    def finish(self, values: Mapping[str, float] | None = None) -> None:
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

    def _draw(self, values: Mapping[str, float], now: float, finished: bool) -> None:
        line = "━" if _can_print("━", self.stream) else "="
        seconds, done, ahead = now - self._start, "", ""
        if self.target is None:
            count, clock = f"{self._current:>7d}/Unknown", f"{seconds:.0f}s"
        else:
            count = f"{self._current:>{len(str(self.target))}d}/{self.target}"
            filled = _WIDTH * self._current // self.target
            done, ahead = line * filled, line * (_WIDTH - filled)
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
            return f" {seconds:.0f}s/step"
        if seconds >= 1e-3:
            return f" {seconds * 1e3:.0f}ms/step"
        return f" {seconds * 1e6:.0f}us/step"

    def _is_terminal(self) -> bool:
        return self.stream.isatty() and os.environ.get("TERM") != "dumb"

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def message(text: str, stream: TextIO | None = None) -> None:
    """Prints one line of a report, such as ``Epoch 1/10``."""
    stream = stream or sys.stdout or io.StringIO()
    stream.write(text + "\n")
    stream.flush()


def _values(values: Mapping[str, float]) -> str:
    return "".join(
        f" - {name}: {value:.4f}" if abs(value) > 1e-3 else f" - {name}: {value:.4e}"
        for name, value in values.items()
    )


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
