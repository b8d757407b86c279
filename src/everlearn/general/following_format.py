"""A seed in, requests whose answer must have a certain form out; judged by what the model really writes."""

from __future__ import annotations

from everlearn.general.contract import Frame, GeneralSkill, Topic, table
from everlearn.records import Question

WORDS = """
    cat house tree river apple music green water light bread table stone horse train cloud window paper garden
    orange doctor market yellow bridge forest silver letter
"""

TRIPLES = table("""
    red: blue: green, cat: dog: bird, one: two: three, tea: milk: juice, Tom: Anna: Ben, north: south: east,
    bread: butter: cheese, car: bus: train, sun: moon: stars, gold: silver: iron, Paris: London: Rome,
    king: queen: prince, rain: snow: wind, hand: foot: head, table: chair: bed, spring: summer: winter
""")

PEOPLE = table("""
    Tom: 5, Anna: 31, Ben: 12, Lisa: 40, Max: 28, Emma: 63, Leo: 9, Nina: 17, Paul: 55, Sara: 22, Carl: 34, Julia: 8
""")

COUNTRIES = [
    "France",
    "Japan",
    "Egypt",
    "Peru",
    "Kenya",
    "Spain",
    "China",
    "Greece",
    "Norway",
    "Cuba",
    "Poland",
    "Chile",
]

QUESTIONS = [
    "What is the capital of France?",
    "What color is the sky?",
    "What is the capital of Japan?",
    "What is water?",
    "What is a dog?",
    "What color is grass?",
    "Where is Paris?",
    "What do cows eat?",
    "What is the opposite of hot?",
    "What is 2 + 2?",
    "What is a rose?",
    "What is the capital of Spain?",
]

ENDINGS = ["Have a nice day!", "Thank you!", "Over.", "I hope this helps."]
OPENINGS = ["Answer:", "Dear friend,", "Sure!", "Here you go:"]

ONE_WORD = table("""
    What color is the sky?: Blue, What is the capital of France?: Paris, What is the capital of Japan?: Tokyo,
    What is the opposite of hot?: Cold, What language is spoken in Spain?: Spanish, What color is snow?: White,
    What is the capital of Egypt?: Cairo, What planet do we live on?: Earth, What color is blood?: Red,
    What language is spoken in Japan?: Japanese, What is the opposite of up?: Down, What is the capital of Cuba?: Havana
""")

SENTENCES = [
    "The cat sat on the mat",
    "I like green tea",
    "It is cold today",
    "We are happy now",
    "The train is late",
    "My code is 4711",
    "She has two brothers",
    "The door is open",
    "Ben plays the piano",
    "They live in Rome",
    "The soup was hot",
    "You can go home",
]


class FollowingFormat(GeneralSkill):
    """Answers in the form that was asked for."""

    def questions(self, seed: int) -> list[Question]:
        """Capitals, one word, JSON, lists, given openings and endings, quotation marks, repetition."""
        return self.draw([*_letters(), *_lists(), *_ends(), *_lengths()], count=60, seed=seed)


def _letters() -> list[Topic]:
    words = [(word, word.upper()) for word in WORDS.split()]
    lines = [(line,) for line in SENTENCES]
    bird = ("bird", "BIRD")
    return [
        Topic(words, [Frame('Write "{0}" in capital letters.', ("{1}",), (bird,), "uppercase", "{0}")]),
        Topic(words, [Frame("Write in lowercase: {1}", ("{0}",), (bird,), "lowercase", "{0}")]),
        Topic(lines, [Frame("Repeat exactly: {0}.", ("{0}.",), (("The bird sings",),), "equals", "{0}.")]),
        Topic(
            words,
            [
                Frame("Put the word in quotation marks: {0}", ('"{0}"',), (bird,), "regex", '"{0}"'),
                Frame("Write the word twice: {0}", ("{0} {0}",), (bird,), "equals", "{0} {0}"),
            ],
        ),
    ]


def _lists() -> list[Topic]:
    iron, kim = ("iron", "lead", "tin"), ("Kim", "7")
    italy = ("Italy", "Rome")
    countries = [(country, "") for country in COUNTRIES]
    return [
        Topic(
            TRIPLES,
            [Frame("Write as a list with commas: {0} and {1} and {2}", ("{0}, {1}, {2}",), (iron,), "comma_list", "3")],
        ),
        Topic(
            PEOPLE,
            [
                Frame(
                    "Give the name and age as JSON: {0} is {1} years old.",
                    ('{{"name": "{0}", "age": {1}}}',),
                    (kim,),
                    "json_object",
                    "name, age",
                )
            ],
        ),
        Topic(
            countries,
            [
                Frame(
                    "{0}",
                    ('{{"country": "{0}", "capital": "{1}"}}',),
                    (italy,),
                    "json_object",
                    "country, capital",
                    "Answer with JSON.",
                )
            ],
        ),
    ]


def _ends() -> list[Topic]:
    asked = [(question, "") for question in QUESTIONS]
    rome = (("What is the capital of Italy?", "The capital of Italy is Rome."),)
    ends = [Frame(f'End your answer with "{end}" {{0}}', (f"{{1}} {end}",), rome, "ends_with", end) for end in ENDINGS]
    starts = [
        Frame(f'Start your answer with "{start}" {{0}}', (f"{start} {{1}}",), rome, "starts_with", start)
        for start in OPENINGS
    ]
    return [Topic(asked, ends), Topic(asked, starts)]


def _lengths() -> list[Topic]:
    grass = ("What color is grass?", "Green")
    briefly = [(f"What is {word}?", "") for word in ("water", "bread", "music", "a car", "a cat", "snow", "a bird")]
    flour = ("What is flour?", "A white powder.")
    return [
        Topic(ONE_WORD, [Frame("Answer with exactly one word. {0}", ("{1}",), (grass,), "one_word", "{1}")]),
        Topic(briefly, [Frame("Answer in at most five words. {0}", ("{1}",), (flour,), "max_words", "5")]),
    ]
