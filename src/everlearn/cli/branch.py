"""List the branches, or start one at a version and switch to it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from everlearn.cli import DONE
from everlearn.cli.terminal.output import clipped, columns, emit
from everlearn.cli.terminal.stores import open_store, short

if TYPE_CHECKING:
    from rich.console import RenderableType

    from everlearn.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The branch to go to; without it they are listed."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a branch to switch to; it is made if there is none")
    parser.add_argument("version", metavar="REF", nargs="?", help="where a new branch starts (default: head)")


def run(arguments: argparse.Namespace) -> int:
    """Switch if a name is given; print the branches."""
    store = open_store(arguments)
    if arguments.name:
        _go_to(store, arguments.name, arguments.version)
    facts = {"current": store.branch(), "head": store.head(), "branches": store.branches()}
    emit(arguments, facts, lambda: _page(store))
    return DONE


def _go_to(store: Store, name: str, version: str | None) -> None:
    with store.writing():
        if version is not None or name not in store.branches():
            store.create_branch(name, store.resolve(version or "head"))
        store.switch(name)


def _page(store: Store) -> RenderableType:
    page = columns("", "branch", "version", "newest stage")
    current = store.branch()
    for name, digest in store.branches().items():
        page.add_row("*" if name == current else "", name, short(digest), clipped(store.commit(digest).message, 40))
    if not current:
        page.add_row("*", "(no branch)", short(store.head()), clipped(store.commit("head").message, 40))
    return page
