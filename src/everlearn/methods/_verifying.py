"""An example in, what can be asked of it and a reward from 0 to 1 for each answer to that out; no judge, no model.

What `self_sft`, `grpo` and `reinforce` have in common: the taught answer is all that an answer is held against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from everlearn import grade
from everlearn.errors import SettingsError
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.sampling import Sampled

SPARE = 4
"""Tokens that an answer may have beyond those of the taught one: the end of its turn, a full stop, other pieces."""

CHECKS = ("equals", "contains")
"""Checks of `grade` that a taught answer is an argument of."""


class Task(NamedTuple):
    """What is asked, and what was taught as the answer."""

    prompt: tuple[int, ...]
    """Tokens up to where the assistant speaks."""
    answer: str
    limit: int
    """Tokens that an answer may have, the end of the turn included."""


@dataclass(frozen=True)
class Verifier:
    """What counts as right, and what a wrong answer is worth."""

    check: str = "equals"
    """One of CHECKS."""
    partial: float = 0.0
    """Reward of a wrong answer with all the words of the taught one, and in proportion (F1 of the words) less."""

    def __post_init__(self) -> None:
        if self.check not in CHECKS:
            raise SettingsError(f"check is {self.check!r}", f"choose {' or '.join(f'`{name}`' for name in CHECKS)}")
        if not 0 <= self.partial < 1:
            raise SettingsError(f"partial is {self.partial}", "give a reward from 0 up to, not including, 1")

    def reward(self, model: LanguageModel, task: Task, said: Sampled) -> float:
        """1 for an answer that is right and has ended by itself, less for any other."""
        text = model.chat.text(list(said.answer))
        if said.finished and grade.check(self.check, task.answer, grade.Reply(text, True, len(said.answer))):
            return 1.0
        return self.partial * overlap(task.answer, text)


def task_of(model: LanguageModel, example: Example) -> Task | None:
    """The last taught turn of a conversation as a question; None for a text, which asks nothing, and for what leaves no
    room in the context."""
    taught = [number for number, message in enumerate(example.messages) if message.learn]
    if example.messages[0].role == "text" or not taught:
        return None
    prompt = model.chat.prompt(example.messages[: taught[-1]])
    answer = example.messages[taught[-1]].content
    limit = len(model.tokenizer.encode(answer.strip(), add_special_tokens=False)) + SPARE
    return Task(prompt, answer, limit) if len(prompt) + limit <= model.context else None


def with_answer(example: Example, answer: str) -> Example:
    """An example whose last taught turn says something else."""
    last = max(number for number, message in enumerate(example.messages) if message.learn)
    turns = [replace(turn, content=answer) if at == last else turn for at, turn in enumerate(example.messages)]
    return replace(example, messages=tuple(turns))


def overlap(wanted: str, said: str) -> float:
    """F1 of the words of two texts, in any case, as SQuAD (Rajpurkar et al. 1606.05250) scores answers."""
    words, given = Counter(wanted.lower().split()), Counter(said.lower().split())
    same = (words & given).total()
    return 2 * same / (words.total() + given.total()) if same else 0.0


def by_prompt(sampled: Sequence[Sampled], prompts: int) -> list[list[Sampled]]:
    """The answers to each of so many prompts."""
    groups: list[list[Sampled]] = [[] for _ in range(prompts)]
    for said in sampled:
        groups[said.prompt].append(said)
    return groups
