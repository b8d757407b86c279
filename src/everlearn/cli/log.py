"""List the versions, newest first, with what each learnt and kept."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from everlearn.cli import DONE
from everlearn.cli.terminal.output import clipped, columns, emit
from everlearn.cli.terminal.stores import open_store, short
from everlearn.report.words import for_terminal, percent

if TYPE_CHECKING:
    from rich.table import Table

    from everlearn.records import Commit, Comparison
    from everlearn.store import Store

MESSAGE_WIDTH = 60
"""Characters of a message that are shown."""


@dataclass(frozen=True)
class Line:
    """One version in the list."""

    id: str
    parent: str
    created: str
    method: str
    message: str
    accepted: bool
    reason: str
    learnt: tuple[float, float] | None
    """Share of the new questions right before and after."""
    general: float | None
    """Share of the general questions right in the parent that still are."""
    earlier: float | None
    """Share of the earlier stages' questions right in the parent that still are."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing to choose."""


def run(arguments: argparse.Namespace) -> int:
    """Print the list."""
    store = open_store(arguments)
    emit(arguments, lines := _lines(store), lambda: _page(lines))
    return DONE


def _lines(store: Store) -> list[Line]:
    """The line of head from the newest version to the base, each after the ones the gate refused on top of it."""
    refused = [(name, store.commit(name)) for name in store.rejected()]
    refused.sort(key=lambda pair: pair[1].created, reverse=True)
    found = []
    history = store.history()
    line = {entry.digest for entry in history}
    for entry in history:
        found += [_line(n, c) for n, c in refused if c.parent == entry.digest and n not in line]
        found.append(_line(entry.digest, entry.commit))
    return found


def _line(name: str, commit: Commit) -> Line:
    verdict = commit.verdict
    seen = {comparison.name: comparison for comparison in verdict.comparisons} if verdict else {}
    learnt = seen.get("learnt")
    return Line(
        id=name,
        parent=commit.parent,
        created=commit.created,
        method=commit.method,
        message=commit.message,
        accepted=verdict.accepted if verdict else True,
        reason=verdict.reason if verdict else "",
        learnt=(learnt.before, learnt.after) if learnt else None,
        general=_after(seen.get("general, against the parent")),
        earlier=_after(seen.get("earlier stages")),
    )


def _after(comparison: Comparison | None) -> float | None:
    return comparison.after if comparison and comparison.questions else None


def _share(share: float | None) -> str:
    return "" if share is None else for_terminal(percent(share))


def _page(lines: list[Line]) -> Table:
    page = columns("version", "date", "method", "message", "learnt", "general", "earlier", numbers=3)
    for column in page.columns:
        column.no_wrap = column.header != "message"
    for line in lines:
        message = clipped(line.message, MESSAGE_WIDTH)
        page.add_row(
            short(line.id),
            line.created[:10],
            line.method,
            message if line.accepted else f"REJECTED: {message}",
            f"{_share(line.learnt[0])} → {_share(line.learnt[1])}" if line.learnt else "",
            _share(line.general),
            _share(line.earlier),
            style="" if line.accepted else "red",
        )
    return page
