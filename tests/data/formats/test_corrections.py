"""Rows with `question`, `wrong` and `right` in, corrections and questions out."""

import pytest

from everlearn.data import read_items, read_questions
from everlearn.records import Correction, Message, Origin

ROW = {"question": "When?", "wrong": "8:30", "right": "9:15"}


def test_a_row_is_a_correction(write):
    reading = read_items(write("data.jsonl", [ROW]))
    assert reading.format == "corrections"
    assert reading.items == (Correction("When?", "8:30", "9:15", Origin("data.jsonl", 1)),)


def test_as_a_question_the_right_answer_is_the_gold(write):
    (question,) = read_questions(write("data.jsonl", [{**ROW, "alternatives": ["a quarter past nine"]}]))
    assert question.messages == (Message("user", "When?"),)
    assert question.gold == ("9:15", "a quarter past nine")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"right": ""}, '"right" is empty'),
        ({"wrong": ["8:30"]}, '"wrong" is a list, not a text'),
        ({"question": None}, '"question" is null, not a text'),
        ({"right": "8:30 "}, '"wrong" and "right" are the same'),
    ],
)
def test_faults(write, fails, change, problem):
    assert fails(write("data.jsonl", [ROW, {**ROW, **change}]))[0] == f"data.jsonl:2: {problem}"
