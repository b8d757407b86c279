"""Named bytes of an unfinished run in, the same bytes out in another process: checkpoints, not commits.

Beside the file NAME lies an empty file `NAME.DIGEST.sha256` for each content that NAME may have. It is
written before the content and the old one is removed after it, so that a crash at any moment leaves a pair
that fits, and a flipped bit one that does not.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from everlearn.errors import StoreError
from everlearn.store import durable
from everlearn.store.refs import NAME

SEAL = re.compile(r"(?P<name>.+)\.(?P<digest>[0-9a-f]{64})\.sha256")

DAMAGED = "this file of an unfinished run is damaged"
START_AGAIN = "the commits are not touched; start the run again without --resume"


class Running:
    """The scratch folder of the run in progress."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where the file called `name` lies, or would lie.

        Raises:
            StoreError: the name leads elsewhere or is kept for a checksum.
        """
        if not NAME.fullmatch(name) or name.endswith(".sha256"):
            raise StoreError(
                f"{name!r} cannot be the name of a file of a run",
                "use up to 100 letters, digits, dots, dashes and underscores, not ending in .sha256",
            )
        return self.folder / name

    def write(self, name: str, data: bytes) -> None:
        """Replace the file called `name`: after a crash it holds the old bytes or the new ones."""
        target = self.path(name)
        digest = hashlib.sha256(data).hexdigest()
        durable.make_folder(self.folder)
        outdated = self._seals(name) - {digest}
        durable.write_file(self._seal(name, digest), [], 0)
        durable.write_file(target, [data], len(data))
        for seal in sorted(outdated):
            durable.remove_file(self._seal(name, seal))

    def read(self, name: str) -> bytes | None:
        """The bytes of the file called `name`; None where there is none.

        Raises:
            StoreError: the bytes are not those that were written.
        """
        before = self._seals(name)
        data = durable.read_file(self.path(name))
        if data is not None and not self._fits(name, before, hashlib.sha256(data).hexdigest()):
            raise StoreError(f"{self.path(name)}: {DAMAGED}", START_AGAIN)
        return data

    def clear(self) -> None:
        """Forget the run, all of it in one step."""
        if self.folder.is_dir():
            forgotten = durable.move_away(self.folder)
            durable.make_folder(self.folder)
            durable.remove_tree(forgotten)

    def names(self) -> list[str]:
        """Names of all files of the run; none where no run is unfinished."""
        return [name for name in self._entries() if NAME.fullmatch(name) and not name.endswith(".sha256")]

    def damaged(self) -> list[Path]:
        """The files that do not hold what was written to them."""
        return [self.path(name) for name in self.names() if not self._is_sound(name)]

    def _is_sound(self, name: str) -> bool:
        before = self._seals(name)
        if not before:
            return True
        digest = durable.sha256_of(self.path(name))
        return digest is None or self._fits(name, before, digest)

    def _fits(self, name: str, before: set[str], digest: str) -> bool:
        # A run may write while another process reads: what was read had its seal before or has it now.
        seals = before | self._seals(name)
        return not seals or digest in seals  # no seal: a file that the run wrote by itself

    def _seals(self, name: str) -> set[str]:
        matches = map(SEAL.fullmatch, self._entries())
        return {match["digest"] for match in matches if match and match["name"] == name}

    def _seal(self, name: str, digest: str) -> Path:
        return self.folder / f"{name}.{digest}.sha256"

    def _entries(self) -> list[str]:
        with durable.explained("read", self.folder):
            return sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []
