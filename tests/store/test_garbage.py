"""Garbage collection removes what nothing refers to, and nothing else."""

import random

import pytest
from sample_commits import add, files, grow
from simulated_disk import child

from everlearn.errors import StoreError
from everlearn.records import Answer, encode
from everlearn.store import Store, durable


def needed(store):
    """Every object that a branch, HEAD or a rejected commit leads to, told by plain reading."""
    found = set()
    for tip in {*store.branches().values(), store.head(), *store.rejected()}:
        for digest, commit in store.history(tip):
            found |= {digest, *commit.objects()}
    return found


def test_nothing_is_removed_where_all_is_needed(grown):
    before = files(grown.folder)
    assert grown.collect_garbage() == ((), (), 0, ())
    assert files(grown.folder) == before


def test_what_a_rollback_left_is_removed_and_counted(grown):
    gone, commit = grown.head(), grown.commit("head")
    size = sum(grown.size(digest) for digest in (gone, *commit.objects()))
    grown.advance(grown.resolve("head~1"))
    loose = grown.put(b"loose")
    kept, asked = (grown.answers(weights) for weights in (grown.commit("head").weights_object, commit.weights_object))
    for book in (kept, asked):
        book.add([Answer("question", "group", True, "said", 0.5)])
    size += sum(len(encode(answer)) + 2 for answer in asked.known().values())
    planned = grown.collect_garbage(dry_run=True)
    assert set(planned.objects) == {gone, *commit.objects(), loose}
    assert planned.bytes_freed == size + 5
    assert gone in grown._objects
    assert grown.collect_garbage() == planned
    assert set(grown._objects) == needed(grown)
    assert kept.known() and not asked.known()
    assert grown.verify() == []


def test_rejected_branched_and_detached_commits_are_kept(grown):
    rejected, branched, detached = (add(grown, text) for text in ("rejected", "branched", "detached"))
    grown.reject(rejected)
    grown.create_branch("side", branched)
    grown.switch(detached)
    assert grown.branch() == ""
    assert grown.collect_garbage().objects == ()
    assert [grown.commit(digest).message for digest in (rejected, branched, detached)] == [
        "rejected",
        "branched",
        "detached",
    ]


def test_stale_temporary_files_and_folders_are_removed(grown):
    root = grown.folder / ".everlearn"
    (root / "refs" / "branches" / f"{durable.TEMPORARY}1-a").write_bytes(b"12345")
    forgotten = root / f"{durable.TEMPORARY}1-b"
    forgotten.mkdir()
    (forgotten / f"{durable.TEMPORARY}1-c").touch()
    (forgotten / "checkpoint").write_bytes(b"123")
    assert len(grown.leftovers()) == 2
    assert grown.verify() == []
    collected = grown.collect_garbage()
    assert (len(collected.leftovers), collected.bytes_freed) == (2, 8)
    assert grown.leftovers() == []


def test_an_unfinished_run_keeps_all_objects(grown):
    loose = grown.put(b"the stage of the run")
    grown.write_running("state.json", loose.encode())
    collected = grown.collect_garbage()
    assert (collected.objects, collected.kept_for_run, collected.bytes_freed) == ((), (loose,), 0)
    assert grown.get(loose) == b"the stage of the run"
    grown.clear_running()
    assert grown.collect_garbage().objects == (loose,)


@pytest.mark.parametrize("victim", ["refs/branches/main", "HEAD", "commit"])
def test_nothing_is_removed_from_a_damaged_store(grown, victim):
    grown.put(b"loose")
    grown.create_branch("side", grown.resolve("base"))
    path = grown._objects.locate(grown.head()) if victim == "commit" else grown.folder / ".everlearn" / victim
    path.write_bytes(path.read_bytes()[:-1])
    before = files(grown.folder)
    with pytest.raises(StoreError, match="is damaged"):
        grown.collect_garbage()
    assert files(grown.folder) == before


def test_a_damaged_object_that_nothing_needs_is_removed(grown):
    loose = grown.put(b"loose")
    grown._objects.locate(loose).write_bytes(b"l00se")
    assert grown.verify()[0].repair == "no commit in use needs it: `everlearn gc` removes it"
    grown.collect_garbage()
    assert grown.verify() == []


def test_no_collection_under_a_writer(grown):
    loose = grown.put(b"loose")

    def collect():
        with pytest.raises(StoreError, match="is writing to this store"):
            Store.open(grown.folder).collect_garbage()

    with grown.writing():
        assert child(collect) == 0
    assert grown.get(loose) == b"loose"


def test_whatever_happened_before_the_needed_stays(store):
    chance = random.Random(7)
    digests = [grow(store, "base")]
    for step in range(60):
        act = chance.choice(["grow", "grow", "rollback", "branch", "switch", "reject", "loose", "collect"])
        if act == "grow":
            digests.append(grow(store, f"{step}"))
        elif act == "rollback":
            store.advance(chance.choice(digests))
        elif act == "branch":
            store.create_branch(f"b{step}", chance.choice(digests))
        elif act == "switch":
            store.switch(chance.choice([*store.branches(), chance.choice(digests)]))
        elif act == "reject":
            store.reject(add(store, f"{step}"))
        elif act == "loose":
            store.put(b"%d" % step)
        else:
            before = needed(store)
            removed = store.collect_garbage().objects
            assert set(store._objects) == before
            assert not before.intersection(removed)
            assert store.verify() == []
            digests = [digest for digest in digests if digest in before]
    assert len(needed(store)) > 20
