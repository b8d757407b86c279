"""Bytes in, their sha256 out, and back: a folder of immutable objects, each named by its content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from everlearn.errors import StoreError
from everlearn.store import durable

DIGEST = re.compile(r"[0-9a-f]{64}")
"""The name of an object: sha256 of its content, in lower-case hex."""

FOLDER = re.compile(r"[0-9a-f]{2}")
"""Objects lie in a folder named by their first two digits."""


class Objects:
    """The objects in one folder: `ab/cdef…` holds the bytes whose sha256 is `abcdef…`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> str:
        """Keep `data` and return its digest; once this returns it survives a power cut."""
        digest = hashlib.sha256(data).hexdigest()
        self._keep(digest, [data], len(data))
        return digest

    def put_file(self, source: Path) -> str:
        """Keep a copy of a file of any size and return its digest.

        Raises:
            StoreError: there is no such file, or it changes while it is copied.
        """
        digest = durable.sha256_of(source)
        if digest is None:
            raise StoreError(f"{source}: there is no such file", "give the path of a file to keep in the store")
        with durable.explained("read", source):
            size = source.stat().st_size
        self._keep(digest, _unchanged(source, digest), size)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of an object, checked against its name.

        Raises:
            StoreError: the object is missing or damaged.
        """
        path = self.locate(digest)
        data = durable.read_file(path)
        _check(path, digest, None if data is None else hashlib.sha256(data).hexdigest())
        assert data is not None
        return data

    def path(self, digest: str) -> Path:
        """The file of an object, checked against its name; to be read only.

        Raises:
            StoreError: the object is missing or damaged.
        """
        path = self.locate(digest)
        _check(path, digest, durable.sha256_of(path))
        return path

    def size(self, digest: str) -> int:
        """Bytes of an object.

        Raises:
            StoreError: the object is missing.
        """
        if digest not in self:
            raise _missing(self.locate(digest))
        with durable.explained("read", self.locate(digest)):
            return self.locate(digest).stat().st_size

    def require(self, digest: str) -> None:
        """Make sure that an object's name is on disk before something refers to it.

        A process that died between renaming and syncing leaves an object that everybody sees and that a
        power cut would still take away.

        Raises:
            StoreError: the object is missing.
        """
        if digest not in self:
            raise _missing(self.locate(digest))
        durable.sync_folder(self.folder)
        durable.sync_folder(self.locate(digest).parent)

    def delete(self, digest: str) -> None:
        """Remove an object; the caller knows that nothing refers to it."""
        durable.remove_file(self.locate(digest))

    def locate(self, digest: str) -> Path:
        """Where an object lies, or would lie.

        Raises:
            StoreError: the digest is none, so that no name leads out of the folder.
        """
        if not DIGEST.fullmatch(digest):
            raise StoreError(f"{digest!r} is no object name", "an object name is 64 hexadecimal digits")
        return self.folder / digest[:2] / digest[2:]

    def __contains__(self, digest: str) -> bool:
        with durable.explained("read", self.folder):
            return self.locate(digest).is_file()

    def __iter__(self) -> Iterator[str]:
        """All digests in order, leaving out what is no object (temporary files, strangers)."""
        with durable.explained("read", self.folder):
            folders = sorted(path for path in self.folder.iterdir() if FOLDER.fullmatch(path.name))
            for folder in folders:
                names = sorted(path.name for path in folder.iterdir())
                yield from (folder.name + name for name in names if DIGEST.fullmatch(folder.name + name))

    def _keep(self, digest: str, chunks: Iterable[bytes], size: int) -> None:
        target = self.locate(digest)
        durable.make_folder(target.parent)
        if durable.sha256_of(target) == digest:
            durable.sync_folder(target.parent)
        else:  # new, or damaged: then this repairs it
            durable.write_file(target, chunks, size)


def _unchanged(source: Path, digest: str) -> Iterator[bytes]:
    seen = hashlib.sha256()
    for chunk in durable.read_chunks(source):
        seen.update(chunk)
        yield chunk
    if seen.hexdigest() != digest:
        raise StoreError(
            f"{source}: the file changed while it was copied into the store",
            "wait until nothing writes to it, then try again",
        )


def _check(path: Path, digest: str, found: str | None) -> None:
    if found is None:
        raise _missing(path)
    if found != digest:
        raise StoreError(
            f"{path}: object {digest[:12]} is damaged: its content does not match its name",
            "restore this file from a copy of the store; `everlearn verify` shows which commit needs it",
        )


def _missing(path: Path) -> StoreError:
    return StoreError(
        f"{path}: object {path.parent.name}{path.name[:10]} is missing",
        "restore this file from a copy of the store; `everlearn verify` shows which commit needs it",
    )
