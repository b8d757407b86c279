"""A document and the model in, questions that the model wrote with the sentence in view out.

The model continues several beginnings of a question for each fact of a sentence. A question is kept only if it
speaks of the sentence, does not give its answer away, and the model answers it with that fact when it sees the
sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from everlearn.model.language_model import LanguageModel
from everlearn.records import Document, Example
from everlearn.study.reading import Claim, reproduced
from everlearn.study.sentences import content_words, facts, sentences
from everlearn.study.strategies.contract import Strategy, exchange, without_repeats

_SHOWN = """Sentence: The museum in Torvale was built by Anna Lindqvist in 1911.
Answer: Anna Lindqvist
Question: Who built the museum in Torvale?

Sentence: A ticket for the ferry costs 12 crowns.
Answer: 12 crowns
Question: How much does a ticket for the ferry cost?

Sentence: The choir of Westhill sings on Friday in the chapel.
Answer: Friday
Question: On which day does the choir of Westhill sing?

Sentence: The spare tyres of the garage are kept in the cellar.
Answer: cellar
Question: Where does the garage keep its spare tyres?

"""
_SHOWN_WORDS = frozenset(word.lower() for word in content_words(_SHOWN))

BEGINNINGS = {
    "time": ("At what time",),
    "year": ("In which year",),
    "money": ("How much",),
    "count": ("How many",),
    "number": ("What is the",),
    "day": ("On which day",),
    "month": ("In which month",),
    "name": ("Who", "What is the name"),
    "thing": ("What",),
}
"""For each kind of value; the model writes what comes next."""


class _Draft(NamedTuple):
    sentence: str
    answer: str
    beginning: str


@dataclass(frozen=True)
class Questions(Strategy):
    """Questions in the model's own words, each checked against the sentence."""

    longest: int = 18
    """tokens that a question may have after its beginning"""

    def examples(self, document: Document, model: LanguageModel, seed: int) -> list[Example]:
        """The questions that were kept, with their answers."""
        drafts = _drafts(document.text)
        claims = self._write(model, drafts)
        kept = [claim for claim, good in zip(claims, reproduced(model, claims), strict=True) if good]
        return without_repeats([exchange(claim.question, claim.answer, document.origin, "questions") for claim in kept])

    def _write(self, model: LanguageModel, drafts: list[_Draft]) -> list[Claim]:
        if not drafts:
            return []
        prompts = [
            model.tokenizer.encode(
                f"{_SHOWN}Sentence: {d.sentence}\nAnswer: {d.answer}\nQuestion: {d.beginning}",
                add_special_tokens=False,
            )
            for d in drafts
        ]
        line_ends = list(model.tokenizer.encode("\n", add_special_tokens=False))
        replies = model.generate(prompts, self.longest, stop=line_ends)
        claims = []
        for draft, reply in zip(drafts, replies, strict=True):
            question = (draft.beginning + model.tokenizer.decode(list(reply.ids))).strip()
            if reply.finished and _speaks_of(question, draft):
                claims.append(Claim(draft.sentence, question, draft.answer))
        return list(dict.fromkeys(claims))


def _drafts(text: str) -> list[_Draft]:
    return [
        _Draft(fact.sentence, fact.value, beginning)
        for fact in facts(sentences(text))
        for beginning in BEGINNINGS[fact.span.kind]
    ]


def _speaks_of(question: str, draft: _Draft) -> bool:
    """One question that shares words with the sentence, hides the answer, and repeats no shown example."""
    words = {word.lower() for word in content_words(question)}
    own = {word.lower() for word in content_words(draft.sentence)}
    return (
        question.endswith("?")
        and question.count("?") == 1
        and draft.answer.lower() not in question.lower()
        and len(words & own) >= 2
        and not (words - own) & _SHOWN_WORDS
    )
