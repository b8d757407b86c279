"""A folder in, its version store out: objects, commits, branches and the unfinished run in `.everlearn`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from everlearn import records
from everlearn.errors import StoreError
from everlearn.records import Commit
from everlearn.store import durable, layout, resolution
from everlearn.store.answers import AnswerBook
from everlearn.store.garbage import Collected, collect
from everlearn.store.history import Entry, ancestry, read_commit, require_all
from everlearn.store.lock import WriteLock
from everlearn.store.objects import DIGEST, Objects
from everlearn.store.refs import References, check_name
from everlearn.store.running import Running
from everlearn.store.verification import Fault, find_faults, find_leftovers


class Store:
    """The versions of one model: every method that changes something takes the write lock by itself.

    Whoever makes several changes that belong together (put objects, add the commit, advance the branch) makes
    them in one `with store.writing():`, or garbage collection may come in between.
    """

    def __init__(self, folder: Path) -> None:
        """Name the parts of a store; use `create`, `open` or `find`."""
        self.folder = folder
        """The folder that holds `.everlearn`."""
        root = folder / layout.STORE
        self._root = root
        self._objects = Objects(root / "objects")
        self._references = References(root)
        self._running = Running(root / "running")
        self._lock = WriteLock(root / "lock")

    @classmethod
    def create(cls, folder: Path) -> Store:
        """A new store in `folder`, without commits; a creation that a crash cut short is completed.

        Raises:
            StoreError: there is a store already, or the folder cannot be written to.
        """
        store = cls(folder.resolve())
        if not layout.exists(store.folder):
            raise StoreError(f"{folder}: there is no such folder", "create the folder first")
        if layout.is_complete(store._root):
            raise StoreError(f"{store._root}: there is a store already", "use it, or choose another folder")
        durable.make_folder(store._root)
        with store.writing():
            layout.create_parts(store._root)
            store._references.begin()
            layout.complete(store._root)
        return store

    @staticmethod
    def is_begun(folder: Path) -> bool:
        """Whether the creation of the store in `folder` was cut short, so that nothing can be in it yet."""
        root = folder.resolve() / layout.STORE
        return not layout.is_complete(root) and not any(path.is_file() for path in root.glob("objects/**/*"))

    @classmethod
    def open(cls, folder: Path) -> Store:
        """The store in `folder`.

        Raises:
            StoreError: there is none, it is damaged, or a newer everlearn wrote it.
        """
        store = cls(folder.resolve())
        if not layout.exists(store._root):
            raise _no_store(f"{folder}: there is no store")
        layout.check_format(store._root)
        return store

    @classmethod
    def find(cls, start: Path) -> Store:
        """The store in `start` or the nearest folder above it.

        Raises:
            StoreError: there is none, it is damaged, or a newer everlearn wrote it.
        """
        for folder in (start.resolve(), *start.resolve().parents):
            if layout.exists(folder / layout.STORE):
                return cls.open(folder)
        raise _no_store(f"{start}: there is no store here or in any folder above")

    def writing(self) -> AbstractContextManager[None]:
        """Keep other writers out for the length of a `with` block.

        Raises:
            StoreError: another process holds the lock (the text has its pid), or the store is read-only.
        """
        return self._lock.held()

    def put(self, data: bytes) -> str:
        """Keep `data` and return its digest; the same content is written once."""
        with self.writing():
            return self._objects.put(data)

    def put_file(self, path: Path) -> str:
        """Keep a copy of a file of any size and return its digest."""
        with self.writing():
            return self._objects.put_file(path)

    def get(self, digest: str) -> bytes:
        """The bytes of an object; StoreError where they are missing or damaged."""
        return self._objects.get(digest)

    def path(self, digest: str) -> Path:
        """The file of an object, re-hashed just now, to be read only; StoreError where missing or damaged."""
        return self._objects.path(digest)

    def size(self, digest: str) -> int:
        """Bytes of an object."""
        return self._objects.size(digest)

    def add_commit(self, commit: Commit) -> str:
        """Keep a commit and return its digest; no branch moves.

        Raises:
            StoreError: its parent, or an object that it names, is not in the store.
        """
        with self.writing():
            if commit.parent:
                read_commit(self._objects, commit.parent)
            for digest in (commit.parent, *commit.objects()):
                if digest:
                    self._objects.require(digest)
            return self._objects.put(records.encode(commit))

    def commit(self, reference: str) -> Commit:
        """The commit that `reference` (see `resolve`) stands for."""
        return read_commit(self._objects, self.resolve(reference))

    def resolve(self, reference: str) -> str:
        """Digest of the commit called `head`, `base`, `head~2`, by a branch, or by the start of its digest.

        Raises:
            StoreError: nothing is called that (the hint has the nearest name), or more than one commit is.
        """
        return resolution.resolve(self._objects, self._references, reference)

    def head(self) -> str:
        """Digest of the current commit.

        Raises:
            StoreError: there is no commit yet, or HEAD or its branch is damaged.
        """
        return resolution.head_commit(self._references)

    def branch(self) -> str:
        """Name of the current branch; empty where HEAD stands on a commit instead."""
        value = self._references.head()
        return "" if DIGEST.fullmatch(value) else value

    def branches(self) -> dict[str, str]:
        """All branches by name, each with the digest of its newest commit."""
        return self._references.branches()

    def advance(self, digest: str) -> None:
        """Move the current branch (or a detached HEAD) to a commit: a new one, or an old one to roll back.

        Raises:
            StoreError: the commit, or anything that its history needs, is missing.
        """
        with self.writing():
            require_all(self._objects, digest)
            name = self.branch()
            if name:
                self._references.set_branch(name, digest)
            else:
                self._references.set_head(digest)

    def create_branch(self, name: str, digest: str) -> None:
        """Start a branch at a commit; HEAD stays where it is.

        Raises:
            StoreError: the name is taken or cannot be a branch, or the commit is not whole.
        """
        check_name(name)
        with self.writing():
            taken = [branch.lower() for branch in self._references.branch_names()]
            if name.lower() in taken:  # some file systems do not tell Main from main
                raise StoreError(f"branch {name!r} exists already", "switch to it, or choose another name")
            require_all(self._objects, digest)
            self._references.set_branch(name, digest)

    def switch(self, name: str) -> None:
        """Make a branch the current one; any other reference detaches HEAD onto its commit.

        Raises:
            StoreError: nothing is called that; the hint has the nearest name.
        """
        with self.writing():
            digest = self.resolve(name)
            require_all(self._objects, digest)
            self._references.set_head(name if name in self._references.branch_names() else digest)

    def reject(self, digest: str) -> None:
        """Keep a commit that no branch will hold, so that it can be inspected."""
        with self.writing():
            require_all(self._objects, digest)
            self._references.add_rejected(digest)

    def rejected(self) -> list[str]:
        """Digests of all rejected commits, in order of digest."""
        return self._references.rejected()

    def history(self, reference: str = "head") -> list[Entry]:
        """A commit and its ancestors, newest first: pairs of digest and commit."""
        return list(ancestry(self._objects, self.resolve(reference)))

    def verify(self) -> list[Fault]:
        """What is damaged, after re-hashing every object and following every reference; needs no lock."""
        return find_faults(self._root, self._objects, self._references, self._running)

    def leftovers(self) -> list[Path]:
        """Unfinished files that crashes left behind: harmless, removed by garbage collection."""
        return find_leftovers(self._root)

    def collect_garbage(self, dry_run: bool = False) -> Collected:
        """Remove objects that no branch, rejected commit or HEAD leads to, and unfinished files.

        While a run is unfinished (see `clear_running`) all objects are kept. Inside `writing()`, objects that
        were put and that no commit names yet are garbage too.

        Raises:
            StoreError: a writer is at work, or the store is damaged so that nobody can tell what is needed.
        """
        with self.writing():
            return collect(self._objects, self._references, self._running, self._root, dry_run)

    def answers(self, weights: str) -> AnswerBook:
        """What some weights have answered to a person's questions; `weights` is their digest."""
        return AnswerBook(self._root, weights)

    def write_running(self, name: str, data: bytes) -> None:
        """Replace a file of the run in progress: after a crash it holds the old bytes or the new ones."""
        with self.writing():
            self._running.write(name, data)

    def read_running(self, name: str) -> bytes | None:
        """The bytes of a file of the run in progress; None where there is none, StoreError if damaged."""
        return self._running.read(name)

    def running_path(self, name: str) -> Path:
        """Where a file of the run in progress lies, or would lie; not checked."""
        return self._running.path(name)

    def clear_running(self) -> None:
        """Forget the run in progress, all of its files in one step."""
        with self.writing():
            self._running.clear()


def _no_store(problem: str) -> StoreError:
    return StoreError(problem, "go to the folder of your store; `everlearn learn FILE` makes a new one")
