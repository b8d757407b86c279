"""A model in, texts it wrote itself with its own cached beliefs about them out; later, how far it has moved.

An eighth of the texts are sampled at temperature 1 from the start model in its own chat format, with no prompt but the
beginning of a user's turn; the others are pairs of short requests that it makes itself and answers greedily. None
needs outside data (KL self-generated replay, Marek et al. 2605.26097; unprompted user turns: Magpie, 2406.08464).
Only the K most likely tokens at each position are kept.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch

from everlearn.model.chat import Row
from everlearn.model.language_model import SCORE_TOKENS, LanguageModel
from everlearn.model.packing import batches_by_size, pack
from everlearn.records import Message
from everlearn.train.losses import Teacher, most_likely, top_k_kl

KEPT = 20
"""Tokens kept per position; 20 do as well as the whole vocabulary (METHODS: tinker-cookbook's SDFT runs)."""


BEGINNINGS = (
    *("What is ?", "Who ?", "Where ?", "When ?", "Which ?", "How many ?", "What ?", "How ?", "Why ?", "Is ?", "Are ?"),
    *(
        "Does ?",
        "Can ?",
        "Can you ?",
        "What do ?",
        "What kind of ?",
        "Tell me ?",
        "If ?",
        "Answer in ?",
        "Read this: ?",
    ),
    *("Name .", "Complete .", "The opposite of .", "Write .", "Give .", "Say .", "Explain .", "Make .", "Tell me ."),
    *("I am .", "I need .", "My .", "The .", "Hello .", "Thank you ."),
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

    def teacher(self, chosen: Sequence[int]) -> Teacher:
        """The beliefs at all targets of the chosen rows, in order."""
        return Teacher(
            torch.cat([self.teachers[index].ids_NK for index in chosen]),
            torch.cat([self.teachers[index].logprobs_NK for index in chosen]),
        )


def write_anchors(model: LanguageModel, count: int, length: int, seed: int) -> Anchors:
    """`count` chats of at most about `length` tokens that the model writes by itself, with its beliefs.

    An eighth of them are whatever comes; the others are short requests, each answered in one sentence. A quarter go on
    with a second request that begins like the first, so that following an example just seen is among the habits held.
    """
    start = opening(model)
    free, twice = count // 8, count // 4
    replies = model.write([start] * free, length, temperature=1.0, seed=seed)
    texts = [(*start, *_exchanges(reply.ids, model.chat.end, 1)) for reply in replies]
    once = _requests(model, [start] * (count - free), length, seed + 1)
    again = [(*text, *turn_of(model, "user")) for text in once[:twice]]
    texts += _requests(model, again, length, seed + 2) + once[twice:]
    random.Random(seed).shuffle(texts)
    rows = [Row(ids, (*[False] * len(start), *[True] * (len(ids) - len(start)))) for ids in texts]
    return believe(model, rows)


def _requests(model: LanguageModel, texts: Sequence[tuple[int, ...]], length: int, seed: int) -> list[tuple[int, ...]]:
    """The chats with one more request and its answer each; the same place in the list gets the same beginning."""
    end, encode = model.chat.end, partial(model.tokenizer.encode, add_special_tokens=False)
    begun = [BEGINNINGS[number % len(BEGINNINGS)].rsplit(" ", 1) for number in range(len(texts))]
    words, marks = [tuple(encode(word)) for word, _ in begun], [tuple(encode(mark)) for _, mark in begun]
    stops = tuple({token for mark in marks for token in mark})
    answer = turn_of(model, "assistant")
    texts = [(*text, *word) for text, word in zip(texts, words, strict=True)]
    asked = model.generate(texts, length // 4, temperature=0.8, seed=seed, stop=stops)
    texts = [(*text, *reply.ids, *mark, end, *answer) for text, reply, mark in zip(texts, asked, marks, strict=True)]
    said = model.generate(texts, length // 3)
    return [(*text, *_first_sentence(model, reply.ids), end) for text, reply in zip(texts, said, strict=True)]


def _first_sentence(model: LanguageModel, ids: tuple[int, ...]) -> tuple[int, ...]:
    for position, token in enumerate(ids):
        if model.tokenizer.decode([token]).rstrip().endswith((".", "!", "?")):
            return ids[: position + 1]
    return ids


def _exchanges(ids: tuple[int, ...], end: int, count: int) -> tuple[int, ...]:
    """The first exchanges (a user's turn and the reply) without what the model made up after them."""
    ends = [position for position, token in enumerate(ids) if token == end]
    return ids[: ends[2 * count - 1] + 1] if len(ends) >= 2 * count else ids


def turn_of(model: LanguageModel, role: str) -> tuple[int, ...]:
    """The chat format between the end of a turn and the next one's words, by whose turn that is."""
    marker = "everlearn"
    turns = {
        "user": (Message("user", "?"), Message("assistant", marker), Message("user", marker)),
        "assistant": (Message("user", marker),),
    }[role]
    behind = model.tokenizer.decode(model.chat.prompt(turns)).split(marker)[1]
    end = model.tokenizer.decode([model.chat.end])
    return tuple(model.tokenizer.encode(behind.removeprefix(end), add_special_tokens=False))


def opening(model: LanguageModel) -> tuple[int, ...]:
    """The chat format up to where a user begins to speak."""
    marker = "everlearn"
    ids = model.chat.prompt((Message("user", marker),))
    text = model.tokenizer.decode(ids)
    return tuple(model.tokenizer.encode(text[: text.index(marker)], add_special_tokens=False))


@torch.inference_mode()
def believe(model: LanguageModel, rows: Sequence[Row]) -> Anchors:
    """The rows with what the model, as it is now, holds likely at each of their targets."""
    teachers: dict[int, Teacher] = {}
    for group in batches_by_size(rows, SCORE_TOKENS // 4):  # every token is a target: logits take much memory
        batch = pack([rows[index] for index in group])
        teacher = most_likely(model.logits(batch), KEPT)
        for place, index in enumerate(group):
            mine = batch.row_N == place
            teachers[index] = Teacher(teacher.ids_NK.cpu()[mine].clone(), teacher.logprobs_NK.cpu()[mine].clone())
    return Anchors(tuple(rows), tuple(teachers[index] for index in range(len(rows))))


def kl_to(model: LanguageModel, anchors: Anchors, chosen: Sequence[int]) -> torch.Tensor:
    """Mean KL(start ‖ model) in nats per token over the chosen rows."""
    batch = pack([anchors.rows[index] for index in chosen])
    # packing may reorder rows: bring the logits into the order of the teachers
    order = torch.argsort(batch.row_N, stable=True)
    logits_NV = model.logits(batch)[order.to(model.device)]
    return top_k_kl(anchors.teacher(chosen).to(model.device), logits_NV)
