"""Two writers are kept apart, readers are not, and a dead writer leaves no lock."""

import json
import os
import socket
import threading

import pytest
from sample_commits import grow
from simulated_disk import child, disk_full, kill_myself

from everlearn.errors import StoreError
from everlearn.store import Store
from everlearn.store.lock import WriteLock


def test_a_second_process_is_told_who_holds_the_lock(grown):
    holder = os.getpid()

    def second_writer():
        store = Store.open(grown.folder)
        assert store.verify() == [] and store.history()  # reading needs no lock
        for write in (lambda: store.put(b"x"), store.collect_garbage, lambda: store.advance(store.head())):
            with pytest.raises(StoreError) as caught:
                write()
            assert f"process {holder} on {socket.gethostname()} is writing to this store" in caught.value.problem
            assert f"stop process {holder}" in caught.value.hint

    with grown.writing():
        assert child(second_writer) == 0
    assert child(lambda: Store.open(grown.folder).put(b"x")) == 0


def test_a_second_thread_and_a_second_store_are_kept_out(grown):
    problems = []

    def write(store):
        try:
            store.put(b"x")
        except StoreError as error:
            problems.append(error.problem)

    with grown.writing():
        thread = threading.Thread(target=write, args=(grown,))
        thread.start()
        thread.join()
        write(Store.open(grown.folder))
        grown.put(b"y")  # still ours
    assert len(problems) == 2
    write(grown)
    assert len(problems) == 2


def test_the_lock_ends_with_an_exception_and_with_its_process(grown):
    with pytest.raises(ZeroDivisionError), grown.writing():
        raise ZeroDivisionError

    def die_while_writing():
        with grown.writing():
            kill_myself()

    assert child(die_while_writing) != 0
    grow(grown, "three")


def test_a_lock_without_signature_is_a_lock(tmp_path, disk):
    disk(2, disk_full)
    with WriteLock(tmp_path / "lock").held(), pytest.raises(StoreError) as caught:
        WriteLock(tmp_path / "lock").held().__enter__()
    assert caught.value.problem == f"{tmp_path}: another process is writing to this store"


def test_a_longer_signature_is_replaced(tmp_path):
    (tmp_path / "lock").write_text("x" * 500)
    with WriteLock(tmp_path / "lock").held():
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()
