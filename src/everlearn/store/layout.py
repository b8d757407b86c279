"""The path of `.everlearn` in, its folders and format file created or checked."""

from __future__ import annotations

import json
from pathlib import Path

from everlearn.errors import StoreError
from everlearn.store import durable

STORE = ".everlearn"
VERSION = 1
FORMAT = json.dumps({"version": VERSION}).encode() + b"\n"
PARTS = ("objects", "refs", "refs/branches", "refs/rejected", "running")


def format_path(root: Path) -> Path:
    """The file that says which version the store has."""
    return root / "format.json"


def exists(root: Path) -> bool:
    """Whether `root` is a folder."""
    with durable.explained("read", root):
        return root.is_dir()


def create_parts(root: Path) -> None:
    """Create the folders of a store where they are not there yet."""
    for part in PARTS:
        durable.make_folder(root / part)


def is_complete(root: Path) -> bool:
    """Whether the creation of the store came to its end."""
    return durable.read_file(format_path(root)) is not None


def complete(root: Path) -> None:
    """Write the format file, the last step of a creation."""
    durable.write_file(format_path(root), [FORMAT], len(FORMAT))


def check_format(root: Path) -> None:
    """Refuse a store that this version cannot read.

    Raises:
        StoreError: a newer everlearn wrote the store, or its format file is missing or damaged.
    """
    path = format_path(root)
    data = durable.read_file(path)
    if data == FORMAT:
        return
    if data is None:
        raise StoreError(f"{path}: the file is missing", f"write this line into it: {FORMAT.decode().strip()}")
    version = _version(data)
    if version > VERSION:
        raise StoreError(
            f"{path}: the store has version {version}, this everlearn reads version {VERSION}",
            "install a newer everlearn: pip install --upgrade everlearn",
        )
    raise StoreError(f"{path}: the file is damaged", f"write this line into it: {FORMAT.decode().strip()}")


def _version(data: bytes) -> int:
    try:
        return int(json.loads(data)["version"])
    except (ValueError, KeyError, TypeError):
        return 0
