"""A document in, questions made of its sentences by fixed rules out: needs no model that can write.

Each fact is asked for in several ways: the question word in the value's place, the question word in front, a blank, a
beginning to complete, and a question word with some of the clause's key words. The last are drawn anew for each form,
so that no single wording is learnt by heart.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from everlearn.model.language_model import LanguageModel
from everlearn.records import Document, Example
from everlearn.study.asking import capitalised, question_words
from everlearn.study.sentences import Fact, content_words, facts, sentences
from everlearn.study.strategies.contract import Strategy, exchange, without_repeats

_PREPOSITION = r"(?:(in|at|on|by|with|from|to|into) )?"
_BEING = re.compile(rf"(.+?) (is|are|was|were) (?:(\w+) )??{_PREPOSITION}(?:the |a |an )?")
_DOING = re.compile(rf"(.+?) ([a-z]+s) {_PREPOSITION}(?:the |a |an )?")
_ABLE = re.compile(rf"(.+?) (may|can|must|should|will) (\w+) {_PREPOSITION}(?:the |a |an |at least |at most |only )?")
_CLAUSE = re.compile(r",|\b(?:is|are|was|were|and|or|but|so|if|when|please|who|that|must|can|may)\b", re.IGNORECASE)
_ADVERBS = frozenset(["where", "when", "how long"])

KEPT = 0.7
"""Chance of each key word to be in a sketch."""


@dataclass(frozen=True)
class Rules(Strategy):
    """Deterministic questions: every fact of every sentence, in several forms."""

    sketches: int = 2
    """questions of bare key words for each fact"""

    def examples(self, document: Document, model: LanguageModel, seed: int) -> list[Example]:
        """Questions on each fact that the rules find."""
        draw = random.Random(seed)
        made = []
        for fact in facts(sentences(document.text)):
            forms = questions(fact) + sketches(fact, self.sketches, draw)
            made += [exchange(question, fact.value, document.origin, "rules", fact.clause) for question in forms]
        return without_repeats(made)


def questions(fact: Fact) -> list[str]:
    """All ways in which the rules ask for a fact."""
    before, after, asking = fact.before, fact.after, question_words(fact)
    here = "what" if asking[0] == "where" else asking[0]  # "… is kept in the what?"
    forms = [
        capitalised(f"{before}{here}{after}?"),
        f"Fill in the blank: {before}___{after}.",
        *_fronted(before, after, asking),
        *_halves(before, after, asking),
    ]
    if not after and before:
        forms.append(f"Complete the sentence: {before.strip()}")
    return [form for form in forms if len(form) > 3]


def sketches(fact: Fact, count: int, draw: random.Random) -> list[str]:
    """Question word and a random part of the key words around the value, in their order."""
    words = content_words(fact.before + fact.after)
    asking = question_words(fact)
    if not words:
        return []
    forms = []
    for _ in range(count):
        kept = [entry for entry in words if draw.random() < KEPT] or [draw.choice(words)]
        forms.append(capitalised(f"{draw.choice(asking)} {' '.join(kept)}?"))
    return forms


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
    return [capitalised(f"{form}?") for form in forms]


def _halves(before: str, after: str, asking: Sequence[str]) -> list[str]:
    """`___ leads X and pays Y` → `Who leads X?`, `Who pays Y?`"""
    first, joint, second = after.partition(" and ")
    if before or not joint or not second.split()[0].endswith("s"):
        return []
    return [capitalised(f"{asking[0]}{first}?"), capitalised(f"{asking[0]} {second}?")]


def _infinitive(verb: str) -> str:
    """`opens` → `open`, `carries` → `carry`, `goes` → `go`."""
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    return verb[:-2] if verb.endswith(("oes", "shes", "ches", "sses", "xes")) else verb[:-1]


def _plain(subject: str) -> bool:
    """Whether the first word is an article or the like rather than a name."""
    return subject.split(maxsplit=1)[0].lower() in {"the", "a", "an", "our", "every", "each", "all"}
