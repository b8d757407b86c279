"""Move the branch back to an earlier version; nothing is deleted."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from everlearn.cli import DONE
from everlearn.cli.terminal.output import emit, visible
from everlearn.cli.terminal.stores import open_store, short

if TYPE_CHECKING:
    from rich.console import RenderableType

    from everlearn.store import Store
    from everlearn.store.history import Entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to go back to."""
    parser.add_argument("version", metavar="REF", nargs="?", default="head~1", help="the version (default: head~1)")


def run(arguments: argparse.Namespace) -> int:
    """Move the branch, and say what it no longer knows and how to come back."""
    store = open_store(arguments)
    old, new = store.head(), store.resolve(arguments.version)
    before, after = store.history(old), store.history(new)
    store.advance(new)
    facts = {
        "branch": store.branch(),
        "from": old,
        "to": new,
        "no_longer_learnt": _without(before, after),
        "learnt_again": _without(after, before),
    }
    emit(arguments, facts, lambda: _page(store, old, new, facts))
    return DONE


def _without(entries: list[Entry], others: list[Entry]) -> list[dict[str, str]]:
    known = {entry.digest for entry in others}
    return [{"id": e.digest, "message": e.commit.message} for e in entries if e.digest not in known]


def _page(store: Store, old: str, new: str, facts: dict[str, Any]) -> RenderableType:
    where = store.branch() or "head"
    if old == new:
        return f"{where} is at {short(new)} already"
    lines = [f"{where} is now at {short(new)} ({visible(store.commit(new).message)})"]
    for heading in ("no_longer_learnt", "learnt_again"):
        said = heading.replace("_", " ")
        lines += [f"  {said}: {short(one['id'])} {visible(one['message'])}" for one in facts[heading]]
    lines.append(f"`everlearn rollback {short(old)}` takes it back")
    if facts["no_longer_learnt"]:
        lines.append(f"`everlearn branch NAME {short(old)}` keeps {short(old)} safe from `everlearn gc`")
    return "\n".join(lines)
