"""A tier's name in; its model, the streams that fit it, and what counts as general ability on it, out."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from everlearn.bench.abilities import Candidates, general
from everlearn.bench.stream import Plan, Posed, posed
from everlearn.desiderata.contract import Asked
from everlearn.errors import SettingsError
from everlearn.records import Example, Question, digest
from everlearn.settings import nearest
from everlearn.streams.contract import tell

FAMILIES = ("facts", "library", "operators", "rules", "classes", "language", "trust")
"""All families that a stream is made of, in the order in which seeds turn them."""

FIRST_SEED = 1
"""Seed of a grid's first stream."""

FIRST_DEV_SEED = 9001
"""Seed of the first stream that settings are tuned on; no grid has so many streams that it comes here."""

PASSAGES = 30
"""Passages of English prose on which a language model's likelihood is measured."""

PASSAGE_LENGTH = 400
"""Characters of each, at most."""

QUICK_QUESTIONS = 12
"""General questions that the smoke tier has: half of them are asked."""

QUICK_PASSAGES = 2
"""Passages that it reads."""

LAB_TEXTS = 32
"""Questions with notes, about worlds that nobody was ever taught, on which the lab model's likelihood is measured."""

LAB_READING = 60
"""Such questions that it may be able to answer from the notes: the skill `reading`, in both halves together."""

UNTAUGHT = 900
"""Seed of these worlds: far above those that the lab model was trained to read in."""


@dataclass(frozen=True)
class Tier:
    """A size of benchmark."""

    name: str
    plan: Callable[[], Plan]
    """What its streams are made of."""
    candidates: Callable[[], Candidates]
    """What its base may be able to do before anything is learnt."""
    per_skill: int
    """General questions of each skill, at most."""
    model: Callable[[], str] | None = None
    """Names its model; None where a person has to."""
    warmup: bool = False
    """Whether its models are warmed up first: pretrained ones have never seen how the families ask."""


def tier(name: str) -> Tier:
    """The tier called `name`.

    Raises:
        SettingsError: there is none.
    """
    if name not in TIERS:
        raise SettingsError(f"there is no tier {name!r}", nearest(name, TIERS))
    return TIERS[name]


def _lab_plan() -> Plan:
    from everlearn.lab.base_world import upbringing

    return Plan(FAMILIES, rounds=2, together=6, taken=tuple(sorted(upbringing().words)))


def _pretrained_plan(rounds: int, scale: float, together: int) -> Plan:
    """Streams for pretrained models, without the words of their warm-up (whether or not there is one)."""
    from everlearn.bench.warmup import worlds

    return Plan(FAMILIES, rounds, scale, together=together, taken=tuple(sorted(worlds().words)))


def _lab_model() -> str:
    from everlearn.lab import model_folder

    return str(model_folder())


@functools.cache
def _lab_candidates() -> Candidates:
    """Held-out questions on what the lab model grew up with, a skill for each family, and notes on what it did not:
    some to answer from (the skill `reading`), some to read.
    """
    from everlearn.lab.base_world import general_probes, reading_rows

    asked = [(name.partition("/")[0], general(posed(probe, ()))) for name, probe in general_probes()]
    questions = {one.asked.id: replace(one, asked=replace(one.asked, kind=family)) for family, one in asked}
    rows = (row for seed in itertools.count(UNTAUGHT) for row in reading_rows(seed))
    texts = tuple(itertools.islice(rows, LAB_TEXTS))
    read = {one.asked.id: one for one in map(_asked_to_read, itertools.islice(rows, LAB_READING))}
    return Candidates((*_in_turns_of_kind(list(questions.values())), *read.values()), texts)


def _in_turns_of_kind(questions: Sequence[Posed]) -> list[Posed]:
    """The questions in an order in which every kind of probe comes early: the first so many have all of them."""
    by_kind: dict[str, list[Posed]] = {}
    for one in questions:
        by_kind.setdefault(one.question.group, []).append(one)
    rounds = itertools.zip_longest(*by_kind.values())
    return [one for some in rounds for one in some if one is not None]


def _asked_to_read(row: Example) -> Posed:
    """A row of notes and a question as a question of the skill `reading`."""
    *before, reply = row.messages
    return asked_in_general(Question(tuple(before), (reply.content,), "reading"))


@functools.cache
def _english() -> Candidates:
    """Everyday questions, and prose that comes with Python."""
    from everlearn import general as skills

    return Candidates(tuple(asked_in_general(question) for question in skills.candidates()), prose(PASSAGES))


def _quick() -> Candidates:
    """A few of the same."""
    whole = _english()
    return Candidates(whole.questions[:QUICK_QUESTIONS], whole.texts[:QUICK_PASSAGES])


def asked_in_general(question: Question) -> Posed:
    """A question on a general skill (its `group`) as it is put to a model."""
    identity = digest(question)[:16]
    prompt, gold = question.messages[-1].content, question.gold[0]
    asked = Asked(identity, "general", question.group, "general", (), identity, 0.0, prompt=prompt, gold=gold)
    return Posed(asked, question)


def prose(count: int) -> tuple[Example, ...]:
    """So many passages of Python's own reference manual, evenly taken from it."""
    from pydoc_data.topics import topics

    passages = [passage for name in sorted(topics) for passage in _passages(topics[name])]
    return tuple(tell(passage) for passage in _evenly(passages, count))


def _passages(text: str) -> list[str]:
    """Paragraphs of prose, each on one line: no headings, code or lists, nothing much shorter than a passage."""
    paragraphs = [
        block for block in text.split("\n\n") if block and not block.startswith((" ", "*", "-", "+", "|", "."))
    ]
    lines = [" ".join(block.split()) for block in paragraphs]
    return [line[:PASSAGE_LENGTH].rpartition(" ")[0] for line in lines if len(line) > PASSAGE_LENGTH // 2]


def _evenly(passages: Sequence[str], count: int) -> Sequence[str]:
    return passages[:: max(1, len(passages) // count)][:count]


TIERS = {
    "smoke": Tier("smoke", lambda: Plan(FAMILIES[:3], rounds=2, scale=0.2, per_kind=2), _quick, per_skill=2),
    "lab": Tier("lab", _lab_plan, _lab_candidates, per_skill=24, model=_lab_model),
    "smollm2": Tier(
        "smollm2",
        lambda: _pretrained_plan(rounds=2, scale=0.75, together=3),
        _english,
        per_skill=12,
        model=lambda: "smollm2-135m",
        warmup=True,
    ),
    "any": Tier("any", lambda: _pretrained_plan(rounds=3, scale=1.0, together=0), _english, per_skill=30, warmup=True),
}
"""By name. `lab` and `smollm2` run on two cores; `smoke` shows that all of it works; `any` is for a GPU."""
