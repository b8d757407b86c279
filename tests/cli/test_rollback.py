"""A reference in, the branch moved there, and a word on what changed, out."""

from everlearn.store import Store


def test_one_version_back_and_forward_again(call, home):
    store = Store.open(home)
    old, new = store.head(), store.resolve("head~1")
    outcome = call("rollback")
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        f"main is now at {new[:8]} (first)",
        f"  no longer learnt: {old[:8]} notes",
        f"`everlearn rollback {old[:8]}` takes it back",
        f"`everlearn branch NAME {old[:8]}` keeps {old[:8]} safe from `everlearn gc`",
    ]
    assert store.head() == new
    assert f"  learnt again: {old[:8]} notes" in call("rollback", old[:8]).out
    assert store.head() == old


def test_json(call, home):
    store = Store.open(home)
    old = store.head()
    found = call("rollback", "base", "--json").json
    assert (found["from"], found["to"], found["branch"]) == (old, store.resolve("base"), "main")
    assert [one["message"] for one in found["no_longer_learnt"]] == ["notes", "first"]
    assert found["learnt_again"] == []


def test_to_where_it_is(call, home):
    head = Store.open(home).head()
    assert call("rollback", "head").out == f"main is at {head[:8]} already\n"


def test_further_than_the_base(call, home):
    outcome = call("rollback", "head~7")
    assert outcome.code == 1
    assert outcome.err.startswith("error: 'head~7' goes back further than the base\nhint: ")
