"""A store in; what no reference leads to removed, and a count of it out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from everlearn.store import durable
from everlearn.store.answers import books_of
from everlearn.store.history import needs
from everlearn.store.objects import Objects
from everlearn.store.refs import References
from everlearn.store.running import Running
from everlearn.store.verification import find_leftovers


class Collected(NamedTuple):
    """What garbage collection removed (or would remove)."""

    objects: tuple[str, ...]
    """Digests of the objects that nothing refers to."""
    leftovers: tuple[Path, ...]
    """Unfinished files that crashes left behind."""
    bytes_freed: int
    kept_for_run: tuple[str, ...]
    """Objects that nothing refers to, kept because a run is unfinished."""


def collect(objects: Objects, references: References, running: Running, folder: Path, dry_run: bool) -> Collected:
    """Remove what no branch, no rejected commit and no HEAD leads to; the caller holds the lock.

    While files of an unfinished run exist, every object is kept: what the run will refer to stands in its
    checkpoints, whose format this folder does not know, and neither age nor clock would tell for certain.

    Raises:
        StoreError: a reference or a commit is damaged, so that nobody can tell what is needed; nothing is
            removed then.
    """
    unneeded = _unneeded(objects, references)
    kept = unneeded if running.names() else ()
    doomed = () if kept else unneeded
    leftovers = tuple(find_leftovers(folder))
    books = books_of(folder, doomed)
    freed = sum(map(objects.size, doomed)) + sum(map(_bytes_in, (*leftovers, *books)))
    if not dry_run:
        for digest in doomed:
            objects.delete(digest)
        for path in (*leftovers, *books):
            durable.remove_tree(path)
    return Collected(doomed, leftovers, freed, kept)


def _unneeded(objects: Objects, references: References) -> tuple[str, ...]:
    seen: set[str] = set()
    needed = {need.digest for tip in references.tips() for need in needs(objects, tip, seen)}
    return tuple(digest for digest in objects if digest not in needed)


def _bytes_in(path: Path) -> int:
    with durable.explained("read", path):
        files = path.rglob("*") if path.is_dir() else [path]
        return sum(file.lstat().st_size for file in files if not file.is_dir())
