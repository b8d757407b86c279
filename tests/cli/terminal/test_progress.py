"""Progress in; plain lines now and then, or one moving line, out."""

import io
import re

from rich.console import Console

from everlearn.cli.terminal import progress
from everlearn.train.run import Progress


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_steps_are_told_at_most_every_five_seconds(capsys):
    clock = Clock()
    lines = progress.PlainLines(clock)
    for second in range(12):
        clock.now = float(second)
        lines.tell(Progress("learning", second + 1, 12, 1.5, 540.0, 11.0 - second))
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "learning 1 of 12: loss 1.500 · 540 tokens/s · 11 s left",
        "learning 6 of 12: loss 1.500 · 540 tokens/s · 6 s left",
        "learning 11 of 12: loss 1.500 · 540 tokens/s · 1 s left",
    ]


def test_something_new_is_told_at_once(capsys):
    lines = progress.PlainLines(Clock())
    lines.tell(Progress("studying", 0, 3))
    lines.tell(Progress("exam", 0, 0))
    assert capsys.readouterr().err.splitlines() == ["studying 0 of 3", "exam"]


def test_nothing_is_left_at_the_last_step():
    assert progress.figures(Progress("learning", 3, 3, 0.25, 10.0, 0.0)) == "loss 0.250 · 10 tokens/s"


def test_the_live_line_moves_and_leaves_what_is_done_behind():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, color_system=None)
    with progress.live_bar(console) as bar:
        line = progress.LiveLine(bar)
        line.tell(Progress("studying", 0, 2))
        line.tell(Progress("learning", 4, 9, 1.25))
        bar.refresh()
        line.end()
    shown = stream.getvalue()
    assert "✓ studying  0" in shown
    assert re.search(r"learning ━+ *4/9 loss 1\.250", shown)
    assert "✓ learning" in shown


def test_without_a_terminal_lines_are_plain(capsys):
    with progress.display() as tell:
        tell(Progress("exam", 0, 0))
    assert capsys.readouterr().err == "exam\n"
