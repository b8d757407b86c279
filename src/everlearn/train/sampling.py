"""A model and prompts in, answers that it writes to them as it is now, out: rows to learn from, several a prompt.

What on-policy methods have in common: `sdft` and its kin ask a teacher about these rows, `grpo` and its kin reward
them, `self_sft` keeps the right ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.train.meter import Meter


class Sampled(NamedTuple):
    """One answer that a model wrote to a prompt."""

    prompt: int
    """Number of the prompt it answers."""
    row: Row
    """The prompt and the answer, with the end of the turn where it came; the answer and this end are `learn`."""
    answer: tuple[int, ...]
    """The answer alone, without the end of the turn."""
    finished: bool
    """Whether it ended by itself, within its limit."""


def sample(
    model: LanguageModel,
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int],
    seed: int,
    meter: Meter,
    *,
    temperature: float = 1.0,
    each: int = 1,
) -> list[Sampled]:
    """`each` answers to every prompt (tokens), all written at once; those of a prompt stand together, in its order.

    Args:
        limits: for each prompt, tokens that an answer to it may have, the end of the turn included; at least 1.
        seed: of this draw: see `draw_of`.
        temperature: 0 for the most likely answer, which is then the same `each` time.

    An answer never grows beyond the model's context; to a prompt that leaves no room there is none.
    """
    rooms = [min(limit, model.context - len(prompt)) for limit, prompt in zip(limits, prompts, strict=True)]
    asked = [number for number, room in enumerate(rooms) if room > 0 for _ in range(each)]
    if not asked:
        return []
    # one call: what the shorter limits cut off costs less than more calls would
    longest = max(rooms[number] for number in asked)
    replies = model.generate([prompts[number] for number in asked], longest, temperature=temperature, seed=seed)
    meter.read("generated", sum(len(prompts[number]) for number in asked) + sum(len(reply.ids) for reply in replies))
    answered = []
    for number, reply in zip(asked, replies, strict=True):
        end = () if reply.end is None else (reply.end,)
        said = (*reply.ids, *end)[: rooms[number]]
        finished = bool(end) and len(said) == len(reply.ids) + 1
        row = Row((*prompts[number], *said), (*[False] * len(prompts[number]), *[True] * len(said)))
        answered.append(Sampled(number, row, said[:-1] if finished else said, finished))
    return answered


def draw_of(seed: int, step: int) -> int:
    """The seed of what is drawn at a step of a run, so that a resumed run draws the same."""
    return seed * 1_000_003 + step
