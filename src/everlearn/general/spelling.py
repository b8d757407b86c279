"""A seed in, questions on letters and word forms out."""

from __future__ import annotations

from everlearn.general.contract import Frame, GeneralSkill, Topic, table
from everlearn.records import Question

PLURALS = table("""
    dog: dogs, house: houses, box: boxes, child: children, man: men, foot: feet, tooth: teeth, city: cities,
    baby: babies, bus: buses, leaf: leaves, knife: knives, book: books, tree: trees, dish: dishes, key: keys,
    story: stories, potato: potatoes, fox: foxes, watch: watches, party: parties, wolf: wolves, church: churches,
    country: countries, glass: glasses, lady: ladies, toy: toys, wife: wives, hero: heroes, class: classes,
    berry: berries, shelf: shelves, brush: brushes, day: days, fly: flies, king: kings, tax: taxes, girl: girls
""")

PASTS = table("""
    go: went, take: took, make: made, give: gave, come: came, buy: bought, find: found, know: knew, say: said,
    walk: walked, play: played, talk: talked, jump: jumped, see: saw, eat: ate, run: ran, think: thought,
    bring: brought, catch: caught, tell: told, leave: left, lose: lost, send: sent, feel: felt, keep: kept,
    meet: met, build: built, sell: sold, sleep: slept, spend: spent, stand: stood, win: won, love: loved,
    live: lived, work: worked, help: helped, need: needed, stop: stopped, try: tried, carry: carried
""")

COMPARED = table("""
    big: bigger: biggest, small: smaller: smallest, tall: taller: tallest, fast: faster: fastest,
    good: better: best, old: older: oldest, strong: stronger: strongest, hot: hotter: hottest,
    long: longer: longest, cold: colder: coldest, easy: easier: easiest, young: younger: youngest,
    slow: slower: slowest, high: higher: highest, short: shorter: shortest, dark: darker: darkest,
    deep: deeper: deepest, rich: richer: richest, warm: warmer: warmest, weak: weaker: weakest
""")

WORDS = """
    apple house window table green river stone light bread water music paper train cloud horse garden summer
    mountain orange family doctor market yellow island bridge forest dragon winter silver letter kitchen number
    animal banana camera dinner engine finger guitar hammer insect jacket ladder monkey needle office pencil
    rabbit school ticket uncle village wallet zebra
"""


class Spelling(GeneralSkill):
    """How words are written and how their forms are made."""

    def questions(self, seed: int) -> list[Question]:
        """Letters of common words, capitals, plurals, past tenses and comparisons."""
        return self.draw(_topics(), count=76, seed=seed)


def _topics() -> list[Topic]:
    letters = [_spelled(word) for word in WORDS.split()]
    cat, fish = _spelled("cat"), _spelled("fish")
    mouse, teach, new = ("mouse", "mice"), ("teach", "taught"), ("new", "newer", "newest")
    return [
        Topic(
            letters,
            [
                Frame(
                    'What is the first letter of the word "{0}"?',
                    (
                        'The first letter of the word "{0}" is "{1}".',
                        'The first letter of the word "{0}" is "{2}".',
                    ),
                ),
                Frame(
                    'What is the first letter of "{0}"?',
                    ('The first letter of "{0}" is "{2}".', 'The first letter of "{0}" is "{1}".'),
                    (cat,),
                ),
                Frame('What is the last letter of "{0}"?', ('The last letter of "{0}" is "{3}".',), (cat, fish)),
            ],
        ),
        Topic(
            letters,
            [
                Frame('Write "{0}" in capital letters.', ("{4}",), (cat, fish)),
                Frame('Capitalize the word "{0}".', ("{5}",), (cat, fish)),
            ],
        ),
        Topic(
            PLURALS,
            [
                Frame('What is the plural of "{0}"?', ('The plural of "{0}" is "{1}".',), (mouse,)),
                Frame('What is the singular of "{1}"?', ('The singular of "{1}" is "{0}".',), (mouse,)),
                Frame(
                    'What is the plural of "{0}"?',
                    ('The plural of "{0}" is "{1}".', 'The plural of "{0}" is {1}.'),
                ),
            ],
        ),
        Topic(
            PASTS,
            [
                Frame('What is the past tense of "{0}"?', ('The past tense of "{0}" is "{1}".',), (teach,)),
                Frame("Today I {0}. Yesterday I", ("Today I {0}. Yesterday I {1}.",), (teach,)),
            ],
        ),
        Topic(
            COMPARED,
            [
                Frame('What is the comparative of "{0}"?', ('The comparative of "{0}" is "{1}".',), (new,)),
                Frame('What is the superlative of "{0}"?', ('The superlative of "{0}" is "{2}".',), (new,)),
            ],
        ),
    ]


def _spelled(word: str) -> tuple[str, ...]:
    return word, word[0].upper(), word[0], word[-1], word.upper(), word.title()
