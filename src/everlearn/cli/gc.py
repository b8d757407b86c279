"""Remove what no branch and no rejected version needs any more."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from everlearn.cli import DONE
from everlearn.cli.terminal.output import emit
from everlearn.cli.terminal.stores import open_store
from everlearn.data.places import counted
from everlearn.report.words import size

if TYPE_CHECKING:
    from rich.console import RenderableType


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether anything is really removed."""
    parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")


def run(arguments: argparse.Namespace) -> int:
    """Collect the garbage and print what it came to."""
    collected = open_store(arguments).collect_garbage(arguments.dry_run)
    facts = {
        "dry_run": arguments.dry_run,
        "objects": collected.objects,
        "leftovers": [str(path) for path in collected.leftovers],
        "bytes_freed": collected.bytes_freed,
        "kept_for_run": collected.kept_for_run,
    }

    def page() -> RenderableType:
        removed = "would remove" if arguments.dry_run else "removed"
        found = (
            f"{counted(len(collected.objects), 'object')} and {counted(len(collected.leftovers), 'unfinished file')}"
        )
        lines = [f"{removed} {found}, {size(collected.bytes_freed)}"]
        if collected.kept_for_run:
            kept = counted(len(collected.kept_for_run), "object")
            lines.append(f"{kept} stay while a run is unfinished: `everlearn learn --resume` or `--discard` ends it")
        return "\n".join(lines)

    emit(arguments, facts, page)
    return DONE
