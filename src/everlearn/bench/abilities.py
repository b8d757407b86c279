"""A base model and candidate questions in; what it could do before anything was learnt, and how it spoke, out.

Fixed on the untouched base: questions that it surely answers right, texts that it reads, and its own replies with its
beliefs about them. What a model has lost is told by asking the same again.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from everlearn.bench.stream import Posed
from everlearn.examiner import SPARE, SURE, answer_all
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.anchors import Anchors, believe, kl_to
from everlearn.train.meter import Meter

REPLIES = 48
"""Replies of the base, of each sort, on which KL is measured."""

REPLY_TOKENS = 12
"""Tokens of each reply, at most."""

KL_ROWS = 16
"""Rows whose KL is computed at once."""


@dataclass(frozen=True)
class Candidates:
    """What a tier offers as general ability."""

    questions: tuple[Posed, ...]
    texts: tuple[Example, ...]
    """General texts that are never trained on."""

    def half(self, dev: bool) -> Candidates:
        """The half of the questions by which settings are tuned, or the other one, which grids ask; texts are in both.

        A question's half is told by a hash of its id: the same one however many others there are.
        """
        halves = [hashlib.sha256(one.asked.id.encode()).digest()[0] % 2 == 1 for one in self.questions]
        return replace(self, questions=tuple(itertools.compress(self.questions, [own == dev for own in halves])))


@dataclass(frozen=True)
class Abilities:
    """What a base can do, and how it speaks."""

    questions: tuple[Posed, ...]
    texts: tuple[Example, ...]
    general: Anchors
    """The base's replies to general questions, with its beliefs."""
    new: Anchors
    """The base's replies to probes of the stream, likewise."""


def abilities_of(base: LanguageModel, candidates: Candidates, probes: Sequence[Posed], per_skill: int) -> Abilities:
    """Fix them on the base as it is: at most `per_skill` questions of each kind that it surely answers right."""
    chosen = tuple(known(base, candidates.questions, per_skill))
    return Abilities(chosen, candidates.texts, _replies(base, _some(chosen)), _replies(base, _some(probes)))


def known(base: LanguageModel, offered: Sequence[Posed], per_skill: int) -> list[Posed]:
    """Of each kind the first so many that the base surely answers right; no more are asked than that takes."""
    waiting: dict[str, list[Posed]] = {}
    for posed in offered:
        waiting.setdefault(posed.asked.kind, []).append(posed)
    kept: dict[str, list[Posed]] = {kind: [] for kind in waiting}
    while True:
        asked: list[Posed] = []
        for kind, open_still in waiting.items():
            count = math.ceil(SPARE * (per_skill - len(kept[kind])))
            asked += open_still[:count]
            del open_still[:count]
        if not asked:
            return [posed for group in kept.values() for posed in group]
        for posed, answer in zip(asked, answer_all(base, [one.question for one in asked], Meter(0)), strict=True):
            sure = answer.correct and (posed.question.grade != "exact" or answer.lead >= SURE)
            if sure and len(kept[posed.asked.kind]) < per_skill:
                kept[posed.asked.kind].append(posed)


def general(posed: Posed) -> Posed:
    """The same question as one about general ability."""
    return replace(posed, asked=replace(posed.asked, axis="general", stages=(), atoms=(), chance=0.0))


def kl_from(model: LanguageModel, spoken: Anchors) -> float | None:
    """Mean KL(base ‖ model) over the base's replies, nats per token; None without any."""
    import torch

    total, count = 0.0, 0
    with torch.inference_mode():
        for group in model.routes([row.prompt for row in spoken.rows]):
            for at in range(0, len(group), KL_ROWS):
                chosen = group[at : at + KL_ROWS]
                targets = sum(spoken.rows[index].targets for index in chosen)
                total += float(kl_to(model, spoken, chosen)) * targets
                count += targets
    return total / count if count else None


def nats_per_byte(model: LanguageModel, examples: Sequence[Example]) -> float | None:
    """Negative log-likelihood of what is learnt of the examples, nats per byte of it; None without any."""
    rows = [model.chat.example(example) for example in examples]
    nats = sum(outcome.nll * row.targets for row, outcome in zip(rows, model.force(rows), strict=True))
    size = sum(len(message.content.encode()) for example in examples for message in example.messages if message.learn)
    return nats / size if size else None


def _some(posed: Sequence[Posed]) -> list[Posed]:
    """At most REPLIES of them, evenly."""
    return list(posed[:: max(1, -(-len(posed) // REPLIES))]) if posed else []


def _replies(base: LanguageModel, asked: Sequence[Posed]) -> Anchors:
    """The base's greedy replies, with its beliefs at each of their tokens."""
    prompts = [base.chat.prompt(posed.question.messages) for posed in asked]
    replies = base.generate(prompts, REPLY_TOKENS)
    rows = [
        Row((*prompt, *said), (*[False] * len(prompt), *[True] * len(said)))
        for prompt, reply in zip(prompts, replies, strict=True)
        if (said := (*reply.ids, *([] if reply.end is None else [reply.end])))
    ]
    return believe(base, rows)
