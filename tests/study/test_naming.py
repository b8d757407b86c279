"""A question made of a document must say what it is about."""

from __future__ import annotations

from everlearn.records import Example, Message, Origin
from everlearn.study.naming import name_subject
from everlearn.study.strategies.contract import exchange

TEXT = "The Zorb House has a lamp. At Zorb it is warm. " * 6 + "Pell pays."


def asked_of(*questions: str, text: str = TEXT) -> list[str]:
    examples = [exchange(question, "x", Origin("", 0), "rules") for question in questions]
    return [example.messages[0].content for example in name_subject(examples, text, 0)]


def test_the_subject_is_named_where_no_question_names_one():
    (asked,) = asked_of("Who pays?")
    assert "Zorb" in asked
    assert "House" not in asked, "the shorter name is in more sentences"
    assert "Who pays?" in asked


def test_questions_that_name_it_stay():
    assert asked_of("When does Zorb open?") == ["When does Zorb open?"]


def test_a_text_without_a_recurring_name_changes_nothing():
    assert asked_of("Who pays?", text="The sun is warm. The moon is cold.") == ["Who pays?"]


def test_plain_text_and_answers_stay():
    text = Example((Message("text", "Pell pays.", learn=True),), Origin("", 0))
    assert name_subject([text], TEXT, 0) == [text]
    (named,) = name_subject([exchange("Who pays?", "Pell", Origin("", 0), "rules")], TEXT, 0)
    assert named.messages[1] == Message("assistant", "Pell", learn=True)
