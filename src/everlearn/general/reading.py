"""A seed in, short invented passages with a question on each out."""

from __future__ import annotations

import itertools
import random
from typing import NamedTuple

from everlearn.general.contract import GeneralSkill, conversation
from everlearn.records import Question

NAMES = "Tom Anna Ben Lisa Max Sara Paul Emma Leo Nina Carl Julia".split()
COLORS = "red blue green yellow white black brown gray".split()
THINGS = "hat car bag coat bike cup tent lamp".split()
TOWNS = "Velmora Dristan Kelbury Norvale Ostwin Pellmark Tarnby Quillon".split()
JOBS = "baker teacher doctor farmer painter pilot nurse singer".split()
PETS = "dog cat horse rabbit parrot turtle".split()
PET_NAMES = "Rex Milo Luna Pip Bella Coco Otto Zara".split()
FOODS = "apples pears eggs lemons plums cakes".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


class Story(NamedTuple):
    """What a passage tells."""

    name: str
    color: str
    thing: str
    town: str
    job: str
    pet: str
    pet_name: str
    count: int
    food: str
    day: str


ASKED = {
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
"""Passages, and the questions on each with the answer; the worked example asks a different one."""

EXAMPLE = Story("Kim", "pink", "scarf", "Arden", "clerk", "goat", "Bo", 4, "nuts", "Sunday")


class Reading(GeneralSkill):
    """Finding in a text what is asked for."""

    def questions(self, seed: int) -> list[Question]:
        """Passages about invented people; some ask after a worked example, some go on asking about the same."""
        chance = random.Random(f"reading {seed}")
        pairs = [
            (passage, first, second)
            for passage, asked in ASKED.items()
            for first, second in itertools.permutations(asked, 2)
        ]
        drawn = (chance.choice(pairs) for _ in itertools.count())
        questions: dict[Question, None] = {}
        while len(questions) < 84:
            passage, shown, asked = next(drawn)
            going_on = len(questions) % 2 == 0
            questions[self._question(passage, shown, asked, _story(chance), going_on)] = None
        return list(questions)

    def _question(
        self, passage: str, shown: tuple[str, str], asked: tuple[str, str], story: Story, going_on: bool
    ) -> Question:
        facts, example = story._asdict(), EXAMPLE._asdict()
        prompt, answer = asked[0].format(**facts), asked[1].format(**facts)
        if going_on:
            shot = (f"{passage} {shown[0]}".format(**facts), shown[1].format(**facts))
        else:
            shot = (f"{passage} {asked[0]}".format(**example), asked[1].format(**example))
            prompt = f"{passage.format(**facts)} {prompt}"
        return Question(conversation([shot], prompt), (answer,), self.name)


def _story(chance: random.Random) -> Story:
    pools = (NAMES, COLORS, THINGS, TOWNS, JOBS, PETS, PET_NAMES, range(2, 10), FOODS, DAYS)
    return Story(*(chance.choice(pool) for pool in pools))
