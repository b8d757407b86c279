"""Say what a version has learnt since another one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from everlearn.cli import DONE
from everlearn.cli.terminal.output import emit
from everlearn.cli.terminal.stores import open_learner, open_store

if TYPE_CHECKING:
    from everlearn.cli.terminal.gains import Gains


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two versions."""
    parser.add_argument("one", metavar="A", nargs="?", default="head~1", help="the earlier version (default: head~1)")
    parser.add_argument("other", metavar="B", nargs="?", default="head", help="the later version (default: head)")


def run(arguments: argparse.Namespace) -> int:
    """Print what lies between the two versions."""
    from everlearn.cli.terminal.gains import page_of

    gains = _gains(arguments)
    emit(arguments, gains, lambda: page_of(gains))
    return DONE


def _gains(arguments: argparse.Namespace) -> Gains:
    from everlearn.cli.terminal.gains import gains
    from everlearn.cli.terminal.progress import display

    store = open_store(arguments)
    one, other = store.resolve(arguments.one), store.resolve(arguments.other)
    with display() as tell:
        return gains(open_learner(arguments, tell), one, other)
