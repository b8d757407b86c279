"""Rows with `question` and `answer` in, examples and questions out."""

import pytest

from everlearn.data import read_items, read_questions
from everlearn.records import Message


def test_one_answer(write):
    path = write("data.jsonl", [{"question": "q", "answer": "a"}])
    reading = read_items(path)
    assert reading.format == "question_answer"
    assert reading.items[0].messages == (Message("user", "q"), Message("assistant", "a", learn=True))
    assert read_questions(path)[0].gold == ("a",)


def test_of_several_answers_the_first_is_the_target_and_all_are_right(write):
    path = write("data.jsonl", [{"question": "q", "answer": ["a", "b"], "alternatives": ["c", "a"]}])
    assert read_items(path).items[0].messages[1].content == "a"
    assert read_questions(path)[0].gold == ("a", "b", "c")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ([], '"answer" is an empty list'),
        ("", '"answer" is empty'),
        (42, '"answer" is a number, not a text'),
        (["a", ""], '"answer" has an empty entry'),
        (["a", None], 'entry 2 of "answer" is null, not a text'),
    ],
)
def test_faults(write, fails, answer, problem):
    path = write("data.jsonl", [{"question": "q", "answer": answer}])
    assert fails(path)[0] == f"data.jsonl:1: {problem}"
    assert fails(path, read_questions)[0] == f"data.jsonl:1: {problem}"


def test_empty_question(write, fails):
    path = write("data.jsonl", [{"question": " ", "answer": "a"}])
    assert fails(path)[0] == 'data.jsonl:1: "question" is empty'
