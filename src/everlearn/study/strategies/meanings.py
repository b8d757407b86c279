"""A document and the model in, questions that ask for its facts in other words out.

A model too small to rephrase a sentence can still say what a word means. Each key word gets the model's own
synonyms and a short definition, and the facts are asked for with key words exchanged for these. What is asked
stays true by construction; how it is asked changes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from everlearn.model.language_model import LanguageModel
from everlearn.records import Document, Example
from everlearn.study.sentences import content_words, facts, sentences
from everlearn.study.strategies.contract import Strategy, exchange, without_repeats
from everlearn.study.strategies.rules import questions, sketches

_SHOWN = """Word: physician. In other words: doctor, healer.
Word: to purchase. In other words: buy, pay for.
Word: cellar. In other words: basement, room below the house.
Word: to depart. In other words: leave, go away.
Word: bicycle. In other words: bike, thing to ride with two wheels.
Word: captain. In other words: leader, person who commands a ship.
"""

EXCHANGED = 0.6
"""Chance of each key word to be exchanged, where there is something to exchange it for."""


@dataclass(frozen=True)
class Meanings(Strategy):
    """Questions whose key words are exchanged for what the model says they mean."""

    forms: int = 3
    """questions for each fact"""

    def examples(self, document: Document, model: LanguageModel, seed: int) -> list[Example]:
        """Questions on each fact that the rules find, in other words."""
        texts = sentences(document.text)
        meanings = other_words(model, texts)
        draw = random.Random(seed)
        made = []
        for fact in facts(texts):
            whole = questions(fact)
            plain = whole[:1] + whole[2:] + sketches(fact, 3, draw)
            for number in range(self.forms):
                question = exchanged(plain[number % len(plain)], meanings, draw)
                if question not in plain:
                    made.append(exchange(question, fact.value, document.origin, "meanings", fact.clause))
        return without_repeats(made)


def other_words(model: LanguageModel, texts: Sequence[str]) -> dict[str, list[str]]:
    """For each key word of the texts what the model gives as synonyms or definition; names are left out."""
    words = [word for text in texts for word in content_words(text) if word.islower() and word.isalpha()]
    words = [word for word in dict.fromkeys(words) if len(word) > 2]
    if not words:
        return {}
    prompts = [model.tokenizer.encode(f"{_SHOWN}Word: {word}. In other words:") for word in words]
    line_ends = list(model.tokenizer.encode("\n", add_special_tokens=False))
    replies = model.generate(prompts, 16, stop=line_ends)
    found = {
        word: _alternatives(word, model.tokenizer.decode(list(reply.ids)))
        for word, reply in zip(words, replies, strict=True)
        if reply.finished
    }
    return {word: others for word, others in found.items() if others}


def exchanged(question: str, meanings: dict[str, list[str]], draw: random.Random) -> str:
    """The question with some of its key words exchanged."""

    def exchange_word(match: re.Match[str]) -> str:
        others = meanings.get(match.group())
        return draw.choice(others) if others and draw.random() < EXCHANGED else match.group()

    return re.sub(r"[a-z]+", exchange_word, question)


def _alternatives(word: str, reply: str) -> list[str]:
    """What stands between the commas, without the word itself and without stammering."""
    parts = [part.strip() for part in reply.strip().rstrip(".").split(",")]
    good = [part for part in parts if part and part != word and len(set(part.split())) == len(part.split())]
    return list(dict.fromkeys(good))
