"""Answers and a teacher that sees more than the student does in, what it believes at each of their tokens out.

Self-distillation asks a teacher about what the student has written, behind a prompt of the teacher's own. Nothing here
has a gradient: the student gets its own when the loop trains it on the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from everlearn.model.chat import Row
from everlearn.model.kernels.logits import chosen_logprobs
from everlearn.model.language_model import SCORE_TOKENS, LanguageModel
from everlearn.model.packing import batches_by_size, pack
from everlearn.train.losses import Teacher, beliefs
from everlearn.train.meter import Meter


class Pair(NamedTuple):
    """One answer behind two prompts; the same of its tokens are `learn` in both rows."""

    student: Row
    teacher: Row


def behind(row: Row, seen: Sequence[int], skip: int = 0) -> Pair:
    """The answer of a row behind its own prompt and behind what the teacher sees instead (tokens).

    Args:
        skip: the answer's first tokens that are not judged; its last one always is.
    """
    prompt, answer = row.prompt, row.ids[len(row.prompt) :]
    skipped = min(skip, len(answer) - 1)
    judged = [at >= skipped for at in range(len(answer))]
    student, teacher = (Row((*before, *answer), (*[False] * len(before), *judged)) for before in (prompt, tuple(seen)))
    return Pair(student, teacher)


def judged(
    student: LanguageModel, teacher: LanguageModel, pairs: Sequence[Pair], alpha: float, count: int, meter: Meter
) -> list[Teacher]:
    """For each pair what the teacher believes at its targets about `count` tokens: those it holds likeliest itself for
    `alpha` 0, which is KL(teacher ‖ student), for any other those that the student does, as it is now.
    """
    about: list[torch.Tensor] = []
    if alpha:
        about = [seen.ids_NK for seen in _read(student, [pair.student for pair in pairs], (), count, meter)]
    return _read(teacher, [pair.teacher for pair in pairs], about, count, meter)


@torch.no_grad()
def _read(
    model: LanguageModel, rows: Sequence[Row], about: Sequence[torch.Tensor], count: int, meter: Meter
) -> list[Teacher]:
    """For each row what a model believes at its targets: of the tokens `about` each, or of its own likeliest."""
    found: dict[int, Teacher] = {}
    for group in batches_by_size(rows, SCORE_TOKENS):
        batch = pack([rows[index] for index in group])
        meter.read("teacher", batch.tokens)
        parts, at = [], 0
        asked_NK = torch.cat([about[index] for index in group]) if about else None
        for logits_PV in model.logits_in_parts(batch):
            if asked_NK is None:
                parts.append(beliefs(logits_PV, min(count, logits_PV.shape[-1])))
            else:
                ids_PK = asked_NK[at : at + len(logits_PV)]
                parts.append(Teacher(ids_PK, chosen_logprobs(logits_PV, ids_PK)))
            at += len(logits_PV)
        whole = Teacher.joined(parts)
        sizes = [rows[index].targets for index in group]
        each = zip(whole.ids_NK.split(sizes), whole.logprobs_NK.split(sizes), strict=True)
        found.update((index, Teacher(ids, logprobs)) for index, (ids, logprobs) in zip(group, each, strict=True))
    return [found[index] for index in range(len(rows))]
