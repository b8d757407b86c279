"""A seed in, candidate exam questions about one general skill out: what every file of this folder does."""

from __future__ import annotations

import abc
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from everlearn.records import Message, Question

Row = tuple[str, ...]
"""One fact: the parts that the frames of its topic put into words."""

Entry = TypeVar("Entry")


class Frame(NamedTuple):
    """One way to ask for a fact, with {0}, {1}, … for its parts."""

    ask: str
    answers: tuple[str, ...]
    """The forms in which the answer counts; the canonical one, which the worked examples show, first."""
    shots: tuple[Row, ...] = ()
    """Facts for worked examples before the question: they tell a small model how to put its answer."""
    grade: str = "exact"
    argument: str = ""
    """What `grade` is given, where it names a check."""
    system: str = ""
    """Instead of the model's own system prompt."""


class Topic(NamedTuple):
    """Facts that the same frames can ask for."""

    rows: Sequence[Row]
    frames: Sequence[Frame]


class GeneralSkill(abc.ABC):
    """Something the model could do before it was taught anything; the file's name is the skill's name."""

    @abc.abstractmethod
    def questions(self, seed: int) -> list[Question]:
        """Candidates in the order of preference; the examiner keeps those that the base answers right."""

    @property
    def name(self) -> str:
        """The file's name, which is the group of the questions."""
        return type(self).__module__.rpartition(".")[2]

    def draw(self, topics: Sequence[Topic], count: int, seed: int) -> list[Question]:
        """`count` questions (fewer if there are no more), taking turns between the topics, each fact once
        before any fact is asked for in a second frame."""
        chance = random.Random(f"{self.name} {seed}")
        return list(itertools.islice(in_turns([self._shuffled(topic, chance) for topic in topics]), count))

    def ask(self, frame: Frame, row: Row) -> Question:
        """The question that `frame` makes of `row`; a part such as `autumn/fall` allows either word."""
        first, answers = first_choice(row), frame.answers
        gold: Iterable[str] = (form.format(*parts) for form in answers for parts in choices(row))
        if frame.grade != "exact":
            gold = (frame.argument.format(*first),)
        shots = [(frame.ask.format(*shot), answers[0].format(*shot)) for shot in frame.shots]
        messages = conversation(shots, frame.ask.format(*first), frame.system)
        return Question(messages, tuple(dict.fromkeys(gold)), self.name, frame.grade)

    def _shuffled(self, topic: Topic, chance: random.Random) -> list[Question]:
        rounds: list[list[Question]] = [[] for _ in topic.frames]
        for row in chance.sample(topic.rows, len(topic.rows)):
            frames = chance.sample(topic.frames, len(topic.frames))
            for place, frame in enumerate(frames):
                rounds[place].append(self.ask(frame, row))
        return [question for entries in rounds for question in entries]


def conversation(shots: Sequence[tuple[str, str]], prompt: str, system: str = "") -> tuple[Message, ...]:
    """Messages that show the worked examples as earlier turns and end with the prompt."""
    turns = [Message("system", system)] if system else []
    for asked, answered in shots:
        turns += [Message("user", asked), Message("assistant", answered)]
    return (*turns, Message("user", prompt))


def in_turns(queues: Sequence[Iterable[Entry]]) -> Iterator[Entry]:
    """One entry of each queue, then the next of each, until all are empty."""
    for entries in itertools.zip_longest(*queues):
        yield from (entry for entry in entries if entry is not None)


def table(text: str) -> list[Row]:
    """Rows written as `France: Paris, Japan: Tokyo`; line breaks count as spaces."""
    entries = " ".join(text.split()).split(",")
    return [tuple(part.strip() for part in entry.split(":")) for entry in entries if entry.strip()]


def choices(row: Row) -> list[Row]:
    """The row once for every combination of its parts' alternatives."""
    return list(itertools.product(*(part.split("/") for part in row)))


def first_choice(row: Row) -> Row:
    """The row with the first alternative of every part."""
    return tuple(part.split("/")[0] for part in row)


def article(noun: str) -> str:
    """The noun with `a` or `an` before it."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def capital(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]
