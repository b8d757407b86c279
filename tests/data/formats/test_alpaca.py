"""Rows with `instruction`, `input` and `output` in, examples and questions out."""

import json

import pytest

from everlearn.data import read_items, read_questions
from everlearn.records import Message

ROW = {"instruction": "Translate.", "input": "Guten Tag", "output": "Good day"}


def test_the_input_follows_the_instruction_after_a_blank_line(write):
    path = write("data.jsonl", [ROW])
    reading = read_items(path)
    assert reading.format == "alpaca"
    assert reading.items[0].messages == (
        Message("user", "Translate.\n\nGuten Tag"),
        Message("assistant", "Good day", learn=True),
    )
    assert read_questions(path)[0].gold == ("Good day",)


@pytest.mark.parametrize("given", [{}, {"input": ""}, {"input": " "}, {"input": None}])
def test_without_input(write, given):
    row = {"instruction": "Greet.", "output": "Hi", **given}
    assert read_items(write("data.jsonl", [row])).items[0].messages[0].content == "Greet."


def test_as_a_json_array(write):
    path = write("data.json", json.dumps([ROW, {**ROW, "input": "Gute Nacht"}], indent=2))
    reading = read_items(path)
    assert (reading.format, [item.origin.line for item in reading.items]) == ("alpaca", [2, 7])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"output": ""}, '"output" is empty'),
        ({"instruction": "\n"}, '"instruction" is empty'),
        ({"input": ["x"]}, '"input" is a list, not a text'),
        ({"output": None}, '"output" is null, not a text'),
    ],
)
def test_faults(write, fails, change, problem):
    assert fails(write("data.jsonl", [ROW, {**ROW, **change}]))[0] == f"data.jsonl:2: {problem}"
