"""Re-hash every object of the store and follow every reference."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from everlearn.cli import DONE, ERROR
from everlearn.cli.terminal.output import emit
from everlearn.cli.terminal.stores import open_store
from everlearn.data.places import counted

if TYPE_CHECKING:
    from rich.console import RenderableType


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing to choose."""


def run(arguments: argparse.Namespace) -> int:
    """Print what is damaged and how to repair it; 1 if anything is."""
    store = open_store(arguments)
    faults = store.verify()
    leftovers = [str(path) for path in store.leftovers()]
    facts = {
        "store": str(store.folder),
        "sound": not faults,
        "faults": [{"path": str(f.path), "problem": f.problem, "repair": f.repair} for f in faults],
        "leftovers": leftovers,
    }

    def page() -> RenderableType:
        lines = [f"{fault.path}: {fault.problem}\n  {fault.repair}" for fault in faults]
        lines += [counted(len(faults), "fault") if faults else "every object is as it was written"]
        if leftovers:
            lines.append(f"{counted(len(leftovers), 'unfinished file')}, harmless: `everlearn gc` removes them")
        return "\n".join(lines)

    emit(arguments, facts, page)
    return ERROR if faults else DONE
