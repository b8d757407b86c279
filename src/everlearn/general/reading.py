"""A seed in, short invented passages with a question on each out."""

from __future__ import annotations

import itertools
import random

from everlearn.general.contract import GeneralSkill, conversation
from everlearn.records import Question

PARTS = {
    "name": ["Tom", "Anna", "Ben", "Lisa", "Max", "Sara", "Paul", "Emma", "Leo", "Nina", "Carl", "Julia"],
    "color": ["red", "blue", "green", "yellow", "white", "black", "brown", "gray"],
    "thing": ["hat", "car", "bag", "coat", "bike", "cup", "tent", "lamp"],
    "town": ["Velmora", "Dristan", "Kelbury", "Norvale", "Ostwin", "Pellmark", "Tarnby", "Quillon"],
    "job": ["baker", "teacher", "doctor", "farmer", "painter", "pilot", "nurse", "singer"],
    "pet": ["dog", "cat", "horse", "rabbit", "parrot", "turtle"],
    "pet_name": ["Rex", "Milo", "Luna", "Pip", "Bella", "Coco", "Otto", "Zara"],
    "count": ["2", "3", "4", "5", "6", "7", "8", "9"],
    "food": ["apples", "pears", "eggs", "lemons", "plums", "cakes"],
    "day": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
}
"""What the passages are made of; the towns are invented."""

COUNT = 76

QuestionAndAnswer = tuple[str, str]
"""With the parts in braces."""

Asking = tuple[QuestionAndAnswer, dict[str, str]]
"""A question, and the facts about which it is asked."""

ASKED: dict[str, tuple[QuestionAndAnswer, ...]] = {
    "{name} is a {job} from {town}. {name} owns a {color} {thing}.": (
        ("Where is {name} from?", "{name} is from {town}."),
        ("What is {name}'s job?", "{name} is a {job}."),
        ("What color is the {thing}?", "The {thing} is {color}."),
        ("What does {name} own?", "{name} owns a {color} {thing}."),
    ),
    "{name} has a {pet} called {pet_name}. They live in {town}.": (
        ("What is the name of the {pet}?", "The name of the {pet} is {pet_name}."),
        ("What kind of animal is {pet_name}?", "{pet_name} is a {pet}."),
        ("Where do they live?", "They live in {town}."),
    ),
    "On {day}, {name} went to {town} and bought {count} {food}. The weather was cold.": (
        ("How many {food} did {name} buy?", "{name} bought {count} {food}."),
        ("Where did {name} go?", "{name} went to {town}."),
        ("On which day did {name} go to {town}?", "{name} went to {town} on {day}."),
        ("How was the weather?", "The weather was cold."),
    ),
    "The {thing} is {color}. The {pet} is in the garden. {name} is in {town}.": (
        ("Where is the {pet}?", "The {pet} is in the garden."),
        ("Where is {name}?", "{name} is in {town}."),
        ("What color is the {thing}?", "The {thing} is {color}."),
    ),
}
"""Passages, and what can be asked about each."""

EXAMPLE = {
    "name": "Kim",
    "color": "pink",
    "thing": "scarf",
    "town": "Arden",
    "job": "clerk",
    "pet": "goat",
    "pet_name": "Bo",
    "count": "4",
    "food": "nuts",
    "day": "Sunday",
}
"""What the passage of the worked example is made of."""


class Reading(GeneralSkill):
    """Finding in a text what is asked for."""

    def questions(self, seed: int) -> list[Question]:
        """Passages about invented people, each asked about after a worked example or after another question."""
        chance = random.Random(f"{self.name} {seed}")
        pairs = [
            (passage, first, second)
            for passage, asked in ASKED.items()
            for first, second in itertools.permutations(asked, 2)
        ]
        questions: dict[Question, None] = {}
        while len(questions) < COUNT:
            passage, earlier, asked = chance.choice(pairs)
            facts = {part: chance.choice(pool) for part, pool in PARTS.items()}
            shown = (earlier, facts) if len(questions) % 2 else (asked, EXAMPLE)
            questions[self._question(passage, shown, (asked, facts))] = None
        return list(questions)

    def _question(self, passage: str, shown: Asking, asked: Asking) -> Question:
        """What is asked after what is shown; where both are about the same facts, the passage is not repeated."""
        (earlier, told), (asking, facts) = shown, asked
        example = (f"{passage} {earlier[0]}".format(**told), earlier[1].format(**told))
        prompt = asking[0] if told == facts else f"{passage} {asking[0]}"
        return Question(conversation([example], prompt.format(**facts)), (asking[1].format(**facts),), self.name)
