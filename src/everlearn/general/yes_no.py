"""A seed in, as many questions to be answered with yes as with no out."""

from __future__ import annotations

from everlearn.general.contract import Frame, GeneralSkill, Row, Topic, article, capital, in_turns, table
from everlearn.records import Question

CLASSES = table("""
    robins: birds, oaks: trees, dogs: pets, cars: red, keys: gold, cups: full, boats: slow, hats: green, nurses: kind,
    blips: zogs, wugs: blue, tolls: marnes, clerks: singers, roses: white, bakers: happy, cats: hunters, shops: open,
    rooms: clean, books: new, kings: old, doors: closed, pilots: brave, poets: poor, trains: late, frems: dull,
    goats: gray, spoons: silver, games: free, roads: long, judges: wise, coins: round, shirts: dry, cakes: sweet
""")

ABLE = ["swim", "sing", "drive", "cook", "dance", "read", "paint", "ski", "climb"]
NAMES = ["Tom", "Sam", "Anna", "Ben", "Lisa", "Max", "Emma", "Leo", "Nina", "Paul"]
THINGS = ["a dog", "a car", "a boat", "a garden", "a brother", "a horse", "a key", "a house", "a piano"]

GROUPS = table("""
    cats: pets, robins: birds, oaks: trees, blips: zogs, clerks: singers, boats: toys, nurses: runners, tolls: marnes
""")

BRIEF = "Answer the question."
"""Shorter than the model's own system prompt, which the worked examples make unnecessary."""

DEGREES = table("""
    richer: poorer, stronger: weaker, bigger: smaller, taller: shorter, older: younger, faster: slower
""")

MEMBERS = {
    "an animal": ["dog", "cat", "horse", "lion", "tiger", "cow", "rabbit", "bear"],
    "a fruit": ["apple", "banana", "pear", "grape", "peach", "mango", "plum", "cherry"],
    "a vehicle": ["car", "bus", "truck", "train", "boat", "bicycle", "tractor", "taxi"],
    "a tool": ["hammer", "saw", "drill", "wrench", "axe", "shovel", "rake", "chisel"],
}


class YesNo(GeneralSkill):
    """Whether something follows from what was said, or is so."""

    def questions(self, seed: int) -> list[Question]:
        """Quantifiers, negations, comparisons and kinds, a yes and a no in turns."""
        yes = self.draw(_topics(True), count=36, seed=seed)
        no = self.draw(_topics(False), count=36, seed=seed)
        return list(in_turns([yes, no]))


def _topics(holds: bool) -> list[Topic]:
    classes = [_class(subject, said, holds) for subject, said in CLASSES]
    lions = (_class("lions", "cats", True), _class("lions", "dogs", False))
    able = [_able(name, deed, holds) for name in NAMES for deed in ABLE]
    owns = [_owns(name, thing, holds) for name in NAMES for thing in THINGS]
    joe_kim = (_able("Joe", "fly", False), _able("Kim", "swim", True))
    more = [
        _more(first, second, words, holds)
        for words in DEGREES[3:]
        for first in NAMES[:5]
        for second in NAMES[:5]
        if first != second
    ]
    shown = (
        _more("Kim", "Joe", DEGREES[0], False),
        _more("Eva", "Dan", DEGREES[1], True),
        _more("Ian", "Amy", DEGREES[2], True),
    )
    members = [_member(one, group, kind, holds) for group, kind in GROUPS for one in ("Rex", "Pip", "Ada")]
    hunters = (_member("Leo", "lions", "hunters", True), _member("Bo", "dogs", "birds", False))
    return [
        Topic(
            classes,
            [
                Frame("{0} Yes or no?", ("{1}",), lions),
                Frame("{0} Yes or no?", ("{1}",), lions, system="Answer yes or no."),
            ],
        ),
        Topic(able, [Frame("{0}", ("{1}",), joe_kim, system=BRIEF)]),
        Topic(
            owns, [Frame("{0}", ("{1}",), (_owns("Joe", "a bike", False), _owns("Kim", "a cat", True)), system=BRIEF)]
        ),
        Topic(members, [Frame("{0} Yes or no?", ("{1}",), hunters, system="Answer yes or no.")]),
        Topic(more, [Frame("{0}", ("{1}",), shown, system=BRIEF)]),
        Topic(
            _kinds(holds),
            [
                Frame(
                    "Is {0} {1}?",
                    ("{2}", "{3}"),
                    (("a rose", "a flower", "A rose is a flower."), ("a rose", "a fish", "A rose is not a fish.")),
                    system=BRIEF,
                ),
                Frame(
                    "Is {0} {1}?",
                    ("{2}", "{3}"),
                    (("a rose", "a fish", "A rose is not a fish."), ("a salmon", "a fish", "A salmon is a fish.")),
                    system=BRIEF,
                ),
            ],
        ),
    ]


def _class(subject: str, said: str, holds: bool) -> Row:
    told = f"{'All' if holds else 'No'} {subject} are {said}."
    return f"{told} Are {subject} {said}?", "Yes." if holds else "No."


def _able(name: str, deed: str, holds: bool) -> Row:
    told = f"{name} {'can' if holds else 'cannot'} {deed}."
    return f"{told} Can {name} {deed}?", told


def _owns(name: str, thing: str, holds: bool) -> Row:
    told = f"{name} {'has' if holds else 'does not have'} {thing}."
    return f"{told} Does {name} have {thing}?", told


def _more(first: str, second: str, degrees: Row, holds: bool) -> Row:
    more, less = degrees
    told = f"{first} is {more} than {second}."
    if holds:
        return f"{told} Is {first} {more} than {second}?", told
    return f"{told} Is {first} {less} than {second}?", f"{first} is not {less} than {second}."


def _member(one: str, group: str, kind: str, holds: bool) -> Row:
    told = f"{'All' if holds else 'No'} {group} are {kind}. {one} is one of the {group}."
    return f"{told} Is {one} one of the {kind}?", "Yes." if holds else "No."


def _kinds(holds: bool) -> list[Row]:
    rows: list[Row] = []
    for kind, members in MEMBERS.items():
        others = [other for other in MEMBERS if other != kind]
        for place, member in enumerate(members):
            thing = article(member)
            truth = f"{capital(thing)} is {kind}."
            if holds:
                rows.append((thing, kind, truth, truth))
            else:
                other = others[place % len(others)]
                rows.append((thing, other, f"{capital(thing)} is not {other}.", truth))
    return rows
