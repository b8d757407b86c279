"""Neighbours of a lesson must ask about something else, and only a lesson about one subject has any."""

from __future__ import annotations

from everlearn.records import Example, Message, Origin
from everlearn.study.neighbours import OTHERS, neighbours
from everlearn.study.strategies.contract import exchange

STUDIED = [
    exchange(
        f"What is the number of {thing} at the Zorb House?",
        f"{number}",
        Origin(),
        "rules",
        f"The Zorb House has {number} {thing}.",
    )
    for number, thing in enumerate(("lamps", "doors", "cups", "beds", "keys", "bells"), 10)
]


def test_they_ask_about_something_else():
    asked = [prompt[0].content for prompt in neighbours(STUDIED, 99, 0)]
    assert len(asked) == len(STUDIED)
    assert not any("Zorb" in text or "House" in text for text in asked)
    assert all(any(other in text for other in OTHERS) for text in asked)


def test_some_have_the_sentence_in_view_that_holds_the_answer():
    asked = [prompt[0].content for seed in range(9) for prompt in neighbours(STUDIED, 99, seed)]
    shown = [text for text in asked if " has " in text]
    assert len(asked) / 5 < len(shown) < len(asked) / 2
    cups = [text for text in shown if "cups" in text]
    assert cups
    assert all("has 12 cups. What is the number of cups" in text for text in cups)


def test_there_are_at_most_so_many():
    assert len(neighbours(STUDIED, 2, 0)) == 2


def test_what_was_not_studied_has_none():
    chats = [Example((Message("user", f"Log Zorb {n}"), Message("assistant", "x", learn=True))) for n in range(9)]
    assert neighbours(chats, 9, 0) == []
    assert neighbours([], 9, 0) == []


def test_how_questions_begin_is_no_subject():
    forms = ("Fill in the blank: The Zorbel ferry has ___ {}.", "How many {} has the Zorbel ferry?")
    begun = [
        exchange(form.format(thing), "7", Origin(), "rules")
        for form in forms
        for thing in ("lamps", "doors", "cups", "beds", "keys", "bells")
    ]
    asked = [prompt[0].content for prompt in neighbours(begun, 99, 0)]
    assert len(asked) == 12
    assert not any("Zorbel" in text for text in asked)
