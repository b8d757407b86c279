"""Names in, commit digests out: branches, rejected commits, and HEAD, one small checked file each."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from everlearn.errors import StoreError
from everlearn.settings import nearest
from everlearn.store import durable
from everlearn.store.objects import DIGEST

FIRST_BRANCH = "main"
UNBORN = "unborn"
"""What the file of a branch without commits holds: a file that is not there is always a loss."""
RESERVED = ("head", "base")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class References:
    """The files `HEAD`, `refs/branches/NAME` and `refs/rejected/DIGEST` of one store."""

    def __init__(self, folder: Path) -> None:
        self.head_path = folder / "HEAD"
        self.branches_folder = folder / "refs" / "branches"
        self.rejected_folder = folder / "refs" / "rejected"

    def begin(self) -> None:
        """Write the references of a new store where there are none: HEAD on a branch without commits."""
        if FIRST_BRANCH not in self.branch_names():
            _write(self.branches_folder / FIRST_BRANCH, UNBORN)
        if durable.read_file(self.head_path) is None:
            self.set_head(FIRST_BRANCH)

    def head(self) -> str:
        """What HEAD holds: a branch name, or the digest of a commit."""
        return _read(self.head_path)

    def tip(self) -> str:
        """Digest of the current commit, empty before the first.

        Raises:
            StoreError: HEAD or its branch is damaged.
        """
        head = self.head()
        digest = head if DIGEST.fullmatch(head) else self.branch(head)
        if digest is None:
            raise StoreError(
                f"{self.head_path}: it names the branch {head!r}, which does not exist",
                "switching to a branch writes it anew; " + nearest(head, self.branch_names()),
            )
        return digest

    def set_head(self, value: str) -> None:
        """Point HEAD at a branch or, detached, at a commit."""
        _write(self.head_path, value)

    def branches(self) -> dict[str, str]:
        """All branches with commits by name, each with the digest of its newest."""
        tips = {path.name: read_digest(path) for path in self.branch_files()}
        return {name: digest for name, digest in tips.items() if digest}

    def branch_names(self) -> list[str]:
        """Names of all branches, those without commits and damaged ones too."""
        return [path.name for path in self.branch_files()]

    def branch(self, name: str) -> str | None:
        """Digest of a branch's newest commit, empty before the first; None where there is no such branch."""
        return read_digest(self.branches_folder / name) if name in self.branch_names() else None

    def set_branch(self, name: str, digest: str) -> None:
        """Point a branch at a commit, creating it where there is none."""
        check_name(name)
        _write(self.branches_folder / name, digest)

    def rejected(self) -> list[str]:
        """Digests of all rejected commits, in order."""
        return [path.name for path in self.rejected_files()]

    def add_rejected(self, digest: str) -> None:
        """Keep a rejected commit reachable."""
        _write(self.rejected_folder / digest, digest)

    def branch_files(self) -> list[Path]:
        """The files of all branches, by name."""
        return _files(self.branches_folder, NAME)

    def rejected_files(self) -> list[Path]:
        """The files of all rejected commits, by digest."""
        return _files(self.rejected_folder, DIGEST)

    def tips(self) -> list[str]:
        """Digests of all commits that a reference points at: whatever these need is kept.

        Raises:
            StoreError: a reference is damaged, so that nobody can tell what is needed.
        """
        tips = [*self.branches().values(), *map(read_digest, self.rejected_files()), self.tip()]
        return [digest for digest in tips if digest]


def read_digest(path: Path) -> str:
    """The digest in a reference file; empty for a branch without commits.

    Raises:
        StoreError: the file is damaged or missing.
    """
    digest = _read(path)
    if digest == UNBORN:
        return ""
    if not DIGEST.fullmatch(digest):
        raise _damaged(path)
    return digest


def check_name(name: str) -> None:
    """Refuse a name that cannot be a branch.

    Raises:
        StoreError: the name is reserved, reads as a digest, or has characters that a file name may not have.
    """
    if name.lower() in RESERVED or DIGEST.fullmatch(name):
        raise StoreError(f"a branch cannot be called {name!r}", "that name has a meaning of its own; choose another")
    if not NAME.fullmatch(name):
        raise StoreError(
            f"a branch cannot be called {name!r}",
            "use up to 100 letters, digits, dots, dashes and underscores, with a letter or digit first",
        )


def _line(value: str) -> bytes:
    # With the checksum one flipped bit cannot turn the name of one branch (v1) into that of another (v3).
    return f"{value} {zlib.crc32(value.encode()):08x}\n".encode()


def _write(path: Path, value: str) -> None:
    durable.write_file(path, [_line(value)], len(_line(value)))


def _read(path: Path) -> str:
    data = durable.read_file(path)
    if data is None:
        raise StoreError(f"{path}: the reference is missing", "restore this file from a copy of the store")
    value = data.partition(b" ")[0].decode("ascii", errors="replace")
    if data != _line(value) or not NAME.fullmatch(value):
        raise _damaged(path)
    return value


def _damaged(path: Path) -> StoreError:
    way_out = "switching to a branch" if path.name == "HEAD" else "rolling back to a commit"
    return StoreError(
        f"{path}: the reference is damaged",
        f"restore this file from a copy of the store; {way_out} writes it anew",
    )


def _files(folder: Path, name: re.Pattern[str]) -> list[Path]:
    with durable.explained("read", folder):
        return sorted(path for path in folder.iterdir() if name.fullmatch(path.name))
