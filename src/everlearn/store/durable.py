"""Bytes and paths in, files that survive a power cut out; every change to a disk passes through `perform`.

An operating-system error leaves this file as a StoreError that says what to do about it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from everlearn.errors import StoreError

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

TEMPORARY = ".temporary-"
"""How the names of unfinished files begin: what a crash leaves behind under such a name is harmless."""

CHUNK = 1 << 20
"""Bytes per read of a streamed file."""

FULL = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


def perform(call: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """Make one change to the disk: the one place where tests fail, kill or record it."""
    return call(*arguments)


def write_file(target: Path, chunks: Iterable[bytes], size: int) -> None:
    """Put `chunks`, `size` bytes in all, at `target`: after a crash there is the old file or the new one.

    Raises:
        StoreError: the disk is full, read-only or failing; then no new file is left behind.
    """
    temporary = temporary_path(target.parent)
    with explained("write", target, size):
        try:
            _write_new(temporary, chunks)
            perform(os.replace, temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                perform(os.unlink, temporary)
            raise
    sync_folder(target.parent)


def remove_file(path: Path) -> None:
    """Delete one file; should a power cut bring it back, nothing refers to it."""
    with explained("write", path):
        perform(os.unlink, path)


def remove_tree(path: Path) -> None:
    """Delete a file, or a folder with all it holds."""
    if path.is_symlink() or not path.is_dir():
        remove_file(path)
        return
    for entry in sorted(path.iterdir()):
        remove_tree(entry)
    with explained("write", path):
        perform(os.rmdir, path)


def make_folder(path: Path) -> None:
    """Create a folder where there is none; in either case its entry in the parent is durable afterwards."""
    with explained("write", path), contextlib.suppress(FileExistsError):
        if not path.is_dir():
            perform(os.mkdir, path)
    sync_folder(path.parent)


def move_away(folder: Path) -> Path:
    """Rename a folder to a temporary name in one step and return that name."""
    temporary = temporary_path(folder.parent)
    with explained("write", folder):
        perform(os.replace, folder, temporary)
    sync_folder(folder.parent)
    return temporary


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder (what was created, renamed and deleted in it) durable."""
    with explained("write", folder):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            perform(os.fsync, descriptor)
        finally:
            os.close(descriptor)


def read_file(path: Path) -> bytes | None:
    """The bytes of a file; None where there is no such file.

    Raises:
        StoreError: the file cannot be read.
    """
    with explained("read", path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def read_chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a megabyte at a time."""
    with explained("read", path), path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def sha256_of(path: Path) -> str | None:
    """sha256 of a file's content, in hex; None where there is no such file."""
    with explained("read", path):
        try:
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError:
            return None


def temporary_path(folder: Path) -> Path:
    """A path in `folder` that nothing else uses."""
    return folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}"


@contextlib.contextmanager
def explained(action: str, path: Path, size: int = 0) -> Iterator[None]:
    """Turn what the operating system says about `path` into a StoreError with a way out.

    Args:
        action: `read` or `write`.
        path: what is read or written.
        size: bytes about to be written, where known.
    """
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise _store_error(error, action, path, size) from error


def readable_size(count: int) -> str:
    """A number of bytes for people: `512 B`, `1.5 MB`; decimal units."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _write_new(path: Path, chunks: Iterable[bytes]) -> None:
    descriptor = perform(os.open, path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                rest = rest[perform(os.write, descriptor, rest) :]
        perform(os.fsync, descriptor)
    finally:
        os.close(descriptor)


def _store_error(error: OSError, action: str, path: Path, size: int) -> StoreError:
    said = error.strerror or str(error)
    if error.errno in FULL:
        needed = f"; {readable_size(size)} needed" if size else ""
        return StoreError(
            f"{path}: the disk is full{needed}{_free_space(path)}",
            "free some space (`everlearn gc` removes what no commit needs), then try again; nothing changed",
        )
    if error.errno in FORBIDDEN and action == "write":
        return StoreError(
            f"{path}: the store is read-only ({said})",
            "work as the owner of the folder, or on a copy of the store that you may write to",
        )
    if error.errno in FORBIDDEN:
        return StoreError(f"{path}: no permission to read it", "work as the owner of the file")
    return StoreError(
        f"{path}: cannot {action} it ({said})",
        "check the disk, then `everlearn verify` shows what is damaged",
    )


def _free_space(path: Path) -> str:
    try:
        return f", {readable_size(shutil.disk_usage(path.parent).free)} free"
    except OSError:  # the figure is a courtesy: a disk that gives none is full all the same
        return ""
