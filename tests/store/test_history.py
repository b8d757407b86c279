"""Commits, their ancestors and what they need."""

import pytest
from sample_commits import add, grow

from everlearn.errors import StoreError
from everlearn.store.history import ancestry, needs, read_commit, require_all


def test_ancestry_goes_from_the_newest_to_the_base(grown):
    entries = list(ancestry(grown._objects, grown.head()))
    assert [entry.commit.message for entry in entries] == ["two", "one", "base"]
    assert [entry.commit.parent for entry in entries[:-1]] == [entry.digest for entry in entries[1:]]
    assert entries[-1].commit.parent == ""


def test_an_object_that_is_no_commit_is_refused(grown):
    for data in (b"{}", b"\xff\x00", b'{"parent":', b"[]"):
        digest = grown.put(data)
        with pytest.raises(StoreError, match=f"object {digest[:12]} is no commit"):
            read_commit(grown._objects, digest)


def test_needs_are_all_objects_and_each_commit_is_read_once(grown):
    assert {need.digest for need in needs(grown._objects, grown.head(), set())} == set(grown._objects)
    side = add(grown, "side", grown.resolve("head~1"))
    seen = {entry.digest for entry in grown.history()}
    new = {need.digest for need in needs(grown._objects, side, seen)}
    commit = read_commit(grown._objects, side)
    assert new == {side, commit.parent, *commit.objects()}


def test_a_history_with_a_hole_is_refused(grown):
    old = grown.commit("head~1")
    hole = grown._objects.locate(old.weights_object)
    hole.unlink()
    with pytest.raises(StoreError) as caught:
        require_all(grown._objects, grown.head())
    assert str(caught.value) == f"{hole}: the object is missing; commit {grown.resolve('head~1')[:12]} needs it"
    require_all(grown._objects, grown.resolve("base"))


def test_settings_and_numbers_come_back(store):
    digest = grow(store, "bäse")
    assert store.commit(digest).message == "bäse"
