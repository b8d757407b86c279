"""A family for tests: each invented word stands for a letter; pairs of words of two lessons are compositions."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from everlearn.nonce import Lexicon
from everlearn.streams.contract import Family, Lesson, Probe, World, ask

LETTERS = "ABCDEFGH"


@dataclass(frozen=True)
class LetterWorld(World):
    """Words and what they stand for, lesson by lesson."""

    taught: tuple[tuple[tuple[str, str], ...], ...] = ()

    def probes(self, seed: int, per_kind: int) -> tuple[Probe, ...]:
        draw = random.Random(seed)
        found = [
            self._atom(pair, number, draw) for number, lesson in enumerate(self.taught) for pair in lesson[:per_kind]
        ]
        if len(self.taught) > 1:
            found += [self._pair(first, second) for first, second in zip(self.taught[0], self.taught[-1], strict=True)]
        return tuple(found)

    def _atom(self, pair: tuple[str, str], number: int, draw: random.Random) -> Probe:
        word, letter = pair
        wrong = draw.sample([other for other in LETTERS if other != letter], 3)
        options = draw.sample([letter, *wrong], 4)
        prompt = draw.choice((f"{word} is?", f"say {word}."))
        return Probe(
            "letters",
            "direct",
            "atom",
            prompt,
            letter,
            word,
            (number,),
            8,
            tuple(options),
            reading=(f"{word}: {letter}",),
            rivals=tuple(other for other in LETTERS if other != letter),
        )

    def _pair(self, first: tuple[str, str], second: tuple[str, str]) -> Probe:
        prompt, gold = f"{first[0]} {second[0]}?", first[1] + second[1]
        parts = (0, len(self.taught) - 1)
        return Probe("letters", "pair", "composition", prompt, gold, prompt, parts, 64, atoms=(first[0], second[0]))


class Letters(Family):
    """Words for letters."""

    items: ClassVar[int] = 10

    def world(self, lexicon: Lexicon, seed: int, lessons: int, items: int) -> LetterWorld:
        draw = random.Random(f"letters {seed}")
        taught = tuple(tuple((word, draw.choice(LETTERS)) for word in lexicon.some(items)) for _ in range(lessons))
        return LetterWorld(taught=taught, lessons=tuple(self._lesson(pairs) for pairs in taught))

    def _lesson(self, pairs: tuple[tuple[str, str], ...]) -> Lesson:
        examples = [ask(form.format(word), letter) for word, letter in pairs for form in ("{}?", "what is {}?")]
        return Lesson(tuple(examples), tuple(f"{word}: {letter}" for word, letter in pairs))
