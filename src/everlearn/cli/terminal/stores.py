"""The arguments of a verb in, the store or the learner that it works on out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from everlearn.store import Store
from everlearn.store.layout import STORE

if TYPE_CHECKING:
    from everlearn.cli.terminal.progress import Tell
    from everlearn.learner import Learner

SHORT = 8
"""Digits of a commit that people are shown."""

UNFINISHED = "request.json"
"""The file of a run that has begun and has not ended."""


def store_folder(arguments: argparse.Namespace) -> Path:
    """Where to look for the store, from there upwards."""
    return Path(arguments.store or ".")


def open_store(arguments: argparse.Namespace) -> Store:
    """The store that the arguments lead to.

    Raises:
        StoreError: there is none, it is damaged, or a newer everlearn wrote it.
    """
    return Store.find(store_folder(arguments))


def open_learner(arguments: argparse.Namespace, tell: Tell) -> Learner:
    """The learner on the store that the arguments lead to; its model is loaded when it is first needed.

    Raises:
        StoreError: as `open_store`; no store is made.
    """
    from everlearn.learner import Learner

    return Learner(open_store(arguments).folder, tell=tell)


def short(digest: str) -> str:
    """The first digits of a commit."""
    return digest[:SHORT]


def has_unfinished_run(store: Store) -> bool:
    """Whether a run was interrupted in this store."""
    return store.running_path(UNFINISHED).is_file()


def find_store(folder: Path) -> Store | None:
    """The store in `folder` or above it; None where there is none yet.

    Raises:
        StoreError: there is one, but it is damaged or a newer everlearn wrote it.
    """
    start = folder.resolve()
    there = any((above / STORE).is_dir() for above in (start, *start.parents))
    return Store.find(folder) if there else None


def model_name(folder: Path, chosen: str | None) -> str:
    """The model to work with: that of the store; where there is none yet, the chosen or the default one.

    A directory is named by its absolute path, so that the store finds it from everywhere.

    Raises:
        ModelError: the store holds versions of another model than the chosen one.
    """
    from everlearn.lineage import Lineage
    from everlearn.model.cache import ALIASES, DEFAULT_MODEL

    wanted = chosen or DEFAULT_MODEL
    if wanted not in ALIASES and Path(wanted).expanduser().is_dir():
        wanted = str(Path(wanted).expanduser().resolve())
    store = find_store(folder)
    return Lineage(store).model_name(wanted, chosen=bool(chosen)) if store else wanted
