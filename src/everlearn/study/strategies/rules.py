"""A document in, questions made of its sentences by fixed rules out: needs no model that can write.

Each clause is asked for each of its facts in several ways: the question word in the fact's place, the question
word in front, a blank, a beginning to complete, and a question word with some of the clause's key words. The
last are drawn anew for each form, so that no single wording is learnt by heart.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from everlearn.model.language_model import LanguageModel
from everlearn.records import Document, Example
from everlearn.study.sentences import Span, clauses, content_words, sentences, spans, subjects
from everlearn.study.strategies.contract import Strategy, exchange, without_repeats

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
"""How each kind of answer is asked for; the first is the plainest."""

_PLACED = re.compile(r"(?:^|\s)(?:in|at|on|into|onto|behind|beside|under|near|from|to) (?:the |a |an )?$")
_PREPOSITION = r"(?:(in|at|on|by|with|from|to|into) )?"
_BEING = re.compile(rf"(.+?) (is|are|was|were) (?:(\w+) )??{_PREPOSITION}(?:the |a |an )?")
_DOING = re.compile(rf"(.+?) ([a-z]+s) {_PREPOSITION}(?:the |a |an )?")
_ABLE = re.compile(rf"(.+?) (may|can|must|should|will) (\w+) {_PREPOSITION}(?:the |a |an |at least |at most |only )?")
_CLAUSE = re.compile(r",|\b(?:is|are|was|were|and|or|but|so|if|when|please|who|that|must|can|may)\b", re.IGNORECASE)
_ADVERBS = frozenset(["where", "when", "how long"])
_LASTING = frozenset("second seconds minute minutes hour hours day days week weeks month months year years".split())

KEPT = 0.7
"""Chance of each key word to be in a sketch."""


@dataclass(frozen=True)
class Rules(Strategy):
    """Deterministic questions: every fact of every sentence, in several forms."""

    sketches: int = 4
    """questions of bare key words for each fact"""

    def examples(self, document: Document, model: LanguageModel, seed: int) -> list[Example]:
        """Questions on each fact that the rules find."""
        texts = sentences(document.text)
        common = subjects(texts)
        draw = random.Random(seed)
        made = []
        for asked in (clause for text in texts for clause in clauses(text)):
            for span in spans(asked, common):
                answer = asked[span.start : span.end]
                forms = questions(asked, span) + sketches(asked, span, self.sketches, draw)
                for question in forms:
                    made.append(exchange(question, answer, document.origin, "rules"))
        return without_repeats(made)


def questions(asked: str, span: Span) -> list[str]:
    """All ways in which the rules ask for one span of a clause."""
    before, answer, after = asked[: span.start], asked[span.start : span.end], asked[span.end :]
    asking = _question_words(span, answer, before)
    here = "what" if asking[0] == "where" else asking[0]  # "… is kept in the what?"
    forms = [
        _capitalised(f"{before}{here}{after}?"),
        f"Fill in the blank: {before}___{after}.",
        *_fronted(before, after, asking),
        *_halves(before, after, asking),
    ]
    if not after and before:
        forms.append(f"Complete the sentence: {before.strip()}")
    return [form for form in forms if len(form) > 3]


def sketches(asked: str, span: Span, count: int, draw: random.Random) -> list[str]:
    """Question word and a random part of the key words around the span, in their order."""
    words = content_words(asked[: span.start] + asked[span.end :])
    asking = _question_words(span, asked[span.start : span.end], asked[: span.start])
    if not words:
        return []
    forms = []
    for _ in range(count):
        word = draw.choice(asking)
        kept = [entry for entry in words if draw.random() < KEPT] or [draw.choice(words)]
        forms.append(_capitalised(f"{word} {' '.join(kept)}?"))
    return forms


def _question_words(span: Span, answer: str, before: str) -> tuple[str, ...]:
    """What can ask for a span, by its kind and by what stands before it."""
    if span.kind == "count":
        counted = answer.split(" ", 1)[1]
        return (f"how many {counted}", *(("how long",) if counted.split()[-1] in _LASTING else ()))
    if span.kind == "name" and not before:
        return QUESTION_WORDS["person"]
    if span.kind in {"name", "thing"} and _PLACED.search(before):
        return QUESTION_WORDS["place"]
    return QUESTION_WORDS[span.kind]


def _fronted(before: str, after: str, asking: Sequence[str]) -> list[str]:
    """Questions with the question word in front, where the verb before the answer is found.

    `The code of X is ___` → `What is the code of X?`; `X is closed on ___` → `On which day is X closed?`;
    `X opens at ___ in the morning` → `At what time does X open in the morning?`
    """
    if (found := _BEING.fullmatch(before)) or (found := _ABLE.fullmatch(before)):
        subject, verb, state, preposition = found.groups()
    elif found := _DOING.fullmatch(before):
        subject, verb, state, preposition = found[1], "does", _infinitive(found[2]), found[3]
    else:
        return []
    after = after.split(",", maxsplit=1)[0]
    if _CLAUSE.search(subject) or _CLAUSE.search(after):
        return []
    subject = subject[0].lower() + subject[1:] if _plain(subject) else subject
    words = [word for word in asking if word not in {"which", "who"}]
    leads = [word if not preposition or word in _ADVERBS else f"{preposition} {word}" for word in words]
    forms = [" ".join(part for part in (lead, verb, subject, state) if part) + after for lead in leads]
    if state == "called":
        forms.append(f"what {verb} the name of {subject}{after}")
    return [_capitalised(f"{form}?") for form in forms]


def _halves(before: str, after: str, asking: Sequence[str]) -> list[str]:
    """`___ leads X and pays Y` → `Who leads X?`, `Who pays Y?`"""
    first, joint, second = after.partition(" and ")
    if before or not joint or not second.split()[0].endswith("s"):
        return []
    return [_capitalised(f"{asking[0]}{first}?"), _capitalised(f"{asking[0]} {second}?")]


def _infinitive(verb: str) -> str:
    """`opens` → `open`, `carries` → `carry`, `goes` → `go`."""
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    return verb[:-2] if verb.endswith(("oes", "shes", "ches", "sses", "xes")) else verb[:-1]


def _plain(subject: str) -> bool:
    """Whether the first word is an article or the like rather than a name."""
    return subject.split(maxsplit=1)[0].lower() in {"the", "a", "an", "our", "every", "each", "all"}


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
