"""A count in, strings of letters with their classes out: a class is named by one letter."""

from __future__ import annotations

import random
from string import ascii_lowercase


def strings(count: int) -> list[tuple[str, str]]:
    """Strings of 12 letters; the class is the letter that stands for how many vowels there are."""
    draw = random.Random("strings")
    drawn = ["".join(draw.choices(ascii_lowercase, k=12)) for _ in range(count)]
    return [(text, ascii_lowercase[sum(letter in "aeiou" for letter in text)]) for text in drawn]
