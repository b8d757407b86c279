"""A document in, questions made of its sentences by fixed rules out: needs no model that can write.

Each clause is asked for each of its facts in several ways: the question word in the fact's place, the question
word in front, a blank, a beginning to complete, and a question word with some of the clause's key words. The
last are drawn anew for each form, so that no single wording is learnt by heart.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from everlearn.model.language_model import LanguageModel
from everlearn.records import Document, Example
from everlearn.study.sentences import Span, clauses, content_words, sentences, spans, subjects
from everlearn.study.strategies.contract import Strategy, exchange, without_repeats

QUESTION_WORDS = {
    "time": "what time",
    "year": "which year",
    "money": "how much money",
    "number": "what number",
    "day": "which day",
    "month": "which month",
    "name": "what",
    "thing": "what",
}

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
    word = _question_word(span, answer, before)
    forms = [
        _capitalised(f"{before}{word}{after}?"),
        f"Fill in the blank: {before}___{after}.",
    ]
    fronted = _fronted(before, after, word)
    if fronted:
        forms.append(fronted)
    if not after and before:
        forms.append(f"Complete the sentence: {before.strip()}")
    return [form for form in forms if len(form) > 3]


def sketches(asked: str, span: Span, count: int, draw: random.Random) -> list[str]:
    """Question word and a random part of the key words around the span, in their order."""
    words = content_words(asked[: span.start] + asked[span.end :])
    word = _question_word(span, asked[span.start : span.end], asked[: span.start])
    if not words:
        return []
    forms = []
    for _ in range(count):
        kept = [entry for entry in words if draw.random() < KEPT] or [draw.choice(words)]
        forms.append(_capitalised(f"{word} {' '.join(kept)}?"))
    return forms


def _question_word(span: Span, answer: str, before: str) -> str:
    if span.kind == "count":
        return "how many " + answer.split(" ", 1)[1]
    if span.kind == "name" and not before:
        return "who"
    return QUESTION_WORDS[span.kind]


def _fronted(before: str, after: str, word: str) -> str:
    """`The code of X is ___` → `What is the code of X?`; `X opens at ___` → `At what time …`; else empty."""
    copula = re.fullmatch(r"(.+?) (is|are|was|were) (?:called )?(?:(in|at|on|by|with) )?(?:the |a |an )?", before)
    if copula and not after:
        subject, verb, preposition = copula.groups()
        head = "where" if preposition in {"in", "at", "on"} and word == "what" else word
        lead = f"{preposition} {head}" if preposition and head != "where" else head
        return _capitalised(f"{lead} {verb} {subject[0].lower() + subject[1:] if _plain(subject) else subject}?")
    return ""


def _plain(subject: str) -> bool:
    """Whether the first word is an article or the like rather than a name."""
    return subject.split(maxsplit=1)[0].lower() in {"the", "a", "an", "our", "every", "each", "all"}


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
