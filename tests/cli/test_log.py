"""A store in; its versions, newest first, out."""

from everlearn.store import Store


def test_newest_first_with_refused_ones_on_top_of_their_parent(call, home):
    store = Store.open(home)
    lines = call("log", "--json").json
    assert [line["id"] for line in lines] == [
        store.head(),
        store.rejected()[0],
        store.resolve("head~1"),
        store.resolve("base"),
    ]
    assert [line["accepted"] for line in lines] == [True, False, True, True]


def test_what_was_learnt_and_kept(call, home):
    newest, _, first, base = call("log", "--json").json
    assert first["learnt"] == [0, 0.75]
    assert (first["general"], first["earlier"]) == (1, None)
    assert newest["earlier"] == 1
    assert base["learnt"] is None


def test_the_page_fits_80_columns_and_marks_refused_versions(call, home):
    outcome = call("log")
    head = Store.open(home).head()
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert any(line.startswith(head[:8]) and "notes" in line for line in outcome.out.splitlines())
    assert outcome.out.count("REJECTED: notes") == 1
    assert "0% → 75%" in outcome.out


def test_after_a_rollback_only_the_line_of_head_is_listed(call, home):
    call("rollback", "base")
    assert [line["message"] for line in call("log", "--json").json] == ["base"]
