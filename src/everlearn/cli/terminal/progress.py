"""How far a run has come in; a live line on a terminal, or now and then a plain one, out on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from everlearn.report.words import duration, for_terminal

if TYPE_CHECKING:
    from everlearn.train.run import Progress

Tell: TypeAlias = "Callable[[Progress], None]"

QUIET_SECONDS = 5.0
"""Where stderr is no terminal, steps are told this far apart."""


@contextmanager
def display() -> Iterator[Tell]:
    """Something to tell a run's progress to, for the length of a `with` block."""
    if not sys.stderr.isatty():
        yield PlainLines().tell
        return
    from rich.console import Console

    with live_bar(Console(stderr=True, markup=False, highlight=False)) as bar:
        line = LiveLine(bar)
        yield line.tell
        line.end()


def figures(progress: Progress) -> str:
    """`loss 1.234 · 540 tokens/s · 1 min 20 s left`: what is known of it."""
    parts = []
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.3f}")
    if progress.tokens_per_second is not None:
        parts.append(f"{progress.tokens_per_second:,.0f} tokens/s")
    if progress.seconds_left is not None and progress.step < progress.steps:
        parts.append(f"{_whole(progress.seconds_left)} left")
    return " · ".join(parts)


def _whole(seconds: float) -> str:
    return f"{round(seconds)} s" if seconds < 60 else for_terminal(duration(seconds))


class PlainLines:
    """A line when something new begins, and one at most every five seconds while it lasts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._doing = ""
        self._told = -QUIET_SECONDS

    def tell(self, progress: Progress) -> None:
        """Write the line if it is time."""
        now = self._clock()
        if progress.doing == self._doing and now - self._told < QUIET_SECONDS:
            return
        self._doing, self._told = progress.doing, now
        count = f" {progress.step} of {progress.steps}" if progress.steps else ""
        known = figures(progress)
        print(f"{progress.doing}{count}{f': {known}' if known else ''}", file=sys.stderr, flush=True)


class LiveLine:
    """One moving line for what is being done now; a line with the time it took for what is done."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._doing = ""
        self._task: Any = None
        self._begin = 0.0

    def tell(self, progress: Progress) -> None:
        """Show the progress."""
        if progress.doing != self._doing:
            self.end()
            self._doing, self._begin = progress.doing, time.monotonic()
            self._task = self._bar.add_task(progress.doing, count="", figures="", total=None)
        self._bar.update(
            self._task,
            completed=progress.step,
            total=progress.steps or None,
            figures=figures(progress),
            count=f"{progress.step}/{progress.steps}" if progress.steps else "",
        )

    def end(self) -> None:
        """What was being done is done."""
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._bar.console.print(f"✓ {self._doing}  {_whole(time.monotonic() - self._begin)}", style="dim")
            self._task = None


def live_bar(console: Any) -> Any:
    """The bar that `LiveLine` moves, on a console of rich."""
    from rich.progress import BarColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Bar

    return Bar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[count]}"),
        TextColumn("{task.fields[figures]}"),
        console=console,
        transient=True,
    )
