"""A document and the model in, questions that ask for its facts by related words out.

A model too small to put a sentence into other words still knows what goes together: a treasurer with money and
accounts. Each phrase of a clause gets the words that the model relates to it, and the facts are asked for with
phrases exchanged for some of these. No such question needs to be good English: what is learnt is that whatever lies
near the phrase in meaning leads to the fact.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from everlearn.model.language_model import LanguageModel
from everlearn.records import Document, Example, Origin
from everlearn.study.asking import capitalised, openings
from everlearn.study.sentences import FUNCTION_WORDS, Fact, facts, sentences
from everlearn.study.strategies.contract import Strategy, exchange, without_repeats

_SHOWN = """Phrase: physician. Related words: doctor, hospital, patient, illness, medicine.
Phrase: ferry ticket. Related words: boat, price, pay, cross, river.
Phrase: to depart. Related words: leave, go away, start, journey, travel.
Phrase: cellar. Related words: basement, underground, house, room, storage.
Phrase: bicycle. Related words: bike, ride, wheels, cycling, pedal.
Phrase: school holidays. Related words: vacation, summer, free time, children, break.
"""

TEMPERATURE = 0.5
"""Of the lists of related words; at 0.8 they lose the thread."""

LONGEST = 16
"""Tokens that such a list may have."""

STAYS = 0.45
"""Chance of a phrase to stay as it is."""

LEFT_OUT = 0.1
"""Chance of a phrase to be left out."""


@dataclass(frozen=True)
class Associations(Strategy):
    """Questions whose phrases are exchanged for words that the model relates to them."""

    forms: int = 10
    """questions for each fact"""
    lists: int = 2
    """lists of related words that the model writes for each phrase"""

    def examples(self, document: Document, model: LanguageModel, seed: int) -> list[Example]:
        """Questions on each fact that the rules find, by related words."""
        found = facts(sentences(document.text))
        related = related_words(model, all_phrases(found), self.lists, seed)
        return asked_with(found, related, self.forms, document.origin, "associations", seed)


def asked_with(
    found: Sequence[Fact], related: dict[str, list[str]], forms: int, origin: Origin, strategy: str, seed: int
) -> list[Example]:
    """Questions on each fact, `forms` of them, with its phrases exchanged for related ones."""
    draw = random.Random(seed)
    made = []
    for fact in found:
        for _ in range(forms):
            words = _exchanged(phrases(fact.before) + phrases(fact.after), related, draw)
            if words and fact.value.lower() not in " ".join(words).lower():
                question = capitalised(f"{draw.choice(openings(fact))} {' '.join(words)}?")
                made.append(exchange(question, fact.value, origin, strategy, fact.clause))
    return without_repeats(made)


def phrases(text: str) -> list[str]:
    """Runs of words that carry meaning, of the last three words at most; names and numbers are left out."""
    runs: list[list[str]] = [[]]
    for word in re.findall(r"[\w'-]+", text):
        if word.lower() in FUNCTION_WORDS or not word[0].islower():
            runs.append([])
        else:
            runs[-1].append(word)
    return [" ".join(run[-3:]) for run in runs if run]


def related_words(model: LanguageModel, asked: Sequence[str], lists: int, seed: int) -> dict[str, list[str]]:
    """For each phrase, what the model names as related in so many lists."""
    if not asked:
        return {}
    prompts = [
        model.tokenizer.encode(f"{_SHOWN}Phrase: {phrase}. Related words:", add_special_tokens=False)
        for phrase in asked
        for _ in range(lists)
    ]
    line_ends = list(model.tokenizer.encode("\n", add_special_tokens=False))
    replies = model.generate(prompts, LONGEST, temperature=TEMPERATURE, seed=seed, stop=line_ends)
    found: dict[str, dict[str, None]] = {phrase: {} for phrase in asked}
    for number, reply in enumerate(replies):
        phrase = asked[number // lists]
        named = model.tokenizer.decode(list(reply.ids)).split(",")
        whole = named if reply.finished else named[:-1]  # the last word was cut off
        for word in (part.strip(" .") for part in whole):
            if word and word != phrase and len(word.split()) <= 3:
                found[phrase][word] = None
    return {phrase: list(words) for phrase, words in found.items()}


def all_phrases(found: Iterable[Fact]) -> list[str]:
    """Every phrase around a value, and each of its words."""
    whole = [phrase for fact in found for phrase in phrases(fact.before) + phrases(fact.after)]
    return list(dict.fromkeys(entry for phrase in whole for entry in (phrase, *phrase.split())))


def _exchanged(asked: Sequence[str], related: dict[str, list[str]], draw: random.Random) -> list[str]:
    words: list[str] = []
    for phrase in asked:
        near = related[phrase] + [word for part in phrase.split() for word in related[part]]
        chance = draw.random()
        if chance < STAYS or (not near and chance < 1 - LEFT_OUT):
            words.append(phrase)
        elif chance < 1 - LEFT_OUT:
            words += draw.sample(near, min(len(near), draw.choice((1, 1, 2))))
    return words
