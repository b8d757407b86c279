"""Every way to call a commit, and every way to get it wrong."""

import dataclasses
import hashlib
import itertools

import pytest
from sample_commits import grow

from everlearn import records
from everlearn.errors import StoreError


def test_all_names_of_a_commit(grown):
    two, one, base = (entry.digest for entry in grown.history())
    grown.create_branch("side", one)
    named = {
        two: ["head", "HEAD", "main", "head~0", two, two[:4], two[:12]],
        one: ["head~", "head~1", "main~1", "side", "side~0", f"{two[:6]}~1"],
        base: ["base", "Base", "head~2", "side~", "base~0"],
    }
    for digest, names in named.items():
        for name in names:
            assert grown.resolve(name) == digest, name


@pytest.mark.parametrize("name", ["", "~", "~1", "head~x", "head~-1", "head~1~1", "abc", "nothing", "../HEAD", "head "])
def test_what_is_nothing_is_refused_with_the_names_there_are(grown, name):
    with pytest.raises(StoreError) as caught:
        grown.resolve(name)
    assert caught.value.problem == f"there is no commit or branch called {name!r}"
    assert "there are: base, head, main" in caught.value.hint


def test_the_nearest_name_is_given(grown):
    with pytest.raises(StoreError) as caught:
        grown.resolve("mian")
    assert caught.value.hint.startswith("did you mean 'main'?")


def test_beyond_the_base_is_nothing(grown):
    with pytest.raises(StoreError) as caught:
        grown.resolve("main~3")
    assert (caught.value.problem, caught.value.hint) == (
        "'main~3' goes back further than the base",
        "the base is main~2",
    )


def test_other_objects_with_the_same_first_digits_do_not_count(grown):
    start = grown.head()[:4]
    contents = (b"%d" % number for number in itertools.count())
    grown.put(next(content for content in contents if hashlib.sha256(content).hexdigest().startswith(start)))
    assert grown.resolve(start) == grown.head()


def test_the_first_digits_of_two_commits_are_refused_with_both(grown):
    by_start = {}
    for number in itertools.count():
        commit = dataclasses.replace(grown.commit("head"), message=f"{number}")
        twin = by_start.setdefault(records.digest(commit)[:4], commit)
        if twin is not commit:
            break
    first, second = sorted([grown.add_commit(twin), grown.add_commit(commit)])
    with pytest.raises(StoreError) as caught:
        grown.resolve(first[:4])
    assert caught.value.problem == f"{first[:4]!r} may be 2 commits"
    assert caught.value.hint == f"give more digits: {first}, {second}"


def test_a_damaged_commit_is_called_damaged(grown):
    digest = grown.head()
    path = grown._objects.locate(digest)
    path.write_bytes(path.read_bytes()[:-1])
    for name in ("head~1", digest, digest[:8]):
        with pytest.raises(StoreError, match="is damaged"):
            grown.resolve(name)


def test_before_the_first_commit(store):
    for name in ("head", "base", "main", "head~1"):
        with pytest.raises(StoreError) as caught:
            store.resolve(name)
        assert caught.value.problem == "branch 'main' has no commits yet"
        assert "everlearn learn" in caught.value.hint


def test_a_rolled_back_commit_is_still_found_by_its_digest(grown):
    newest = grow(grown, "three")
    grown.advance(grown.resolve("head~1"))
    assert newest not in [entry.digest for entry in grown.history()]
    assert grown.resolve(newest[:6]) == newest
