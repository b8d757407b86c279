"""A model in, texts it wrote itself with its own cached beliefs about them out; later, how far it has moved.

The texts are sampled at temperature 1 from the start model in its own chat format, with no prompt but the
beginning of a user's turn, so they need no outside data (KL self-generated replay, Marek et al. 2605.26097;
unprompted user turns: Magpie, 2406.08464). Only the K most likely tokens at each position are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from everlearn.model.chat import Row
from everlearn.model.language_model import SCORE_TOKENS, LanguageModel
from everlearn.model.packing import batches_by_size, pack
from everlearn.records import Message
from everlearn.train.losses import Teacher, most_likely, top_k_kl

KEPT = 20
"""Tokens kept per position; 20 do as well as the whole vocabulary (METHODS: tinker-cookbook's SDFT runs)."""


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


def write_anchors(model: LanguageModel, count: int, length: int, seed: int) -> Anchors:
    """`count` chats of at most `length` tokens that the model writes by itself, with its beliefs."""
    start = opening(model)
    replies = model.write([start] * count, length, temperature=1.0, seed=seed)
    texts = [_first_exchange(reply.ids, model.chat.end) for reply in replies]
    return believe(model, [Row((*start, *ids), (*[False] * len(start), *[True] * len(ids))) for ids in texts])


def _first_exchange(ids: tuple[int, ...], end: int) -> tuple[int, ...]:
    """The user's turn and the reply to it, without what the model made up after them."""
    ends = [position for position, token in enumerate(ids) if token == end]
    return ids[: ends[1] + 1] if len(ends) > 1 else ids


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
    for group in batches_by_size(rows, SCORE_TOKENS):
        batch = pack([rows[index] for index in group])
        teacher = most_likely(model.logits(batch), KEPT)
        for place, index in enumerate(group):
            mine = batch.row_N == place
            teachers[index] = Teacher(teacher.ids_NK.cpu()[mine].clone(), teacher.logprobs_NK.cpu()[mine].clone())
    return Anchors(tuple(rows), tuple(teachers[index] for index in range(len(rows))))


def kl_to(model: LanguageModel, anchors: Anchors, chosen: Sequence[int]) -> tuple[torch.Tensor, int]:
    """Mean KL(start ‖ model) in nats per token over the chosen rows, and the tokens it took."""
    batch = pack([anchors.rows[index] for index in chosen])
    # packing may reorder rows: bring the teachers into the order of the targets
    order = torch.argsort(batch.row_N, stable=True)
    logits_NV = model.logits(batch)[order.to(model.device)]
    ids_NK = torch.cat([anchors.teachers[index].ids_NK for index in chosen]).to(model.device)
    logprobs_NK = torch.cat([anchors.teachers[index].logprobs_NK for index in chosen]).to(model.device)
    return top_k_kl(Teacher(ids_NK, logprobs_NK), logits_NV), batch.tokens
