"""The digest of a commit in; the commit, its ancestors, and every object they need out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from everlearn import records
from everlearn.errors import StoreError
from everlearn.records import Commit
from everlearn.store.objects import Objects


class Entry(NamedTuple):
    """A commit and its name."""

    digest: str
    commit: Commit


class Need(NamedTuple):
    """An object that somebody refers to."""

    digest: str
    commit: str
    """Digest of the commit that names it."""


def read_commit(objects: Objects, digest: str) -> Commit:
    """The commit called `digest`.

    Raises:
        StoreError: the object is missing, damaged, or no commit.
    """
    data = objects.get(digest)
    try:
        return records.decode(Commit, data)
    except ValueError:
        raise StoreError(
            f"{objects.locate(digest)}: object {digest[:12]} is no commit",
            "`everlearn log` shows the commits",
        ) from None


def ancestry(objects: Objects, digest: str) -> Iterator[Entry]:
    """A commit and its ancestors, newest first; the last one is the base.

    Raises:
        StoreError: one of them is missing, damaged, or no commit.
    """
    while digest:
        commit = read_commit(objects, digest)
        yield Entry(digest, commit)
        digest = commit.parent


def needs(objects: Objects, tip: str, seen: set[str]) -> Iterator[Need]:
    """Every object that the commit `tip` and its ancestors need, themselves included.

    Args:
        objects: where the commits lie.
        tip: digest of a commit.
        seen: digests of commits whose needs are known already; those met here are added to it.

    Raises:
        StoreError: a commit is missing, damaged, or no commit; what was found before it has been yielded.
    """
    yield Need(tip, tip)
    while tip and tip not in seen:
        seen.add(tip)
        commit = read_commit(objects, tip)
        yield from (Need(named, tip) for named in (commit.parent, *commit.objects()) if named)
        tip = commit.parent


def require_all(objects: Objects, tip: str) -> None:
    """Make sure that a reference to `tip` leads to a complete history.

    Raises:
        StoreError: the commit, an ancestor, or an object that one of them names is missing.
    """
    for need in needs(objects, tip, set()):
        if need.digest not in objects:
            raise StoreError(
                f"{objects.locate(need.digest)}: the object is missing; commit {need.commit[:12]} needs it",
                "restore this file from a copy of the store, or choose another commit",
            )
    objects.require(tip)
