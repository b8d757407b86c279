"""Talk with the model: each line is a turn, Ctrl-D ends it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from everlearn.cli import DONE
from everlearn.cli.terminal.output import say, visible
from everlearn.records import Message

if TYPE_CHECKING:
    from everlearn.learner import Learner

REPLY_TOKENS = 256
"""Tokens that a reply may take."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The version to talk to."""
    parser.add_argument("--at", metavar="REF", default="head", help="the version to talk to (default: head)")


def run(arguments: argparse.Namespace) -> int:
    """Answer each line of stdin on stdout; with `--json`, one object for each turn."""
    from everlearn.cli.terminal.progress import display
    from everlearn.cli.terminal.stores import open_learner, short

    with display() as tell:
        learner = open_learner(arguments, tell)
        version = learner.checkout(arguments.at)
    if sys.stdin.isatty():
        say(f"talking to {short(version)}; Ctrl-D ends")
    learner.tell = lambda progress: None
    messages: list[Message] = []
    for line in _turns():
        messages = _fitting(learner, [*messages, Message("user", line)])
        reply = learner.chat(messages, version, REPLY_TOKENS)
        messages.append(Message("assistant", reply))
        turn = {"at": version, "user": line, "assistant": reply}
        print(json.dumps(turn, ensure_ascii=False) if arguments.json else visible(reply), flush=True)
    return DONE


def _turns() -> Iterator[str]:
    """What the person says, line by line; a prompt is shown to those who sit at a terminal."""
    while True:
        if sys.stdin.isatty():
            print("> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            yield line.strip()


def _fitting(learner: Learner, messages: list[Message]) -> list[Message]:
    """The conversation without its oldest turns, where it would outgrow the model's context."""
    room = learner.model.context - REPLY_TOKENS
    while len(messages) > 1 and len(learner.model.chat.prompt(tuple(messages))) > room:
        say("(the beginning of this conversation no longer fits and is forgotten)")
        messages = messages[2:]
    return messages
