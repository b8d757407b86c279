"""The objects and references of a store in, everything that is wrong with them out, each with its repair."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from everlearn.errors import StoreError
from everlearn.store import durable, layout
from everlearn.store.history import needs
from everlearn.store.objects import Objects
from everlearn.store.refs import References, read_digest
from everlearn.store.running import DAMAGED, START_AGAIN, Running


class Fault(NamedTuple):
    """One thing that is damaged."""

    path: Path
    problem: str
    repair: str


def find_faults(root: Path, objects: Objects, references: References, running: Running) -> list[Fault]:
    """Re-hash every object and follow every reference down to the base; empty where all is well.

    Every object is looked up when it is needed and not in a list made before, so a commit that another
    process makes meanwhile is no fault.
    """
    needed_by: dict[str, str] = {}
    faults = [*_format_faults(root), *_reference_faults(objects, references, needed_by)]
    for digest in sorted({*objects, *needed_by}):
        faults += _object_faults(objects, digest, needed_by.get(digest, ""))
    return faults + [Fault(path, DAMAGED, START_AGAIN) for path in running.damaged()]


def find_leftovers(folder: Path) -> list[Path]:
    """Unfinished files and folders that a crash left behind (or that a writer is working on): harmless."""
    found = sorted(folder.rglob(f"{durable.TEMPORARY}*"))
    return [path for path in found if not any(parent in found for parent in path.parents)]


def _format_faults(root: Path) -> Iterator[Fault]:
    try:
        layout.check_format(root)
    except StoreError as error:
        yield _as_fault(layout.format_path(root), error)


def _reference_faults(objects: Objects, references: References, needed_by: dict[str, str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for path in (*references.branch_files(), *references.rejected_files(), references.head_path):
        try:
            tip = references.tip() if path == references.head_path else read_digest(path)
            for need in needs(objects, tip, seen) if tip else ():
                needed_by[need.digest] = need.commit
        except StoreError as error:
            yield _as_fault(path, error)


def _as_fault(path: Path, error: StoreError) -> Fault:
    return Fault(path, error.problem.removeprefix(f"{path}: "), error.hint)


def _object_faults(objects: Objects, digest: str, commit: str) -> Iterator[Fault]:
    path = objects.locate(digest)
    found = durable.sha256_of(path)
    if found == digest or (found is None and not commit):  # not needed and gone: collected meanwhile
        return
    problem = "the object is missing" if found is None else "the object is damaged: content and name do not match"
    if commit:
        yield Fault(
            path,
            f"{problem}; commit {commit[:12]} needs it",
            "restore this file from a copy of the store, or roll back to a commit before that one",
        )
    else:
        yield Fault(path, problem, "no commit in use needs it: `everlearn gc` removes it")
