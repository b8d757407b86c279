"""The rules must ask for the facts of a text in several true ways."""

from __future__ import annotations

import pytest

from everlearn.records import Document
from everlearn.study.sentences import clauses, sentences, spans, subjects
from everlearn.study.strategies.rules import Rules

TEXT = """# The Zorb house

The code of the Zorb gate is 42. Anna Bell leads the Zorb house, so please ask Anna Bell.

- A loan lasts ten days.
- The Zorb hall opens at 9:30.
"""


def asked(text: str) -> dict[str, set[str]]:
    """Questions by answer."""
    found: dict[str, set[str]] = {}
    for example in Rules().examples(Document(text), None, 0):
        question, answer = (turn.content for turn in example.messages)
        found.setdefault(answer, set()).add(question)
    return found


def test_headings_and_list_marks_are_no_sentences():
    assert sentences(TEXT) == [
        "The code of the Zorb gate is 42.",
        "Anna Bell leads the Zorb house, so please ask Anna Bell.",
        "A loan lasts ten days.",
        "The Zorb hall opens at 9:30.",
    ]


@pytest.mark.parametrize(
    ("answer", "question"),
    [
        ("42", "What number is the code of the Zorb gate?"),
        ("42", "The code of the Zorb gate is what number?"),
        ("42", "Complete the sentence: The code of the Zorb gate is"),
        ("Anna Bell", "Who leads the Zorb house?"),
        ("ten days", "A loan lasts how many days?"),
        ("9:30", "The Zorb hall opens at what time?"),
        ("9:30", "Fill in the blank: The Zorb hall opens at ___."),
    ],
)
def test_a_fact_is_asked_for(answer, question):
    assert question in asked(TEXT)[answer]


def test_no_question_holds_its_answer():
    for answer, questions in asked(TEXT).items():
        for question in questions:
            assert answer not in question


def test_a_name_in_every_sentence_is_not_asked_for():
    text = " ".join(f"The Zorb has {word} doors near the {word} gate." for word in ("red", "blue", "old", "new", "big"))
    assert "Zorb" in subjects(sentences(text))
    assert "Zorb" not in asked(text)


def test_each_clause_that_can_stand_alone_is_asked():
    assert clauses("Ladders are too long for shelves, so they are stored in the stable.") == [
        "Ladders are too long for shelves",
        "they are stored in the stable",
    ]
    assert clauses("Anna leads it, and gladly.") == ["Anna leads it, and gladly"]


def test_kinds_of_facts():
    kinds = {span.kind for span in spans("Anna Bell pays 24 euros for ten days in March", frozenset())}
    assert kinds == {"name", "money", "count", "month"}


def test_an_empty_text_teaches_nothing():
    assert Rules().examples(Document(""), None, 0) == []
