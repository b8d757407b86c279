"""A store and a text in, a commit made from that text out."""

from pathlib import Path

from everlearn.records import Commit


def add(store, text, parent=None):
    """Commit a child of `parent` (default: head) with objects made from `text`; no branch moves."""
    if parent is None:
        parent = store.head() if store.branches() else ""
    return store.add_commit(
        Commit(
            parent=parent,
            model="tiny",
            model_digest="0" * 64,
            method="finetune",
            weights_object=store.put(b"weights " + text.encode()) if parent else "",
            memory_objects={"buffer": store.put(b"buffer " + text.encode())},
            message=text,
        )
    )


def grow(store, text):
    """Commit a child of head and advance to it."""
    with store.writing():
        digest = add(store, text)
        store.advance(digest)
    return digest


def files(folder: Path):
    """Content of every file under `folder`, by path, but for the signature in the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }
