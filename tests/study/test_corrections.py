"""A correction is taught in as many ways as the old value was, and the old value is no longer replayed."""

from __future__ import annotations

from everlearn.records import Correction, Example, Message, Question
from everlearn.study.corrections import revise, supersedes

CORRECTION = Correction("When does the hall open now?", "9:30", "10:15")


def pair(question: str, answer: str) -> Example:
    return Example((Message("user", question), Message("assistant", answer, learn=True)))


EARLIER = [
    pair("The hall opens at what time?", "9:30"),
    pair("Fill in the blank: The hall opens at ___.", "9:30"),
    pair("The bus leaves at what time?", "9:30"),
    pair("Who leads the hall?", "Anna Bell"),
    Example((Message("text", "The hall opens at 9:30. It is blue.", learn=True),)),
]


def targets(examples) -> list[str]:
    return [turn.content for example in examples for turn in example.messages if turn.learn]


def test_what_states_the_old_value_is_rewritten_and_retired():
    revision = revise(CORRECTION, EARLIER)
    assert [EARLIER.index(example) for example in revision.retired] == [0, 1, 4]
    assert "The hall opens at 10:15. It is blue." in targets(revision.taught)
    assert not any("9:30" in target for target in targets(revision.taught))


def test_a_name_is_retired_wherever_it_is_the_answer_but_rewritten_only_where_the_same_is_said():
    earlier = [
        pair("Who leads the hall?", "Anna Bell"),
        pair("Who has the keys?", "Anna Bell"),
        pair("Whom did Carl thank?", "He thanked Anna Bell."),
    ]
    revision = revise(Correction("Who leads the hall now?", "Anna Bell", "Carl Moss"), earlier)
    assert revision.retired == earlier[:2]
    asked = [example.messages[0].content for example in revision.taught]
    assert "Who leads the hall?" in asked
    assert "Who has the keys?" not in asked


def test_the_question_itself_is_taught():
    taught = revise(CORRECTION, []).taught
    assert pair("When does the hall open now?", "10:15").messages in [example.messages for example in taught]
    assert revise(CORRECTION, []).retired == []


def test_where_no_word_is_shared_equal_answers_are_taken():
    revision = revise(Correction("Quand?", "9:30", "10:15"), EARLIER[:3])
    assert len(revision.retired) == 3


def test_a_value_inside_another_is_left_alone():
    other = [pair("What is the hall's number?", "19:301")]
    assert revise(CORRECTION, other).retired == []


def test_an_old_question_is_superseded_by_its_answer():
    assert supersedes(CORRECTION, Question((Message("user", "Opening?"),), ("9:30.",)))
    assert not supersedes(CORRECTION, Question((Message("user", "Opening?"),), ("10:15",)))
