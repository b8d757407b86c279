"""A seed in, invented words out: pronounceable, in no word list, and far from each other.

All words of a lexicon have the same length and are made of consonant-vowel syllables. Between two such words, edit
distance below three can only come from substitutions (a shift sets consonants against vowels), so that it is enough
that no two words agree in all but two letters; this is checked by looking up what is left when two letters are masked.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Collection

CONSONANTS = "bdfgklmnprstvz"
VOWELS = "aeiou"
SYLLABLES = tuple(first + second for first in CONSONANTS for second in VOWELS)

APART = 3
"""Least edit distance between two words of a lexicon."""

LAST = "iou"
"""Vowels in which a word ends: English has hardly any of this form that do."""

KNOWN = frozenset(
    """
    bamako basuto bikini bodoni bolero bonito borago bovini dalasi denali dinero domino dumuzi filago forego fulani
    galago gazebo gemini gigolo gitano gomuti kafiri katari kigali kimono kisumu kolami kosovo kumasi ladino lanugo
    laredo latino lavabo lazuli legato livedo lobito loligo lugosi makalu malabo maputo marini marino marumi maseru
    merino milano mokulu nagami nagano nagari nakuru nameko napoli nepali paragu pareto peludo pirogi pokomo pomelo
    potato pulumi rabato rebato rebozo remedi robalo romani rubato safari safegu salami saluki seniti sodoku sokoro
    somali sudoku telugu teredo tivoli tobago toledo torero torino tupelo tutelo tuvalu vasari veneto virago virino
    borodino filipino ganapati geronimo kiribati literati menomini moderato nagasaki navarino palomino pinatubo
    rigatoni ritenuto superego tiramisu vitiligo
    """.split()
)
"""Those that there are, place names among them; a test looks words up in WordNet and in a tokenizer's vocabulary."""


class Lexicon:
    """Invented words, each handed out once, none of them `taken`; 800 of three syllables, and thousands of four."""

    def __init__(self, seed: int, syllables: int = 3, taken: Collection[str] = ()) -> None:
        self._random = random.Random(f"lexicon {seed} {syllables}")
        self._syllables = syllables
        self._taken = frozenset(taken)
        self._masked: set[tuple[tuple[int, ...], str]] = set()
        self.words: list[str] = []
        """Handed out so far, in order."""

    def word(self) -> str:
        """A new word.

        Raises:
            ValueError: after 10,000 trials no further word fits; take more syllables.
        """
        for _ in range(10_000):
            word = "".join(self._random.choices(SYLLABLES, k=self._syllables))
            if word in self._taken or not is_invented(word):
                continue
            masks = _masks(word)
            if self._masked.isdisjoint(masks):
                self._masked.update(masks)
                self.words.append(word)
                return word
        raise ValueError(f"no further word of {self._syllables} syllables is {APART} edits from {len(self.words)}")

    def some(self, count: int) -> list[str]:
        """So many new words."""
        return [self.word() for _ in range(count)]


def is_invented(word: str) -> bool:
    """Whether it ends as English words do not, is not one that does, and has no syllable twice."""
    syllables = [word[at : at + 2] for at in range(0, len(word), 2)]
    return word[-1] in LAST and word not in KNOWN and len(set(syllables)) == len(syllables)


@functools.lru_cache(maxsize=100_000)
def _masks(word: str) -> tuple[tuple[tuple[int, ...], str], ...]:
    """What is left of a word for each way to mask APART − 1 letters; two words that share one are too close."""
    chosen = itertools.combinations(range(len(word)), len(word) - APART + 1)
    return tuple((places, "".join(word[place] for place in places)) for places in chosen)
