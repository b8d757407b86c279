"""Rows with `text` in, documents out."""

from everlearn.data import read_items, read_questions
from everlearn.records import Document, Origin


def test_each_row_is_a_document(write):
    reading = read_items(write("data.jsonl", [{"text": "one\n"}, {"text": "two", "title": "Two"}]))
    assert reading.format == "plain_text_rows"
    assert reading.items == (
        Document("one\n", "", Origin("data.jsonl", 1)),
        Document("two", "Two", Origin("data.jsonl", 2)),
    )


def test_faults(write, fails):
    assert fails(write("data.jsonl", [{"text": ""}]))[0] == 'data.jsonl:1: "text" is empty'
    assert fails(write("data.jsonl", [{"text": 1}]))[0] == 'data.jsonl:1: "text" is a number, not a text'


def test_texts_ask_nothing(write, fails):
    problem, hint = fails(write("data.jsonl", [{"text": "one"}]), read_questions)
    assert problem == "data.jsonl:1: plain_text_rows holds no questions"
    assert hint == ('give rows such as {"question": "...", "answer": "..."}, chat messages, or a CSV table')
