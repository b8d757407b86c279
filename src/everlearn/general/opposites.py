"""A seed in, questions on the opposites of words out."""

from __future__ import annotations

from everlearn.general.contract import Frame, GeneralSkill, Topic, table
from everlearn.records import Question

PAIRS = table("""
    hot: cold, big: small, up: down, happy: sad, fast: slow, old: new/young, day: night, black: white, light: dark,
    rich: poor, strong: weak, open: closed, full: empty, hard: soft, wet: dry, left: right, love: hate, war: peace,
    high: low, early: late, win: lose, true: false, young: old, heavy: light, thick: thin, loud: quiet,
    clean: dirty, long: short, wide: narrow, begin: end, inside: outside, male: female, positive: negative,
    success: failure, friend: enemy, cheap: expensive, deep: shallow, smooth: rough, buy: sell, push: pull,
    east: west, north: south, summer: winter, above: below, before: after, first: last, sweet: sour, life: death,
    alive: dead, brave: cowardly, easy: difficult/hard, gain: loss, guilty: innocent, heaven: hell, increase: decrease,
    maximum: minimum, optimist: pessimist, public: private, safe: dangerous, simple: complex, victory: defeat,
    arrival: departure, ancient: modern, birth: death, beautiful: ugly, bright: dim/dark, create: destroy,
    far: near, kind: cruel, laugh: cry, major: minor, many: few, more: less, question: answer, future: past,
    rise: fall, sink: float, sunrise: sunset, top: bottom, visible: invisible, possible: impossible,
    warm: cool/cold, wise: foolish, accept: reject, add: subtract, attack: defend, front: back
""")

SENTENCES = table("""
    The soup is hot: The soup is cold, The box is big: The box is small, The man is old: The man is young,
    The door is open: The door is closed, The road is long: The road is short, The bag is heavy: The bag is light,
    The car is fast: The car is slow, The wall is high: The wall is low, The boy is strong: The boy is weak,
    The river is wide: The river is narrow, The test is easy: The test is difficult/The test is hard,
    The bed is soft: The bed is hard, The king is rich: The king is poor, The lake is deep: The lake is shallow,
    The towel is wet: The towel is dry, The story is true: The story is false, The night is cold: The night is hot,
    The house is new: The house is old, The music is loud: The music is quiet, The line is thick: The line is thin
""")


class Opposites(GeneralSkill):
    """Words that mean the contrary of each other."""

    def questions(self, seed: int) -> list[Question]:
        """Pairs of opposites in five phrasings, and some whole sentences."""
        return self.draw(_topics(), count=76, seed=seed)


def _topics() -> list[Topic]:
    good, quoted = (("good", "bad"),), ('The opposite of "{0}" is "{1}".',)
    words = [
        Frame("What is the opposite of {0}?", ("The opposite of {0} is {1}.",), good),
        Frame('What is the opposite of "{0}"?', quoted, good),
        Frame('Give an antonym of "{0}".', ('An antonym of "{0}" is "{1}".',), good),
        Frame("Answer in one short sentence. What is the opposite of {0}?", ("The opposite of {0} is {1}.",)),
        Frame("Complete: The opposite of {0} is", ("The opposite of {0} is {1}.",), good),
    ]
    sentences = [Frame("Say the opposite: {0}.", ("{1}.",), (("The news is good", "The news is bad"),))]
    return [Topic(PAIRS, words), Topic(SENTENCES, sentences)]
