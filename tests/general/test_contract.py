"""Facts and frames become questions in the promised order."""

from __future__ import annotations

import pytest

from everlearn.general.contract import Frame, GeneralSkill, Topic, article, choices, in_turns, table
from everlearn.records import Message

CAPITALS = Topic(
    table("France: Paris, Japan: Tokyo, Wales: Cardiff"),
    [
        Frame("Capital of {0}?", ("The capital of {0} is {1}.", "{1}"), (("Italy", "Rome"),)),
        Frame("{1} is in", ("{1} is in {0}.",)),
    ],
)


class Capitals(GeneralSkill):
    def questions(self, seed):
        return self.draw([CAPITALS], count=5, seed=seed)


def test_a_worked_example_comes_before_the_question():
    question = Capitals().ask(CAPITALS.frames[0], ("France", "Paris"))
    assert question.messages == (
        Message("user", "Capital of Italy?"),
        Message("assistant", "The capital of Italy is Rome."),
        Message("user", "Capital of France?"),
    )
    assert question.gold == ("The capital of France is Paris.", "Paris")
    assert (question.group, question.grade) == ("test_contract", "exact")


def test_a_system_prompt_comes_first():
    question = Capitals().ask(Frame("{0}?", ("{1}",), system="Be brief."), ("France", "Paris"))
    assert [message.role for message in question.messages] == ["system", "user"]


def test_alternatives_are_all_accepted_and_the_first_is_asked_with():
    frame = Frame("After {0}?", ("{0}, then {1}.",))
    question = Capitals().ask(frame, ("summer", "autumn/fall"))
    assert question.gold == ("summer, then autumn.", "summer, then fall.")
    swapped = Capitals().ask(Frame("Before {1}?", ("{0}",)), ("summer", "autumn/fall"))
    assert swapped.messages[-1].content == "Before autumn?"
    assert swapped.gold == ("summer",)


def test_the_gold_of_a_checked_reply_is_the_argument_of_the_check():
    question = Capitals().ask(Frame("Shout {0}", ("{1}",), (), "uppercase", "{0}"), ("cat", "CAT"))
    assert (question.gold, question.grade) == (("cat",), "uppercase")


@pytest.mark.parametrize("seed", range(5))
def test_each_fact_is_asked_for_once_before_any_is_asked_for_again(seed):
    asked = [question.messages[-1].content for question in Capitals().questions(seed)]
    facts = [next(row for row in CAPITALS.rows if row[0] in text or row[1] in text) for text in asked]
    assert len(asked) == len(set(asked)) == 5
    assert len(set(facts[:3])) == 3


def test_the_seed_decides_the_order():
    assert Capitals().questions(1) == Capitals().questions(1)
    assert any(Capitals().questions(1) != Capitals().questions(seed) for seed in range(2, 6))


def test_queues_take_turns_until_all_are_empty():
    assert list(in_turns([[1, 2, 3], [10], [20, 30]])) == [1, 10, 20, 2, 30, 3]


def test_tables_choices_and_articles():
    assert table(" a: b c,\n d: e/f: g, ") == [("a", "b c"), ("d", "e/f", "g")]
    assert choices(("d", "e/f")) == [("d", "e"), ("d", "f")]
    assert (article("apple"), article("pear")) == ("an apple", "a pear")
