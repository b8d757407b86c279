"""Broken conversations in, errors that name the message out."""

import pytest

from everlearn.data import read_items

FORM = 'write it as {"role": "user", "content": "..."}'


@pytest.mark.parametrize(
    ("messages", "problem", "hint"),
    [
        ("hi", '"messages" is a text, not a list', f'write it as "messages": [{FORM[12:]}, ...]'),
        (["hi"], "message 1 is a text, not an object", FORM),
        ([{"content": "hi"}], 'message 1 has no "role"', FORM),
        ([{"role": "user"}], 'message 1 has no "content"', FORM),
        (
            [{"role": "user", "content": "hi"}, {"role": "assistent", "content": "hi"}],
            'message 2 has the unknown role "assistent"',
            "did you mean 'assistant'? there are: assistant, system, user",
        ),
        (
            [{"role": "user", "content": [{"type": "text"}]}],
            '"content" of message 1 is a list, not a text',
            'write it in quotes: "..."',
        ),
        (
            [{"role": "user", "content": "hi"}, {"role": "assistant", "content": None}],
            '"content" of message 2 is null, not a text',
            'write it in quotes: "..."',
        ),
        (
            [{"role": 1, "content": "hi"}],
            '"role" of message 1 is a number, not a text',
            'write it in quotes: "..."',
        ),
        (
            [{"role": "user", "content": "hi"}, {"role": "assistant", "content": " \n"}],
            'message 2 of the "assistant" is empty',
            "write the answer to be learnt, or delete the row",
        ),
        (
            [{"role": "user", "content": "hi"}],
            'no "assistant" message; each line needs one',
            'add a turn of the "assistant", or delete the row',
        ),
        (
            [],
            'no "assistant" message; each line needs one',
            'add a turn of the "assistant", or delete the row',
        ),
    ],
)
def test_faults_in_turns(write, fails, messages, problem, hint):
    good = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    path = write("data.jsonl", [good] * 16 + [{"messages": messages}])
    assert fails(path) == (f"data.jsonl:17: {problem}", hint)


def test_only_the_answers_must_not_be_empty(write):
    turns = [{"role": "system", "content": ""}, {"role": "user", "content": ""}]
    answer = {"role": "assistant", "content": "b"}
    assert len(read_items(write("data.jsonl", [{"messages": [*turns, answer]}])).items[0].messages) == 3


def test_further_keys_of_a_turn_are_ignored(write):
    turns = [{"role": "user", "content": "a", "name": "Ann"}, {"role": "assistant", "content": "b", "id": 4}]
    assert len(read_items(write("data.jsonl", [{"messages": turns}])).items[0].messages) == 2
