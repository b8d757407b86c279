"""Ask the model one question and print its answer."""

from __future__ import annotations

import argparse

from everlearn.cli import DONE
from everlearn.cli.terminal.output import emit, visible


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The question, and the version to ask."""
    parser.add_argument("question", metavar="QUESTION")
    parser.add_argument("--at", metavar="REF", default="head", help="the version to ask (default: head)")


def run(arguments: argparse.Namespace) -> int:
    """Print the answer."""
    from everlearn.cli.terminal.progress import display
    from everlearn.cli.terminal.stores import open_learner

    with display() as tell:
        learner = open_learner(arguments, tell)
        version = learner.store.resolve(arguments.at)
        answer = learner.ask(arguments.question, at=version)
    facts = {"at": version, "question": arguments.question, "answer": answer}
    emit(arguments, facts, lambda: visible(answer))
    return DONE
