"""What weights have answered is known again; a torn line is not."""

from __future__ import annotations

from everlearn.records import Answer
from everlearn.store.answers import ASKING, AnswerBook, books_of


def answer(question: str, error: str = "") -> Answer:
    return Answer(question, "group", True, "a\nb", 0.5, error)


def test_answers_are_known_again(tmp_path):
    AnswerBook(tmp_path, "w" * 64).add([answer("one"), answer("two")])
    AnswerBook(tmp_path, "w" * 64).add([answer("three")])
    assert AnswerBook(tmp_path, "w" * 64).known() == {name: answer(name) for name in ("one", "two", "three")}
    assert AnswerBook(tmp_path, "v" * 64).known() == {}


def test_what_could_not_be_asked_is_asked_again(tmp_path):
    AnswerBook(tmp_path, "w").add([answer("one", "too long")])
    assert AnswerBook(tmp_path, "w").known() == {}


def test_a_line_cut_short_is_passed_over(tmp_path):
    book = AnswerBook(tmp_path, "w")
    book.add([answer("one"), answer("two")])
    (file,) = (tmp_path / "answers").iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    assert set(book.known()) == {"one"}
    book.add([answer("three")])
    assert set(book.known()) == {"one", "three"}


def test_books_of_weights_that_are_gone_and_of_past_ways_to_ask_are_found(tmp_path):
    for weights in ("a" * 64, "b" * 64, "c" * 64):
        AnswerBook(tmp_path, weights).add([answer("one")])
    past = tmp_path / "answers" / f"{'d' * 32}-0.jsonl"
    past.write_bytes(b"")
    gone = tmp_path / "answers" / f"{'b' * 32}-{ASKING}.jsonl"
    assert books_of(tmp_path, ["b" * 64]) == [gone, past]
    assert books_of(tmp_path / "none", []) == []
