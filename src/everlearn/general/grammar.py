"""A seed in, questions on putting sentences right and turning them round out."""

from __future__ import annotations

from everlearn.general.contract import Frame, GeneralSkill, Topic, capital, table
from everlearn.records import Question

BEING = table("""
    The dogs: are: hungry, My sister: is: a nurse, The apples: are: red, Our house: is: old, They: are: my friends,
    The sun: is: bright, The children: are: happy, This book: is: good, We: are: at home, The cars: are: fast,
    Tom: is: tall, The water: is: cold, The flowers: are: yellow, Her brother: is: a pilot, The cups: are: empty,
    The train: is: late, The girls: are: tired, The window: is: open, These shoes: are: new, The moon: is: round,
    The stars: are: far away, His car: is: blue, The men: are: strong, The soup: is: hot, The keys: are: here,
    The king: is: old, The roads: are: long, The city: is: big, The birds: are: quiet, The shop: is: closed
""")

FAULTS = table("""
    He go to school: He goes to school, She have a cat: She has a cat, We was late: We were late,
    He don't like tea: He doesn't like tea, She like music: She likes music, Tom play football: Tom plays football,
    He can sings: He can sing, I has a car: I have a car, The cat sleep all day: The cat sleeps all day,
    She walk to work: She walks to work, He drink milk: He drinks milk, My father work here: My father works here,
    She sing well: She sings well, Anna read a book: Anna reads a book, He live in Paris: He lives in Paris,
    The boy run fast: The boy runs fast, She want a dog: She wants a dog, He speak French: He speaks French,
    The girl write a letter: The girl writes a letter, My mother cook dinner: My mother cooks dinner
""")

PLAIN = table("""
    paris is a city: Paris is a city, my name is tom: My name is Tom, we live in london: We live in London,
    the sun is hot: The sun is hot, she went home: She went home, the dog ran away: The dog ran away,
    monday is a holiday: Monday is a holiday, anna lives in rome: Anna lives in Rome, he is my friend: He is my friend,
    it was a long day: It was a long day, berlin is in germany: Berlin is in Germany,
    the door is open: The door is open, they came back in june: They came back in June,
    her cat is black: Her cat is black, ben likes soup: Ben likes soup
""")

ARTICLES = table("""
    I ate ___ apple: I ate an apple, He is ___ actor: He is an actor, I see ___ egg: I see an egg,
    He has ___ idea: He has an idea, That is ___ orange: That is an orange, It is ___ island: It is an island,
    She is ___ artist: She is an artist, This is ___ onion: This is an onion, I need ___ umbrella: I need an umbrella,
    We saw ___ elephant: We saw an elephant, He is ___ uncle: He is an uncle, She has ___ dog: She has a dog,
    It is ___ book: It is a book, I need ___ pen: I need a pen, She bought ___ car: She bought a car
""")


class Grammar(GeneralSkill):
    """Sentences put right, filled in, denied and asked."""

    def questions(self, seed: int) -> list[Question]:
        """Agreement, articles, capitals, corrections, negations and questions."""
        return self.draw(_topics(), count=66, seed=seed)


def _topics() -> list[Topic]:
    bird, trees = ("The bird", "is", "small"), ("The trees", "are", "green")
    sky = ("The sky", "is", "blue", "the sky", "Is")
    turned = [
        (who, verb, what, who if who in ("Tom",) else who[0].lower() + who[1:], capital(verb))
        for who, verb, what in BEING
    ]
    return [
        Topic(
            BEING,
            [
                Frame('Fill in "is" or "are": {0} ___ {2}.', ("{0} {1} {2}.",), (bird,)),
                Frame('Choose "is" or "are": {0} (is/are) {2}.', ("{0} {1} {2}.",), (trees,)),
            ],
        ),
        Topic(
            turned,
            [
                Frame("Make this sentence negative: {0} {1} {2}.", ("{0} {1} not {2}.",), (sky,)),
                Frame("Turn this into a question: {0} {1} {2}.", ("{4} {3} {2}?",), (sky,)),
                Frame("Make this sentence negative: {0} {1} {2}.", ("{0} {1} not {2}.",)),
            ],
        ),
        Topic(FAULTS, [Frame("Correct the grammar: {0}.", ("{1}.",), (("Kim eat bread", "Kim eats bread"),))]),
        Topic(
            PLAIN,
            [
                Frame(
                    "Write with correct capital letters: {0}.",
                    ("{1}.",),
                    (("kim likes tea", "Kim likes tea"),),
                )
            ],
        ),
        Topic(
            ARTICLES,
            [
                Frame(
                    'Fill in "a" or "an": {0}.',
                    ("{1}.",),
                    (("I see ___ cat", "I see a cat"), ("I see ___ ant", "I see an ant")),
                )
            ],
        ),
    ]
