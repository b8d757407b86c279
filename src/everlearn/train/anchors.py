"""A model in, texts it wrote itself with its own cached beliefs about them out; later, how far it has moved.

An eighth of the texts, or all, are sampled at temperature 1 from the start model in its own chat format, with no prompt
but the beginning of a user's turn; the others are pairs of short requests that it makes itself and answers greedily.
None needs outside data (KL self-generated replay, Marek et al. 2605.26097; unprompted user turns: Magpie, 2406.08464).
Only the K most likely tokens at each position are kept.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from everlearn.model.chat import Row
from everlearn.model.generation import Script
from everlearn.model.language_model import SCORE_TOKENS, LanguageModel
from everlearn.model.packing import batches_by_size, pack
from everlearn.records import Message
from everlearn.train.losses import Teacher, beliefs, top_k_kl
from everlearn.train.meter import Meter

KEPT = 20
"""Tokens kept per position; 20 do as well as the whole vocabulary (METHODS: tinker-cookbook's SDFT runs)."""

FREE = 1 / 8
"""Share of the texts that are sampled with no beginning given."""

LONGEST_BESIDE = 96
"""Tokens of a text that stands beside an anchor, at most."""

BEGINNINGS = tuple(
    """What is ?|Who ?|Where ?|When ?|Which ?|How many ?|What ?|How ?|Why ?|Is ?|Are ?|Does ?|Can ?|Can you ?|What do ?|
    What kind of ?|Tell me ?|If ?|Answer in ?|Read this: ?|Name .|Complete .|The opposite of .|Write .|Give .|Say .|
    Explain .|Make .|Tell me .|I am .|I need .|My .|The .|Hello .|Thank you .""".replace("\n    ", "").split("|")
)
"""What the user's turns of the short exchanges begin and end with; the model writes what stands between."""


@dataclass(frozen=True)
class Anchors:
    """Rows and, for each of their targets in order, the teacher's most likely tokens."""

    rows: tuple[Row, ...]
    teachers: tuple[Teacher, ...]

    def tensors(self) -> dict[str, torch.Tensor]:
        """As tensors, to be kept in a commit."""
        return {
            "lengths": torch.tensor([len(row.ids) for row in self.rows], dtype=torch.int32),
            "ids": torch.tensor([token for row in self.rows for token in row.ids], dtype=torch.int32),
            "learn": torch.tensor([flag for row in self.rows for flag in row.learn], dtype=torch.uint8),
            "top_ids": torch.cat([teacher.ids_NK for teacher in self.teachers]).to(torch.int32).cpu(),
            "top_logprobs": torch.cat([teacher.logprobs_NK for teacher in self.teachers]).half().cpu(),
        }

    @classmethod
    def of(cls, tensors: dict[str, torch.Tensor]) -> Anchors:
        """What `tensors` kept."""
        lengths = tensors["lengths"].tolist()
        rows = tuple(
            Row(tuple(ids.tolist()), tuple(bool(flag) for flag in learn.tolist()))
            for ids, learn in zip(tensors["ids"].split(lengths), tensors["learn"].split(lengths), strict=True)
        )
        targets = [row.targets for row in rows]
        teachers = tuple(
            Teacher(ids.long(), logprobs.float())
            for ids, logprobs in zip(
                tensors["top_ids"].split(targets), tensors["top_logprobs"].split(targets), strict=True
            )
        )
        return cls(rows, teachers)

    def __add__(self, others: Anchors) -> Anchors:
        return Anchors(self.rows + others.rows, self.teachers + others.teachers)

    def first(self, count: int) -> Anchors:
        """The first `count` of them."""
        return Anchors(self.rows[:count], self.teachers[:count])

    def sample(self, count: int, seed: int) -> Anchors:
        """At most `count` of them, in random order."""
        chosen = random.Random(seed).sample(range(len(self.rows)), min(count, len(self.rows)))
        return Anchors(tuple(self.rows[index] for index in chosen), tuple(self.teachers[index] for index in chosen))

    def teacher(self, chosen: Sequence[int]) -> Teacher:
        """The beliefs at all targets of the chosen rows, in order."""
        return Teacher(
            torch.cat([self.teachers[index].ids_NK for index in chosen]),
            torch.cat([self.teachers[index].logprobs_NK for index in chosen]),
        )


def metered(written: Anchors, meter: Meter) -> Anchors:
    """What a model has written, once its tokens are counted: those it wrote, and those that it was asked about."""
    meter.read("generated", sum(row.targets for row in written.rows))
    meter.read("teacher", sum(len(row.ids) for row in written.rows))
    return written


def by_start(model: LanguageModel, write: Callable[[], Anchors], meter: Meter) -> Anchors:
    """What the start model writes, metered; the model is afterwards what it was."""
    with model.as_started():
        return metered(write(), meter)


def write_anchors(model: LanguageModel, count: int, length: int, seed: int, free_share: float = FREE) -> Anchors:
    """`count` chats of at most about `length` tokens that the model writes by itself, with its beliefs.

    `free_share` of them are whatever comes; the others are two short requests with the same beginning, each answered in
    one sentence, so that short answers, and following an example just seen, are among the habits held.
    """
    start = model.chat.opening()
    free = [_free(model.chat.end, length) for _ in range(int(count * free_share))]
    pairs = [_two_requests(model, BEGINNINGS[number % len(BEGINNINGS)], length) for number in range(count - len(free))]
    texts = model.play(start, free + pairs, seed)
    random.Random(seed).shuffle(texts)
    return believe(model, [_after(start, ids) for ids in texts])


def write_requests(model: LanguageModel, count: int, length: int, seed: int) -> list[tuple[int, ...]]:
    """`count` prompts, each a user's turn of at most `length` tokens that the model writes by itself."""
    start, end, answer = model.chat.opening(), model.chat.end, model.chat.turn_of("assistant")
    written = model.play(start, [_turn(end, 1.0, length, frozenset(), ()) for _ in range(count)], seed)
    return [(*start, *ids, *answer) for ids in written]


def write_answers(model: LanguageModel, prompts: Sequence[tuple[Message, ...]], length: int) -> Anchors:
    """The prompts with the model's own answers of one sentence (at most `length` tokens), with its beliefs on both."""
    end, start = model.chat.end, model.chat.opening()
    asked = [model.chat.prompt(prompt) for prompt in prompts]
    replies = model.generate(asked, length, stop=tuple(model.chat.sentence_ends))
    answers = [(*reply.ids, *_ending(reply.end, end)) for reply in replies]
    rows = [_after(start, (*ids[len(start) :], *said)) for ids, said in zip(asked, answers, strict=True)]
    return believe(model, rows)


def beside(model: LanguageModel, anchors: Anchors, texts: Sequence[str], seed: int) -> tuple[Row, ...]:
    """The rows of the anchors, each with one of the texts in front of its first request."""
    draw, start = random.Random(seed), len(model.chat.opening())
    encoded = [tuple(model.tokenizer.encode(f"{text} ", add_special_tokens=False))[:LONGEST_BESIDE] for text in texts]
    return tuple(
        Row((*row.ids[:start], *text, *row.ids[start:]), (*row.learn[:start], *[False] * len(text), *row.learn[start:]))
        for row in anchors.rows
        for text in [draw.choice(encoded)]
    )


def _ending(last: int | None, end: int) -> tuple[int, ...]:
    """What closes an answer: nothing where it was cut off, the end of its sentence and of its turn else."""
    return () if last is None else (end,) if last == end else (last, end)


def _after(start: tuple[int, ...], ids: tuple[int, ...]) -> Row:
    """A row of which everything behind the start is held."""
    return Row((*start, *ids), (*[False] * len(start), *[True] * len(ids)))


def _free(end: int, length: int) -> Script:
    """The user's first turn and the reply, both as they come."""
    ends = 0
    for _ in range(length):
        ends += (yield 1.0) == end
        if ends == 2:
            return


def _two_requests(model: LanguageModel, beginning: str, length: int) -> Script:
    """Two exchanges; the requests begin and end alike."""
    encode = functools.partial(model.tokenizer.encode, add_special_tokens=False)
    words, mark = (encode(part) for part in beginning.rsplit(" ", 1))
    end, answer = model.chat.end, model.chat.turn_of("assistant")
    for between in ((), model.chat.turn_of("user")):
        yield from _said(between)
        yield from _said(words)
        yield from _turn(end, 0.8, length // 4, frozenset(mark), mark)
        yield from _said(answer)
        yield from _turn(end, 0.0, length // 3, model.chat.sentence_ends, ())


def _said(tokens: Sequence[int]) -> Script:
    for token in tokens:  # noqa: UP028  `yield from` a list would not take the tokens that are sent
        yield token


def _turn(end: int, temperature: float, limit: int, stops: frozenset[int], last: Sequence[int]) -> Script:
    """Tokens up to the first stop, or to `last` at the limit; then the turn's end, if it has not come by itself."""
    for _ in range(limit):
        token = yield temperature
        if token == end:
            return
        if token in stops:
            break
    else:
        yield from _said(last)
    yield end


@torch.inference_mode()
def believe(model: LanguageModel, rows: Sequence[Row]) -> Anchors:
    """The rows with what the model, as it is now, holds likely at each of their targets."""
    teachers: dict[int, Teacher] = {}
    for group in batches_by_size(rows, SCORE_TOKENS):
        batch = pack([rows[index] for index in group])
        teacher = Teacher.joined([beliefs(logits_PV, KEPT) for logits_PV in model.logits_in_parts(batch)])
        for place, index in enumerate(group):
            mine = batch.row_N == place
            teachers[index] = Teacher(teacher.ids_NK.cpu()[mine].clone(), teacher.logprobs_NK.cpu()[mine].clone())
    return Anchors(tuple(rows), tuple(teachers[index] for index in range(len(rows))))


def kl_to(model: LanguageModel, anchors: Anchors, chosen: Sequence[int]) -> torch.Tensor:
    """Mean KL(start ‖ model) in nats per token over the chosen rows."""
    logits_NV = model.logits(pack([anchors.rows[index] for index in chosen]))
    return top_k_kl(anchors.teacher(chosen).to(model.device), logits_NV)
