"""A document and the model in, its sentences in other words out.

A rewording is kept only if every fact that the rules find in the sentence stands in it unchanged, and the model,
with the rewording in view, still answers a question on the sentence with its fact.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from everlearn.model.language_model import LanguageModel
from everlearn.records import Document, Example, Message, Origin
from everlearn.study.reading import Claim, reproduced
from everlearn.study.sentences import Fact, facts, sentences
from everlearn.study.strategies.contract import Strategy, without_repeats
from everlearn.study.strategies.rules import questions

_SHOWN = """Sentence: The museum in Torvale was built by Anna Lindqvist in 1911.
In other words: It was Anna Lindqvist who built Torvale's museum, in 1911.

Sentence: A ticket for the ferry costs 12 crowns.
In other words: You pay 12 crowns for a ferry ticket.

Sentence: The spare tyres of the garage are kept in the cellar.
In other words: If you need a spare tyre, look in the cellar of the garage.

"""


@dataclass(frozen=True)
class Reword(Strategy):
    """The document's sentences in the model's own words, each checked for its facts."""

    tries: int = 2
    """rewordings written for each sentence"""
    longest: int = 40
    """tokens that a rewording may have"""

    def examples(self, document: Document, model: LanguageModel, seed: int) -> list[Example]:
        """The rewordings that kept their facts, as text to learn."""
        stated: dict[str, list[Fact]] = defaultdict(list)
        for fact in facts(sentences(document.text)):
            stated[fact.sentence].append(fact)
        claims: list[Claim] = []
        for original, reworded in self._write(model, list(stated), seed):
            values = [fact.value for fact in stated[original]]
            if reworded != original and all(value in reworded for value in values):
                claims.append(Claim(reworded, questions(stated[original][0])[0], values[0]))
        kept = [claim.passage for claim, good in zip(claims, reproduced(model, claims), strict=True) if good]
        origin = Origin(document.origin.file, document.origin.line, "reword")
        return without_repeats([Example((Message("text", text, learn=True),), origin) for text in kept])

    def _write(self, model: LanguageModel, texts: list[str], seed: int) -> list[tuple[str, str]]:
        originals = texts * self.tries
        if not originals:
            return []
        prompts = [
            model.tokenizer.encode(f"{_SHOWN}Sentence: {text}\nIn other words:", add_special_tokens=False)
            for text in originals
        ]
        line_ends = list(model.tokenizer.encode("\n", add_special_tokens=False))
        replies = model.generate(prompts, self.longest, temperature=0.5, seed=seed, stop=line_ends)
        return [
            (original, model.tokenizer.decode(list(reply.ids)).strip())
            for original, reply in zip(originals, replies, strict=True)
            if reply.finished
        ]
