"""A person's own folder of stages in, a stream that is scored like a generated one out.

    mine/01-handbook/lesson.md        anything that `everlearn learn` takes
    mine/01-handbook/questions.jsonl  held-out questions, as for `learn --questions`
    mine/02-tickets/…

Stages come in the order of their folders' names. All scores that need no generator are computed: the questions are
atoms, their `group` is their kind, and nothing is known about chance, so it counts as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from everlearn.bench.stream import Posed, Stream, StreamStage
from everlearn.data import read_items, read_questions
from everlearn.desiderata.contract import Asked
from everlearn.errors import DataError
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Question, digest
from everlearn.study.lesson import prepare_lesson

QUESTIONS = "questions"
"""Stem of the file that asks, in each stage's folder."""


def read_stream(folder: Path, model: LanguageModel, study: str, seed: int = 0) -> Stream:
    """The stream in a folder; documents are studied by `study` with the model as it is.

    Raises:
        DataError: there are no stages, a stage has nothing to learn from or no questions, or a file is unreadable.
    """
    places = stage_folders(folder)
    stages: list[StreamStage] = []
    posed: list[Posed] = []
    earlier: list[Example] = []
    for number, place in enumerate(places, start=1):
        examples = _examples(place, model, study, earlier, seed)
        earlier += examples
        stages.append(StreamStage(place.name, tuple(examples)))
        posed += [_posed(question, number, place.name) for question in read_questions(_questions(place))]
    return Stream(seed, tuple(stages), lambda salt: tuple(posed))


def stage_folders(folder: Path) -> Sequence[Path]:
    """The folders of the stages, in order.

    Raises:
        DataError: there are none, or one has no questions.
    """
    places = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if not places:
        raise DataError(f"{folder} holds no stages", "make a folder for each stage: 01-first/, 02-second/, …")
    for place in places:
        _questions(place)
    return places


def _questions(place: Path) -> Path:
    found = sorted(place.glob(f"{QUESTIONS}.*"))
    if not found:
        raise DataError(f"{place} has no {QUESTIONS} file", f"add {place / QUESTIONS}.jsonl with held-out questions")
    return found[0]


def _examples(place: Path, model: LanguageModel, study: str, earlier: Sequence[Example], seed: int) -> list[Example]:
    files = [path for path in sorted(place.iterdir()) if path.stem != QUESTIONS and not path.name.startswith(".")]
    if not files:
        raise DataError(f"{place} has nothing to learn from", "add a document, chats, a skill or corrections")
    items = [item for path in files for item in read_items(path).items]
    return list(prepare_lesson(items, study, earlier, model, seed, lambda number, count: None).examples)


def _posed(question: Question, stage: int, name: str) -> Posed:
    identity = digest(question)[:16]
    asked = Asked(
        id=identity,
        family=name,
        kind=question.group or "question",
        axis="atom",
        stages=(stage,),
        key=identity,
        chance=0.0,
        prompt=question.messages[-1].content,
        gold=question.gold[0],
    )
    return Posed(asked, question)
