"""What weights have answered is known again; a torn line is not."""

from __future__ import annotations

from everlearn.records import Answer
from everlearn.store.answers import AnswerBook


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
