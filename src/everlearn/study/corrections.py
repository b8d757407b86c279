"""A correction and everything taught before in, what to teach instead out.

Earlier examples that state the old value are rewritten with the new one, so that the new fact is taught in as
many ways as the old one was; the originals are retired, so that no replay brings the old value back. Examples that
answer with the old value but share no word with the correction are retired too where the value is a name, but not
rewritten: they may state something else of its bearer, which nobody has confirmed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from everlearn.records import Correction, Example, Message, Question
from everlearn.study.sentences import MONTHS, WEEKDAYS, content_words
from everlearn.study.strategies.contract import exchange, without_repeats

ASKING = frozenset("time much many name number called long kind year month week".split())
"""Words of questions that say nothing of what they are about."""

STEM = 4
"""Letters by which two words are held to be the same."""


class Revision(NamedTuple):
    """What a correction changes."""

    taught: list[Example]
    retired: list[Example]


def revise(correction: Correction, earlier: Sequence[Example]) -> Revision:
    """Examples that teach the correction, and the earlier ones that it makes wrong."""
    stating = [example for example in earlier if _mentions(example.messages, correction.wrong)]
    close = [example for example in stating if _related(example, correction)]
    answering = [example for example in stating if _answers(example, correction.wrong)]
    rewritten = [_rewritten(example, correction) for example in close]
    doubtful = answering if _is_name(correction.wrong) or not close else []
    retired = without_repeats([*close, *doubtful])
    asked = correction.question
    direct = [
        exchange(form, correction.right, correction.origin, "correction")
        for form in (asked, f"{asked} Answer briefly.", f"Is it still {correction.wrong}? {asked}")
    ]
    return Revision(direct + rewritten, retired)


def supersedes(correction: Correction, question: Question) -> bool:
    """Whether the correction makes the accepted answer of an earlier question wrong."""
    return any(_same(gold, correction.wrong) for gold in question.gold)


def _rewritten(example: Example, correction: Correction) -> Example:
    turns = tuple(
        replace(turn, content=_pattern(correction.wrong).sub(lambda _: correction.right, turn.content))
        for turn in example.messages
    )
    clause = _pattern(correction.wrong).sub(lambda _: correction.right, example.origin.clause)
    return Example(turns, replace(correction.origin, strategy="correction", clause=clause))


def _mentions(messages: Sequence[Message], value: str) -> bool:
    return any(_pattern(value).search(turn.content) for turn in messages)


def _is_name(value: str) -> bool:
    """Whether a value is a name, so that all questions with this answer are about its bearer; `five`, `9:30` and
    `Monday` are the answers to many questions."""
    return value[:1].isupper() and value not in WEEKDAYS and value not in MONTHS


def _answers(example: Example, value: str) -> bool:
    return any(turn.learn and _same(turn.content, value) for turn in example.messages)


def _related(example: Example, correction: Correction) -> bool:
    """Whether an example, or the clause that it asks about, and a correction speak of the same thing besides the value
    itself and names."""
    spoken = " ".join((*(turn.content for turn in example.messages), example.origin.clause))
    return bool(_stems(_pattern(correction.wrong).sub(" ", spoken)) & _stems(correction.question))


def _stems(text: str) -> set[str]:
    """Beginnings of the words that carry meaning; capitalised ones name the subject and are left out."""
    words = [word for word in content_words(text) if word[0].islower()]
    return {word[:STEM] for word in words if len(word) >= STEM and word not in ASKING}


def _pattern(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(value.strip())}(?!\w)")


def _same(one: str, other: str) -> bool:
    return one.strip(" .").casefold() == other.strip(" .").casefold()
