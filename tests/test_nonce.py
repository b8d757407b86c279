"""Invented words are many, far apart, in no word list, and the same for a seed."""

from __future__ import annotations

import itertools
import re

import pytest

from everlearn.nonce import APART, SYLLABLES, Lexicon, is_invented


def edits(one: str, other: str) -> int:
    """Levenshtein distance, by the textbook."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        before, row[0] = row[0], place
        for column, sign in enumerate(other, start=1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (letter != sign))
    return row[-1]


def test_edits_are_counted():
    assert edits("balori", "balori") == 0
    assert edits("balori", "baloro") == 1
    assert edits("balori", "aloriba") == 3


@pytest.mark.parametrize("syllables", [3, 4])
def test_any_two_words_are_three_edits_apart(syllables):
    words = Lexicon(5, syllables).some(250)
    assert min(edits(one, other) for one, other in itertools.combinations(words, 2)) == APART


def test_words_are_pronounceable_and_of_one_length():
    words = Lexicon(1).some(300)
    assert {len(word) for word in words} == {6}
    assert all(re.fullmatch("([bdfgklmnprstvz][aeiou]){3}", word) for word in words)
    assert len(SYLLABLES) == 70


def test_a_seed_makes_the_same_words_and_another_one_others():
    first = Lexicon(1).some(50)
    assert Lexicon(1).some(50) == first
    assert len(set(Lexicon(2).some(50)) & set(first)) < 5


def test_taken_words_are_not_handed_out():
    taken = Lexicon(1).some(200)
    assert not set(Lexicon(1, taken=taken).some(200)) & set(taken)


def test_an_exhausted_lexicon_says_so():
    lexicon = Lexicon(0, syllables=1)
    with pytest.raises(ValueError, match="no further word of 1 syllables"):
        lexicon.some(100)


def test_words_that_english_has_are_no_inventions():
    assert not is_invented("potato")
    assert not is_invented("bababo")
    assert not is_invented("kemuta")
    assert is_invented("kemutu")


def test_no_word_is_in_the_dictionary_or_known_whole_to_a_language_model():
    """WordNet's words in any form, and the whole words among the default model's tokens."""
    from everlearn.model.tokenizer import chat_format
    from everlearn.study.lexicon import relatives

    tokenizer = chat_format("smollm2-135m").tokenizer
    known = {token.removeprefix("Ġ").lower() for token in tokenizer.get_vocab()}
    assert "university" in known
    assert relatives("bananas")
    words = [word for seed in range(12) for word in Lexicon(seed).some(300)]
    assert not [word for word in words if word in known or relatives(word)]
