"""A reference in, all that is recorded of the version out."""

from everlearn.store import Store


def test_where_a_version_comes_from_and_what_it_learnt_from(call, home):
    store = Store.open(home)
    shown = call("show", "--json").json
    assert shown["branches"] == ["main"]
    assert shown["card"]["parent"] == store.resolve("head~1")
    assert shown["data"]["items"] == {"document": 1}
    assert shown["data"]["examples"]["rules"] > 10
    assert (shown["method"], shown["settings"]["epochs"]) == ("replay", 20)
    assert shown["answers"] is None


def test_the_page_names_the_parent(call, home):
    store = Store.open(home)
    out = call("show").out
    assert f"version  {store.head()[:8]} (head of main)" in out
    assert f"parent   {store.resolve('head~1')[:8]}" in out
    assert "Kept: earlier stages" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_refused_version_can_be_inspected(call, home):
    refused = Store.open(home).rejected()[0]
    outcome = call("show", refused[:8])
    assert outcome.code == 0
    assert "Rejected. Nothing trained" in outcome.out


def test_answers_lists_every_recorded_answer(call, home):
    answers = call("show", "--answers", "--json").json["answers"]
    assert [answer["part"] for answer in answers] == ["general: chat"] * 2 + ["general: format"] + ["rows"] * 4
    assert answers[3]["question"] == "What is the code?"
    assert (answers[3]["wanted"], answers[3]["answer"]["correct"]) == ("42", True)
    out = call("show", "--answers").out
    assert "✓  What is the code?" in out
    assert "✗  Who is it?" in out


def test_the_base_has_no_parent(call, home):
    out = call("show", "base").out
    assert "parent   none: this is the base" in out


def test_an_unknown_reference(call, home):
    outcome = call("show", "man")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("error: there is no commit or branch called 'man'\nhint: did you mean 'main'?")
