"""A question in, the answer of a version out."""

from everlearn.store import Store


def test_the_answer_alone_is_on_stdout(call, home):
    assert call("ask", "What is the code?").out == "42\n"


def test_json_says_which_version_answered(call, home):
    found = call("ask", "What is the code?", "--json").json
    assert found == {"answer": "42", "at": Store.open(home).head(), "question": "What is the code?"}


def test_an_earlier_version_can_be_asked(call, home):
    found = call("ask", "What is the code?", "--at", "base", "--json").json
    assert found["answer"] != "42"
    assert found["at"] == Store.open(home).resolve("base")


def test_an_unknown_reference(call, home):
    outcome = call("ask", "What?", "--at", "hed")
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.splitlines() == [
        "error: there is no commit or branch called 'hed'",
        "hint: did you mean 'head'? there are: base, head, main, or the first 4 digits of a commit",
    ]


def test_asking_makes_no_store(call, fresh):
    assert call("ask", "What?").code == 1
    assert not (fresh / ".everlearn").exists()
