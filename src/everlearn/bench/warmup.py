"""A pretrained model's name in, the folder of the same model after a short warm-up out: made once, kept in the cache.

A pretrained model has never seen how the families ask. Without a warm-up, streams would measure whether it guesses what
*unknown* or *before spring* is about. From worlds of its own it learns forms and procedures: how each family asks and
answers, how a bridge is spelled out, how a thing is turned round, how notes are read, what marks of sources are worth.
It is the base of all arms alike, and what it was warmed up on is in no score. What general ability that has cost is
measured at once and kept beside it.
"""

from __future__ import annotations

import functools
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from everlearn import plugins
from everlearn.bench.abilities import known
from everlearn.bench.grid import WarmUp
from everlearn.bench.recording import write_whole
from everlearn.bench.stream import Posed
from everlearn.errors import DataError, EverlearnError
from everlearn.examiner import PER_SKILL, answer_all
from everlearn.lab.base_world import BaseWorld, answered, families, latest_rows
from everlearn.methods.anchored import Anchored
from everlearn.model.cache import model_directory, weights_digest
from everlearn.model.language_model import LanguageModel
from everlearn.nonce import Lexicon
from everlearn.packages import cache_directory, only_one
from everlearn.records import Example, decode, digest, encode
from everlearn.streams.contract import Family
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Progress, Run

SEED = 80_000
"""Of the worlds: far above those of streams, and of the lab model's."""

LESSONS = 2
"""In each world: operands of one lesson and of two, changes, and texts to believe or not."""

SCALE = 0.25
"""Things in each lesson, relative to the family's usual number: few, so that little is to be learnt by heart."""

MODEL, FACTS = "model", "warmup.json"
"""What a folder of the cache holds."""

TOLD = 10
"""Optimiser steps between two lines on how far it is."""


@dataclass(frozen=True)
class Recipe:
    """What decides what a warm-up makes of a model, beside the rows."""

    lesson_rows: int = 120
    """Of each world, at most."""
    per_kind: int = 4
    """Probes of each kind and lesson: so many without notes, and of another world as many behind the notes."""
    learning_rate: float = 1e-4
    rows_per_step: int = 16
    anchors: int = 192
    """Texts that the model writes first, on which it is held to what it believed: forms are learnt, abilities kept."""
    anchors_per_step: int = 4
    strength: float = 5.0
    """Weight of their KL."""
    per_skill: int = PER_SKILL
    """General questions of each skill by which the cost is measured, at most."""


RECIPE = Recipe()
"""About 1,600 rows, each seen once: some 60,000 tokens of SmolLM2."""


class Warmed(NamedTuple):
    """A warmed-up model."""

    folder: Path
    facts: WarmUp


class Worlds(NamedTuple):
    """What a warm-up is about, no two of its worlds sharing an invented word."""

    taught: tuple[BaseWorld, ...]
    """Their lessons are learnt."""
    read: tuple[BaseWorld, ...]
    """Their notes are read, in front of questions."""
    words: tuple[str, ...]
    """All invented words: no stream may use one."""


@functools.lru_cache(maxsize=1)
def worlds() -> Worlds:
    """A world of each family to learn, and another one to read about."""
    lexicon = Lexicon(SEED)
    taught, read = (
        tuple(BaseWorld(name, _family(name).world(lexicon, seed, LESSONS, _items(name))) for name in families())
        for seed in (SEED, SEED + 1)
    )
    return Worlds(taught, read, tuple(lexicon.words))


def rows(recipe: Recipe = RECIPE) -> list[Example]:
    """What is learnt: lessons, probes with the right reply, and probes behind the notes that suffice."""
    found = worlds()
    lessons = [latest_rows(one.world) for one in found.taught]
    chosen = [random.Random(SEED).sample(some, min(len(some), recipe.lesson_rows)) for some in lessons]
    asked = [answered(probe) for one in found.taught for probe in one.world.probes(SEED, recipe.per_kind)]
    read = [answered(probe, probe.reading) for one in found.read for probe in one.world.probes(SEED, recipe.per_kind)]
    return [*(row for some in chosen for row in some), *asked, *read]


def warmed(model: str, questions: Sequence[Posed], recipe: Recipe = RECIPE) -> Warmed:
    """The model called `model` after the warm-up; it is made if the cache has it not, which takes minutes.

    Args:
        questions: general questions, by which the cost of the warm-up is measured when it is made.

    Raises:
        EverlearnError: the model cannot be loaded, the cache cannot be written, or training fails.
    """
    untouched = weights_digest(model_directory(model))
    key = digest([untouched, recipe, rows(recipe)])
    folder = cache_directory() / "warmed" / key[:16]
    with only_one(folder.with_suffix(".lock")):
        if not (folder / FACTS).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                _make(model, questions, recipe, Path(scratch)).rename(folder)
    return Warmed(folder / MODEL, decode(WarmUp, (folder / FACTS).read_bytes()))


def _make(name: str, questions: Sequence[Posed], recipe: Recipe, scratch: Path) -> Path:
    """Warm up, measure, and write both to a folder in `scratch`."""
    _say(f"warming up {name} (once, kept in {cache_directory()}): what it can do …")
    model = LanguageModel.load(name)
    could = known(model, questions, recipe.per_skill)
    fitting = [row for row in rows(recipe) if _fits(model, row)]
    if not fitting:
        raise EverlearnError(f"no row of the warm-up fits into the context of {name}", "go without it: --no-warmup")
    meter = Meter(model.parameters)
    run = Run(SEED, meter, Checkpoints(scratch / "work", meter, every_seconds=None), _tell)
    method = Anchored(
        weights="full",
        learning_rate=recipe.learning_rate,
        epochs=1,
        rows_per_step=recipe.rows_per_step,
        least_steps=1,
        strength=recipe.strength,
        anchors=recipe.anchors,
        anchors_per_step=recipe.anchors_per_step,
    )
    method.learn(model, fitting, {}, run)
    answers = answer_all(model, [posed.question for posed in could], Meter(0))
    can = sum(answer.correct for answer in answers)
    _say(f"warm-up: of {len(could)} general questions that it surely answered it still answers {can}")
    made = scratch / "made"
    model.network.save_pretrained(made / MODEL)
    model.tokenizer.save_pretrained(made / MODEL)
    facts = WarmUp(
        name, model.digest, digest([recipe, rows(recipe)]), len(fitting), meter.tokens["new"], len(could), can
    )
    write_whole(made / FACTS, encode(facts))
    return made


def _fits(model: LanguageModel, row: Example) -> bool:
    """Whether a row is learnt to its end."""
    try:
        return len(model.chat.example(row).ids) < model.context
    except DataError:
        return False


def _family(name: str) -> Family:
    return plugins.find("streams", name, Family)()


def _items(name: str) -> int:
    return max(2, round(_family(name).items * SCALE))


def _tell(progress: Progress) -> None:
    """Every so many steps a line."""
    if progress.doing == "learning" and (progress.step % TOLD == 0 or progress.step == progress.steps):
        left = f", {progress.seconds_left:.0f} s left" if progress.seconds_left is not None else ""
        _say(f"warm-up: step {progress.step} of {progress.steps}{left}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
