import random

import pytest

from everlearn.streams.worlds.invented_grammar import CONSTRUCTIONS, CORE, GLOSSES, Rule, Word, fill


def test_glosses_are_different_words_that_take_the_article_a():
    glosses = [gloss for kind in GLOSSES.values() for gloss in kind]
    assert len(glosses) == len(set(glosses)) >= 256
    assert not [gloss for gloss in glosses if gloss[0] in "aeiou"]
    assert sum(CORE.values()) == 80
    assert all(CORE[speech] <= len(GLOSSES[speech]) for speech in GLOSSES)


@pytest.mark.parametrize(
    ("name", "way", "said"),
    [
        ("plural", "before", "pa ba"),
        ("plural", "after", "ba pa"),
        ("past", "before", "pa ba"),
        ("adjective", "before", "ba bo"),
        ("adjective", "after", "bo ba"),
        ("order", "subject verb object", "ba bo bi"),
        ("order", "verb object subject", "bo bi ba"),
        ("order", "object subject verb", "bi ba bo"),
    ],
)
def test_constructions_say_what_was_worked_out_by_hand(name, way, said):
    construction = CONSTRUCTIONS[name]
    words = ["ba", "bo", "bi"][: len(construction.speech)]
    assert construction.say(words, way, "pa" if construction.particle else "") == said


@pytest.mark.parametrize("construction", CONSTRUCTIONS.values(), ids=CONSTRUCTIONS.keys())
def test_every_way_says_something_else_and_english_has_a_place_for_every_word(construction):
    words = ["ba", "bo", "bi"][: len(construction.speech)]
    said = {construction.say(words, way, "pa" if construction.particle else "") for way in construction.ways}
    assert len(said) == len(construction.ways)
    assert all(word in construction.english.format(*words).split() for word in words)


def word(spelling, gloss, speech="noun", lesson=0):
    return Word(spelling, gloss, speech, lesson)


def test_a_rule_says_a_phrase_at_once_and_word_by_word():
    rule = Rule("plural", "after", "pa", 0, "lo")
    assert rule.english([word("ba", "dog")]) == "more than one dog"
    assert rule.say([word("ba", "dog")]) == "ba pa"
    assert rule.say([word("ba", "dog")], "before") == "pa ba"
    assert rule.spell_out([word("ba", "dog")]) == "dog is ba, so ba pa"
    pair = [word("bo", "big", "adjective"), word("ba", "dog")]
    assert Rule("adjective", "after", "", 0, "lo").spell_out(pair) == "big is bo, dog is ba, so ba bo"


def test_places_are_filled_with_different_words_one_of_them_of_the_newest_lesson():
    rule = Rule("order", "subject verb object", "", 0, "lo")
    words = [word("ba", "dog"), word("bo", "cat", lesson=1), word("bi", "see", "verb")]
    for seed in range(9):
        found = fill(random.Random(seed), rule, words, newest=1)
        assert sorted(one.word for one in found) == ["ba", "bi", "bo"]
        assert [one.speech for one in found] == ["noun", "verb", "noun"]
    assert fill(random.Random(1), rule, words, newest=2) == []
    assert fill(random.Random(1), rule, words[1:]) == []
