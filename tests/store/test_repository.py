"""The whole store: commits, branches, rejection, four writers at once, and a read-only folder."""

import dataclasses
import os
import stat
import tempfile
import time
from pathlib import Path

import pytest
from sample_commits import add, files, grow
from simulated_disk import child

from everlearn.errors import StoreError
from everlearn.records import Commit, Cost
from everlearn.store import Store

COMMIT = Commit(parent="", model="tiny", model_digest="0" * 64, method="finetune")


def test_a_commit_comes_back_as_it_was(store):
    commit = dataclasses.replace(
        COMMIT,
        settings={"rate": 1e-5, "rank": 8, "names": ["a", "b"]},
        stage_object=store.put(b"stage"),
        memory_objects={"buffer": store.put(b"buffer")},
        cost=Cost(tokens={"new": 12}, seconds=1.5),
        message="Überblick",
    )
    digest = store.add_commit(commit)
    assert store.commit(digest) == commit
    assert store.add_commit(commit) == digest
    with pytest.raises(StoreError):
        store.head()  # no reference moved


@pytest.mark.parametrize(
    "broken",
    [
        {"parent": "a" * 64},
        {"weights_object": "b" * 64},
        {"stage_object": "c" * 64},
        {"memory_objects": {"buffer": "d" * 64}},
        {"exam_object": "../../../etc/passwd"},
    ],
)
def test_a_commit_that_names_what_is_not_there_is_refused(grown, broken):
    before = files(grown.folder)
    with pytest.raises(StoreError):
        grown.add_commit(dataclasses.replace(COMMIT, **broken))
    assert files(grown.folder) == before


def test_a_parent_must_be_a_commit(grown):
    with pytest.raises(StoreError, match="is no commit"):
        grown.add_commit(dataclasses.replace(COMMIT, parent=grown.commit("head").weights_object))


def test_branches_grow_apart(grown):
    fork = grown.head()
    grown.create_branch("side", fork)
    assert grown.branch() == "main"
    grown.switch("side")
    assert grown.branch() == "side"
    side = grow(grown, "side")
    assert grown.branches() == {"main": fork, "side": side}
    grown.switch("main")
    main = grow(grown, "main")
    assert grown.branches() == {"main": main, "side": side}
    assert [entry.commit.message for entry in grown.history("side")] == ["side", "two", "one", "base"]


def test_rollback_moves_the_branch_and_keeps_the_commit(grown):
    newest, older = grown.head(), grown.resolve("head~1")
    grown.advance(older)
    assert (grown.head(), grown.branch()) == (older, "main")
    grown.advance(newest)
    assert grown.head() == newest


def test_a_detached_head_moves_by_itself(grown):
    main = grown.head()
    grown.switch("head~1")
    assert (grown.branch(), grown.head()) == ("", grown.resolve("main~1"))
    digest = grow(grown, "detached")
    assert (grown.head(), grown.branches()) == (digest, {"main": main})


def test_a_rejected_commit_can_be_inspected(grown):
    before = grown.head()
    digest = add(grown, "bad")
    grown.reject(digest)
    assert (grown.head(), grown.rejected()) == (before, [digest])
    assert grown.commit(digest[:8]).message == "bad"


@pytest.mark.parametrize("move", ["advance", "create_branch", "reject"])
def test_no_reference_leads_to_what_is_not_there(grown, move):
    def point(digest):
        getattr(grown, move)(*(["new"] if move == "create_branch" else []), digest)

    newest = add(grown, "three")
    not_a_commit, whole = grown.put(b"x"), files(grown.folder)
    for digest in ("a" * 64, not_a_commit, "head", ""):
        with pytest.raises(StoreError):
            point(digest)
        assert files(grown.folder) == whole
    grown._objects.delete(grown.commit("head~1").weights_object)  # deep in the history
    with pytest.raises(StoreError, match="is missing"):
        point(newest)


def test_a_branch_that_exists_is_not_overwritten(grown):
    for name in ("main", "MAIN"):
        with pytest.raises(StoreError, match="exists already"):
            grown.create_branch(name, grown.resolve("base"))


def test_switching_to_nothing_names_the_nearest(grown):
    with pytest.raises(StoreError) as caught:
        grown.switch("mainn")
    assert "did you mean 'main'?" in caught.value.hint


def test_four_processes_lose_no_commit(store):
    grow(store, "base")

    def ten_commits(worker):
        own = Store.open(store.folder)
        for number in range(10):
            while True:
                try:
                    grow(own, f"{worker}-{number}")
                    break
                except StoreError as error:
                    assert "is writing to this store" in error.problem, error
                    time.sleep(0.002)

    workers = []
    for worker in range(4):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                ten_commits(worker)
                status = 0
            finally:
                os._exit(status)
        workers.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in workers] == [0] * 4
    messages = [entry.commit.message for entry in store.history()]
    assert sorted(messages) == sorted(["base", *(f"{w}-{n}" for w in range(4) for n in range(10))])
    assert store.verify() == []
    assert store.leftovers() == []


def test_a_folder_that_may_not_be_written_to_can_be_read():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        store = Store.create(folder)
        head = grow(store, "base")
        for path in (folder / ".everlearn", *(folder / ".everlearn").rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)

        def work_as_somebody_else():
            if os.geteuid() == 0:
                os.setuid(65534)
            own = Store.open(folder)
            assert own.verify() == [] and own.head() == head and own.history()
            for write in (lambda: own.put(b"x"), lambda: own.advance(head), own.collect_garbage):
                with pytest.raises(StoreError, match="the store is read-only") as caught:
                    write()
                assert "copy of the store" in caught.value.hint
            with pytest.raises(StoreError, match="the store is read-only"):
                Store.create(folder / ".everlearn" / "objects")

        assert child(work_as_somebody_else) == 0
        for path in (folder / ".everlearn", *(folder / ".everlearn").rglob("*")):
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
