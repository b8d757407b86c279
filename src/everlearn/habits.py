"""A model in, how far it has moved from the base on the base's own everyday replies out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import pack
from everlearn.records import Habits, Message
from everlearn.train.anchors import believe
from everlearn.train.losses import Teacher, top_k_kl

EVERYDAY = (
    "Hello! How are you today?",
    "Can you suggest a simple dinner with rice?",
    "Explain what a rainbow is.",
    "Write two sentences about the sea.",
    "How do I keep a houseplant healthy?",
    "What should I pack for a weekend trip?",
    "Tell me a short story about a fox.",
    "Why do leaves change colour in autumn?",
    "Give me three tips for sleeping better.",
    "What is the difference between weather and climate?",
    "Write a polite email asking for a day off.",
    "How does a bicycle stay upright?",
    "Describe a busy market in one paragraph.",
    "What is a good way to learn a new language?",
    "Summarise why exercise is good for people.",
    "How do I write a list in Python?",
    "What can I do on a rainy day?",
    "Explain gravity to a child.",
    "Name some animals that live in the forest.",
    "How do I make a cup of tea?",
    "What makes a good friend?",
    "Write a short poem about the moon.",
    "How can I save money every month?",
    "What is photosynthesis?",
)
LENGTH = 40
"""Tokens of each reply that are compared."""


@dataclass(frozen=True)
class HabitText:
    """One of the base's replies, with the base's most likely tokens at each of its tokens."""

    ids: tuple[int, ...]
    reply_from: int
    top_ids: tuple[tuple[int, ...], ...]
    top_logprobs: tuple[tuple[float, ...], ...]


def write_habits(model: LanguageModel) -> tuple[HabitText, ...]:
    """The base's own greedy replies to everyday prompts, with its beliefs; call it on the base."""
    prompts = [model.chat.prompt((Message("user", text),)) for text in EVERYDAY]
    replies = model.generate(prompts, LENGTH)
    rows = [_row(prompt, reply.ids) for prompt, reply in zip(prompts, replies, strict=True) if reply.ids]
    believed = believe(model, rows)
    return tuple(
        HabitText(
            row.ids,
            row.learn.index(True),
            tuple(map(tuple, teacher.ids_NK.tolist())),
            tuple(tuple(round(value, 4) for value in values) for values in teacher.logprobs_NK.tolist()),
        )
        for row, teacher in zip(believed.rows, believed.teachers, strict=True)
    )


@torch.inference_mode()
def measure(model: LanguageModel, texts: Sequence[HabitText]) -> Habits:
    """Agreement with the base's most likely tokens and KL(base ‖ model) on its own replies."""
    agree, divergence, count = 0.0, 0.0, 0
    for group in model.routes([text.ids[: text.reply_from] for text in texts]):
        for at in range(0, len(group), 8):
            some = [texts[index] for index in group[at : at + 8]]
            logits_NV = model.logits(
                pack([_row(text.ids[: text.reply_from], text.ids[text.reply_from :]) for text in some])
            )
            teacher = _teacher(some, model.device)
            agree += float((logits_NV.argmax(-1) == teacher.ids_NK[:, 0]).sum())
            divergence += float(top_k_kl(teacher, logits_NV)) * len(logits_NV)
            count += len(logits_NV)
    return Habits(agree / count, divergence / count, count)


def _teacher(texts: Sequence[HabitText], device: torch.device) -> Teacher:
    ids = torch.tensor([ids for text in texts for ids in text.top_ids], device=device)
    logprobs = torch.tensor([values for text in texts for values in text.top_logprobs], device=device)
    return Teacher(ids, logprobs)


def _row(prompt: Sequence[int], reply: Sequence[int]) -> Row:
    return Row((*prompt, *reply), (*(False for _ in prompt), *(True for _ in reply)))
