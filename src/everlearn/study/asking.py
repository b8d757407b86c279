"""A fact in, the words with which a question may ask for it out."""

from __future__ import annotations

import re

from everlearn.study.sentences import Fact

QUESTION_WORDS = {
    "time": ("what time", "when"),
    "year": ("which year", "when"),
    "money": ("how much money", "how much", "what amount"),
    "number": ("what number", "which number"),
    "day": ("which day", "when", "what day of the week"),
    "month": ("which month", "when"),
    "name": ("what", "which", "who"),
    "thing": ("what", "which"),
    "person": ("who", "which person"),
    "place": ("where", "which place", "what"),
}
"""How each kind of value is asked for; the first is the plainest."""

OPENINGS = {
    "time": ("at what time", "at what hour", "what time of day"),
    "year": ("in which year", "in what year"),
    "money": ("what is the price of", "what do I pay for", "what does it cost"),
    "number": ("which digits", "what is the number of"),
    "day": ("on which day", "on what day of the week", "which weekday"),
    "month": ("in which month", "during what month", "at what time of the year"),
    "name": ("what is the name of", "what do we call", "what name has"),
    "thing": ("which thing", "what kind of thing"),
    "person": ("what is the name of the person who", "who is the one who", "which colleague", "to whom do I go for"),
    "place": ("where do I go for", "where can I find", "in which place", "in what location"),
}
"""Longer ways to begin."""

_PLACED = re.compile(r"(?:^|\s)(?:in|at|on|into|onto|behind|beside|under|near|from|to) (?:the |a |an )?$")
_LASTING = frozenset("second seconds minute minutes hour hours day days week weeks month months year years".split())


def question_words(fact: Fact) -> tuple[str, ...]:
    """What can ask for a fact, by its kind and by what stands before it; the plainest first."""
    if fact.span.kind == "count":
        counted = fact.value.split(" ", 1)[1]
        return (f"how many {counted}", *(("how long",) if _lasts(counted) else ()))
    return QUESTION_WORDS[_kind(fact)]


def openings(fact: Fact) -> tuple[str, ...]:
    """The question words, and longer ways to begin a question for the fact."""
    plain = question_words(fact)
    if fact.span.kind == "count":
        counted = fact.value.split(" ", 1)[1]
        return (*plain, f"what number of {counted}", *(("for how long",) if _lasts(counted) else ("how many",)))
    return (*plain, *OPENINGS[_kind(fact)])


def capitalised(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def _kind(fact: Fact) -> str:
    if fact.span.kind == "name" and not fact.before:
        return "person"
    if fact.span.kind in {"name", "thing"} and _PLACED.search(fact.before):
        return "place"
    return fact.span.kind


def _lasts(counted: str) -> bool:
    return counted.rsplit(maxsplit=1)[-1] in _LASTING
