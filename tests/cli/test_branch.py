"""A name in, the branch made or switched to out."""

from everlearn.store import Store


def test_listing(call, home):
    head = Store.open(home).head()
    assert call("branch", "--json").json == {"branches": {"main": head}, "current": "main", "head": head}
    assert f"*  main    {head[:8]}  notes" in call("branch").out


def test_a_new_branch_starts_at_a_version_and_is_switched_to(call, home):
    found = call("branch", "trial", "base", "--json").json
    assert found["current"] == "trial"
    assert found["head"] == Store.open(home).resolve("base")


def test_an_old_branch_is_switched_to(call, home):
    call("branch", "trial")
    assert call("branch", "main", "--json").json["current"] == "main"


def test_a_branch_is_not_moved_by_naming_it_again(call, home):
    outcome = call("branch", "main", "base")
    assert outcome.code == 1
    assert outcome.err.startswith("error: branch 'main' exists already\n")
