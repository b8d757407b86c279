"""Facts in, text that is safe to show out."""

from everlearn.cli.terminal.output import clipped, said, visible, wanted
from everlearn.records import Answer, Message, Question


def test_control_characters_cannot_steer_the_terminal():
    assert visible("a\x1b[31mb\x07\n\tc") == "a␛[31mb␇\n\tc"


def test_long_text_is_clipped_to_one_line():
    assert clipped("one\n two  three", 20) == "one two three"
    assert clipped("abcdefgh", 5) == "abcd…"


def test_an_answer_that_does_not_end_is_told_from_the_right_one():
    assert said(Answer("", "", False, "42", 0.0), "42", 20) == "42 (and goes on)"
    assert said(Answer("", "", True, "42", 0.0), "42", 20) == "42"
    assert said(Answer("", "", False, "", 0.0, "too long"), "42", 20) == "(too long)"


def test_what_is_wanted_of_a_question_that_a_check_grades():
    turn = (Message("user", "?"),)
    assert wanted(Question(turn, ("42", "forty-two"))) == "42"
    assert wanted(Question(turn, ("3",), grade="comma_list")) == "(comma_list 3)"
