"""The power fails after each call: only what was synced is left, and the store is the old or the new one."""

import itertools
import os
import stat

import pytest
from sample_commits import add, grow
from simulated_disk import without_syncing

from everlearn.store import Store, durable


class Platter:
    """Stands in for `durable.perform`: does each call, and knows what a power cut after it would leave.

    Files and folders carry a serial number, since a file system uses the number of a deleted one again.
    """

    def __init__(self, root):
        self.root = root
        self.serials = itertools.count()
        self.serial = {}  # of each inode
        self.content = {}  # serial of a file: its bytes now
        self.synced = {}  # serial of a file: its bytes at the last fsync; of a folder: its entries then
        self.images = []
        for path in (root, *root.rglob("*")):  # all that is there at the start is on the disk
            self.adopt(path.stat())
            if path.is_file():
                self.content[self.serial[path.stat().st_ino]] = path.read_bytes()
        for path in (root, *root.rglob("*")):
            self.sync(path.stat())

    def __call__(self, call, *arguments):
        result = without_syncing(call, *arguments)
        if call is os.open and arguments[1] & os.O_EXCL:
            self.adopt(os.fstat(result))
        elif call is os.mkdir:
            self.adopt(arguments[0].stat())
        elif call is os.write:
            serial = self.serial[os.fstat(arguments[0]).st_ino]
            self.content[serial] = self.content.get(serial, b"") + bytes(arguments[1][:result])
        elif call is os.fsync:
            self.sync(os.fstat(arguments[0]))
        self.images += [self.entries_lost(), self.data_lost()]
        return result

    def adopt(self, status):
        self.serial[status.st_ino] = next(self.serials)

    def sync(self, status):
        serial = self.serial[status.st_ino]
        if stat.S_ISDIR(status.st_mode):
            folder = next(p for p in (self.root, *self.root.rglob("*")) if p.stat().st_ino == status.st_ino)
            self.synced[serial] = self.listing(folder)
        else:
            self.synced[serial] = self.content.get(serial, b"")

    def listing(self, folder):
        return {path.name: (self.serial[path.stat().st_ino], path.is_dir()) for path in folder.iterdir()}

    def entries_lost(self):
        """Folders hold what they held when last synced."""

        def image(serial):
            entries = self.synced.get(serial, {})
            return {
                name: image(inner) if is_folder else self.synced.get(inner, b"")
                for name, (inner, is_folder) in entries.items()
            }

        return image(self.serial[self.root.stat().st_ino])

    def data_lost(self):
        """Folders hold what they hold now; what was not synced of the files is gone."""

        def image(folder):
            return {
                path.name: image(path) if path.is_dir() else self.synced.get(self.serial[path.stat().st_ino], b"")
                for path in folder.iterdir()
            }

        return image(self.root)


def restore(image, folder):
    folder.mkdir()
    for name, content in image.items():
        if isinstance(content, dict):
            restore(content, folder / name)
        else:
            (folder / name).write_bytes(content)


def commit(store):
    return grow(store, "new")


def roll_back(store):
    store.advance(store.resolve("base"))


def detach(store):
    store.switch("head~1")
    store.advance(add(store, "aside"))


def collect(store):
    store.collect_garbage()


def checkpoint(store):
    store.write_running("state", b"second")


@pytest.mark.parametrize("action", [commit, roll_back, detach, collect, checkpoint])
def test_after_a_power_cut_the_store_is_the_old_or_the_new_one(grown, tmp_path, monkeypatch, action):
    grow(grown, "rolled back")
    grown.advance(grown.resolve("head~1"))
    if action is not collect:
        grown.write_running("state", b"first")
    heads = [grown.head()]
    platter = Platter(grown.folder / ".everlearn")
    monkeypatch.setattr(durable, "perform", platter)
    action(grown)
    monkeypatch.undo()
    heads += [grown.resolve("head~1"), grown.head()] if action is detach else [grown.head()]
    base = tmp_path / "images"
    base.mkdir()
    for number, image in enumerate(platter.images):
        folder = base / f"{number}"
        folder.mkdir()
        restore(image, folder / ".everlearn")
        store = Store.open(folder)
        assert store.verify() == [], (action, number)
        assert store.head() in heads
        assert store.read_running("state") in (None if action is collect else b"first", b"second")
    assert len(platter.images) > 10
    for image in platter.images[-2:]:  # what was acknowledged is there
        folder = base / f"last{len(list(base.iterdir()))}"
        folder.mkdir()
        restore(image, folder / ".everlearn")
        assert Store.open(folder).head() == heads[-1]
        assert Store.open(folder).read_running("state") == grown.read_running("state")


def test_an_object_of_a_process_that_died_before_syncing_is_synced_by_the_next(grown, monkeypatch):
    """A rename seen by everybody may still be lost: whoever finds the object syncs its folder again."""
    digest = grown.put(b"content")
    platter = Platter(grown.folder / ".everlearn")
    objects = grown._objects.folder
    for folder in (objects, objects / digest[:2]):  # as if the syncs after the rename had never been
        platter.synced.pop(platter.serial[folder.stat().st_ino])
    monkeypatch.setattr(durable, "perform", platter)
    assert grown.put(b"content") == digest
    image = platter.entries_lost()
    assert image["objects"][digest[:2]] == {digest[2:]: b"content"}


def test_an_object_found_by_a_commit_is_synced_before_the_commit(grown, monkeypatch):
    commit = add(grown, "unborn")
    platter = Platter(grown.folder / ".everlearn")
    objects = grown._objects.folder
    for folder in (objects, objects / commit[:2]):
        platter.synced.pop(platter.serial[folder.stat().st_ino])
    monkeypatch.setattr(durable, "perform", platter)
    grown.advance(commit)
    image = platter.entries_lost()
    assert commit[2:] in image["objects"][commit[:2]]
