"""The path of a lock file in, the right to write out: one writer at a time, and a word on who it is.

The lock is the kernel's (flock): it ends with its process, so a crash leaves none behind. The text in the
file is only there for the message that the next writer sees.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from everlearn.errors import StoreError
from everlearn.records import now
from everlearn.store import durable


class BusyError(StoreError):
    """Another process or thread holds the lock."""


class WriteLock:
    """Keeps two writers apart; entering it again in the thread that holds it does nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._owner: tuple[int, int] | None = None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock for the length of a `with` block.

        Raises:
            BusyError: another process (named by its pid) or thread holds it.
            StoreError: the store is read-only, or full.
        """
        caller = (os.getpid(), threading.get_ident())
        if self._owner == caller:
            yield
            return
        descriptor = self._take()
        self._owner = caller
        try:
            yield
        finally:
            self._owner = None
            os.close(descriptor)

    def _take(self) -> int:
        with durable.explained("write", self.path):
            descriptor = durable.perform(os.open, self.path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise self._busy() from None
            except OSError:
                os.close(descriptor)
                raise
        _sign(descriptor)
        return descriptor

    def _busy(self) -> BusyError:
        try:
            note = json.loads(durable.read_file(self.path) or b"")
            pid, host, since = int(note["pid"]), str(note["host"]), str(note["since"])
        except (
            ValueError,
            KeyError,
            TypeError,
        ):  # the holder has not signed yet, or could not: the disk is full
            return BusyError(
                f"{self.path.parent}: another process is writing to this store", "try again when it has ended"
            )
        return BusyError(
            f"{self.path.parent}: process {pid} on {host} is writing to this store since {since}",
            f"wait until it ends, or stop process {pid}; the lock ends with it, and reading needs none",
        )


def _sign(descriptor: int) -> None:
    note = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now()}).encode()
    # Garbage collection must work on a full disk, and a lock without a signature is a lock all the same.
    with contextlib.suppress(OSError):
        durable.perform(os.ftruncate, descriptor, 0)
        durable.perform(os.write, descriptor, note)
