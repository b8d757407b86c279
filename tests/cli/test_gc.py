"""A store in; what nothing needs removed, and its size, out."""

from everlearn.store import Store

from .conftest import contents


def test_a_dry_run_removes_nothing(call, home):
    call("rollback")
    before = contents(home)
    found = call("gc", "--dry-run", "--json").json
    assert found["dry_run"] is True
    assert len(found["objects"]) >= 1
    assert found["bytes_freed"] > 0
    after = contents(home)
    before.pop(".everlearn/lock"), after.pop(".everlearn/lock")
    assert after == before


def test_what_was_rolled_back_is_removed(call, home):
    left = Store.open(home).head()
    call("rollback")
    outcome = call("gc")
    assert outcome.out.startswith("removed ")
    assert call("show", left[:8]).code == 1
    assert call("verify").code == 0


def test_nothing_to_remove(call, home):
    assert call("gc").out == "removed 0 objects and 0 unfinished files, 0 B\n"


def test_everything_stays_while_a_run_is_unfinished(call, home):
    call("rollback")
    Store.open(home).write_running("request.json", b"{}")
    assert "stay while a run is unfinished" in call("gc").out
