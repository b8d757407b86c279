"""Facts in; JSON or a page for people on stdout, or a word on stderr, out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from everlearn.records import Answer, Question, encode
from everlearn.report.words import for_terminal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

CONTROL = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {127: 0x2421}
"""Control characters → their visible pictures, so that what a model says cannot steer the terminal."""


def emit(arguments: argparse.Namespace, facts: object, page: Callable[[], RenderableType]) -> None:
    """Print the facts (records, or plain data) as JSON if that was asked for, else as a page."""
    if arguments.json:
        print(json.dumps(json.loads(encode(facts)), indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    content = page()
    shown = for_terminal(content) if isinstance(content, str) else content
    Console(file=sys.stdout, markup=False, highlight=False, emoji=False).print(shown)


def say(text: str) -> None:
    """Tell the person something that is not the result."""
    print(text, file=sys.stderr)


def visible(text: str) -> str:
    """The text with its control characters made visible."""
    return text.translate(CONTROL)


def clipped(text: str, width: int) -> str:
    """The text on one line, with an ellipsis where it is longer than `width` characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def wanted(question: Question) -> str:
    """The accepted answer; of a question that a check grades, the check and its argument."""
    return question.gold[0] if question.grade == Question.grade else f"({question.grade} {question.gold[0]})".strip()


def said(answer: Answer, wanted: str, width: int) -> str:
    """What was answered, in at most `width` characters."""
    if answer.error:
        return f"({answer.error})"
    # under teacher forcing the last token shows whether the model would have stopped
    goes_on = not answer.correct and answer.text.strip() == wanted.strip()
    return clipped(answer.text, width) + (" (and goes on)" if goes_on else "")


def columns(*titles: str, numbers: int = 0) -> Table:
    """An empty table; its last `numbers` columns hold numbers and are set to the right."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for place, title in enumerate(titles):
        number = place >= len(titles) - numbers
        table.add_column(title, justify="right" if number else "left", no_wrap=number, overflow="fold")
    return table


def pairs(*rows: tuple[str, RenderableType]) -> Table:
    """A list of names and what is to be said of each."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, for_terminal(value) if isinstance(value, str) else value)
    return table
