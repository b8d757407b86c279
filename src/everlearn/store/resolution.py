"""What a person calls a commit in (`head~2`, `main`, `3f2a`), its digest out."""

from __future__ import annotations

import itertools
import re
from typing import NoReturn

from everlearn.errors import StoreError
from everlearn.settings import nearest
from everlearn.store.history import ancestry, read_commit
from everlearn.store.objects import Objects
from everlearn.store.refs import RESERVED, References

REFERENCE = re.compile(r"(?P<name>[^~]+)(?P<back>~(?P<steps>[0-9]*))?")
PREFIX = re.compile(r"[0-9a-f]{4,64}")


def resolve(objects: Objects, references: References, reference: str) -> str:
    """The digest of the commit that `reference` stands for.

    Args:
        objects: where the commits lie.
        references: branches and HEAD.
        reference: `head`, `base` (the oldest ancestor of head), a branch, or the first 4 to 64 digits of a
            digest; with `~N` after it, the N-th commit before that one (`~` alone is `~1`).

    Raises:
        StoreError: nothing is called that (the hint has the nearest name), or more than one commit is.
    """
    match = REFERENCE.fullmatch(reference)
    if not match:
        raise _unknown(references, reference)
    digest = _named(objects, references, match["name"])
    if not match["back"]:
        return digest
    steps = int(match["steps"] or 1)
    line = [entry.digest for entry in itertools.islice(ancestry(objects, digest), steps + 1)]
    if len(line) <= steps:
        raise StoreError(
            f"{reference!r} goes back further than the base",
            f"the base is {match['name']}~{len(line) - 1}",
        )
    return line[steps]


def head_commit(references: References) -> str:
    """Digest of the current commit.

    Raises:
        StoreError: there is no commit yet, or HEAD or its branch is damaged.
    """
    return references.tip() or _no_commit(references.head())


def _named(objects: Objects, references: References, name: str) -> str:
    if name.lower() == "head":
        return head_commit(references)
    if name.lower() == "base":
        return [entry.digest for entry in ancestry(objects, head_commit(references))][-1]
    tip = references.branch(name)
    if tip is not None:
        return tip or _no_commit(name)
    found = _commits_from(objects, name)
    if len(found) > 1:
        raise StoreError(f"{name!r} may be {len(found)} commits", "give more digits: " + ", ".join(found))
    if not found:
        raise _unknown(references, name)
    return found[0]


def _commits_from(objects: Objects, prefix: str) -> list[str]:
    candidates = [digest for digest in objects if digest.startswith(prefix)] if PREFIX.fullmatch(prefix) else []
    if len(candidates) == 1:
        read_commit(objects, candidates[0])  # says what is wrong with it
        return candidates
    return [digest for digest in candidates if _is_commit(objects, digest)]


def _is_commit(objects: Objects, digest: str) -> bool:
    try:
        read_commit(objects, digest)
    except StoreError:
        return False
    return True


def _no_commit(branch: str) -> NoReturn:
    raise StoreError(f"branch {branch!r} has no commits yet", "`everlearn learn FILE` makes the first")


def _unknown(references: References, name: str) -> StoreError:
    return StoreError(
        f"there is no commit or branch called {name!r}",
        nearest(name, [*RESERVED, *references.branch_names()]) + ", or the first 4 digits of a commit",
    )
