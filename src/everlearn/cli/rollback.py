"""Move the branch back to an earlier version; nothing is deleted."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from everlearn.cli import DONE
from everlearn.cli.terminal.output import emit, visible
from everlearn.cli.terminal.stores import open_store, short

if TYPE_CHECKING:
    from rich.console import RenderableType


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to go back to."""
    parser.add_argument("version", metavar="REF", nargs="?", default="head~1", help="the version (default: head~1)")


def run(arguments: argparse.Namespace) -> int:
    """Move the branch, and say what it no longer knows and how to go forward again."""
    store = open_store(arguments)
    old, new = store.head(), store.resolve(arguments.version)
    kept = {entry.digest for entry in store.history(new)}
    left = [entry for entry in store.history(old) if entry.digest not in kept]
    store.advance(new)
    facts = {
        "branch": store.branch(),
        "from": old,
        "to": new,
        "left": [{"id": entry.digest, "message": entry.commit.message} for entry in left],
    }

    def page() -> RenderableType:
        where = store.branch() or "head"
        if old == new:
            return f"{where} is at {short(new)} already"
        lines = [f"{where} is back at {short(new)} ({visible(store.commit(new).message)})"]
        lines += [f"  no longer learnt: {short(entry.digest)} {visible(entry.commit.message)}" for entry in left]
        lines += [
            f"`everlearn rollback {short(old)}` goes forward again;",
            f"`everlearn branch NAME {short(old)}` keeps it safe from `everlearn gc`",
        ]
        return "\n".join(lines)

    emit(arguments, facts, page)
    return DONE
