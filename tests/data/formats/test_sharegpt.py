"""Rows with `conversations` in, examples and questions out."""

import pytest

from everlearn.data import read_items, read_questions
from everlearn.records import Message


@pytest.mark.parametrize(("human", "gpt"), [("human", "gpt"), ("user", "assistant")])
def test_roles_are_translated(write, human, gpt):
    turns = [
        {"from": "system", "value": "s"},
        {"from": human, "value": "q"},
        {"from": gpt, "value": "a"},
    ]
    path = write("data.json", [{"conversations": turns}])
    reading = read_items(path)
    assert reading.format == "sharegpt"
    assert reading.items[0].messages == (
        Message("system", "s"),
        Message("user", "q"),
        Message("assistant", "a", learn=True),
    )
    assert read_questions(path)[0].gold == ("a",)


def test_unknown_role(write, fails):
    turns = [{"from": "human", "value": "q"}, {"from": "bing", "value": "a"}]
    problem, hint = fails(write("data.jsonl", [{"conversations": turns}]))
    assert problem == 'data.jsonl:1: message 2 has the unknown role "bing"'
    assert hint == "there are: assistant, gpt, human, system, user"


def test_no_answer_and_turns_of_another_format(write, fails):
    path = write("data.jsonl", [{"conversations": [{"from": "human", "value": "q"}]}])
    assert fails(path)[0] == 'data.jsonl:1: no "gpt" message; each line needs one'
    path = write("data.jsonl", [{"conversations": [{"role": "user", "content": "q"}]}])
    problem, hint = fails(path)
    assert problem == 'data.jsonl:1: message 1 has no "from"'
    assert hint == 'write it as {"from": "user", "value": "..."}'
