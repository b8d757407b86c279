import pytest

from everlearn.invented_grammar import CONSTRUCTIONS, CORE, GLOSSES


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
