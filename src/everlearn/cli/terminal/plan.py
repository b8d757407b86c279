"""The arguments of `learn` in; a plan out, or whatever is wrong with it, before anything is created or trained."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from everlearn import plugins
from everlearn.cli.terminal.stores import model_name, store_folder
from everlearn.data import read_items, read_questions
from everlearn.data.places import counted, places
from everlearn.errors import DataError
from everlearn.estimate import Size, require_memory, size_of
from everlearn.grade import CHECKS
from everlearn.learner import DEFAULT_METHOD
from everlearn.methods.contract import Method
from everlearn.model.cache import model_directory
from everlearn.model.chat import Chat
from everlearn.model.tokenizer import chat_format
from everlearn.records import Example, Item, Question
from everlearn.resources import free_memory
from everlearn.settings import nearest, with_values
from everlearn.stacking import method_called
from everlearn.study.lesson import DEFAULT as DEFAULT_STUDY
from everlearn.study.strategies.contract import Strategy


@dataclass(frozen=True)
class Plan:
    """What is to be learnt, and how."""

    name: str
    items: tuple[Item, ...]
    questions: tuple[Question, ...]
    method_name: str
    method: Method
    settings: dict[str, str]
    """As they were given."""
    study: str
    model: str
    size: Size
    chat: Chat
    notes: tuple[str, ...]
    """What a person should know of the data."""


def make_plan(arguments: argparse.Namespace) -> Plan:
    """Read the data, find the method, and check that both fit the model and the machine.

    Raises:
        EverlearnError: something would go wrong later.
    """
    path = Path(arguments.data)
    reading = read_items(path)
    questions = read_questions(arguments.questions) if arguments.questions else ()
    _check_grades(questions, str(arguments.questions))
    method_name = arguments.method or DEFAULT_METHOD
    settings = dict(arguments.set)
    method: Method = with_values(method_called(method_name), settings)
    study = arguments.study or DEFAULT_STUDY
    for strategy in study.split("+"):
        plugins.find("study.strategies", strategy, Strategy)
    model = model_name(store_folder(arguments), arguments.model)
    size = size_of(model_directory(model), method)
    require_memory(size, _free_memory())
    chat = chat_format(model)
    notes = (*reading.notes, *_cut_rows(reading.items, chat))
    return Plan(path.stem, reading.items, questions, method_name, method, settings, study, model, size, chat, notes)


def _check_grades(questions: Sequence[Question], file: str) -> None:
    for question in questions:
        if question.grade != Question.grade and question.grade not in CHECKS:
            place = f"{question.origin.file or file}:{question.origin.line}"
            raise DataError(f"{place}: there is no check called {question.grade!r}", nearest(question.grade, CHECKS))


def _free_memory() -> int | None:
    """Bytes left where the model will be trained."""
    return int(torch.cuda.mem_get_info()[0]) if torch.cuda.is_available() else free_memory()


def _cut_rows(items: Sequence[Item], chat: Chat) -> list[str]:
    """A note on examples that are longer than the context.

    Raises:
        DataError: nothing of such an example would be left to learn.
    """
    whole = Chat(chat.tokenizer, sys.maxsize)
    long = [i for i in items if isinstance(i, Example) and len(whole.example(i).ids) > chat.context]
    for example in long:
        chat.example(example)
    if not long:
        return []
    where = places([example.origin for example in long])
    verb = "is" if len(long) == 1 else "are"
    return [
        f"{counted(len(long), 'row')} {verb} longer than the context of {chat.context:,} tokens and cut there ({where})"
    ]
