"""What prompts of several lessons look like to a model in, and questions; which lessons each question is like, out.

A question belongs to the lesson of the prompt that it is nearest to, unless it is much further from it than that
lesson's prompts are from one another. Distances are taken where all prompts together vary alike in every direction, as
hidden states lie along few (Mahalanobis).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

FLAT = 1e-2
"""Variance of a direction, relative to the largest, below which it tells nothing."""

BLUR = 0.05
"""How far states may be apart, relative to their size, and be of the same words in another batch or order."""

CLOSE = 0.1
"""How far a lesson's prompts are taken to be apart at least, relative to what one of them may be from their mean."""

AT_ONCE = 256
"""Questions that are compared with all prompts at the same time."""


def alike(
    questions_ND: torch.Tensor, lessons: Sequence[torch.Tensor], most: int, reach: float
) -> list[tuple[int, ...]]:
    """For each question the numbers of the lessons that it is like, in their order.

    Args:
        lessons: for each at least one prompt, states_PD.
        most: lessons of a question, at most; the nearest ones.
        reach: how far a question may be from a lesson's nearest prompt, relative to how far these are apart.
    """
    sizes = [len(prompts) for prompts in lessons]
    prompts_CD = torch.cat(list(lessons)).to(questions_ND)
    turn_DD = _whitening(prompts_CD)
    even_CD, asked_ND = prompts_CD @ turn_DD, questions_ND @ turn_DD
    reach_L = reach * torch.stack([_spread(prompts_PD) for prompts_PD in even_CD.split(sizes)])
    lesson_C = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes)).to(even_CD.device)
    found = []
    for some_BD in asked_ND.split(AT_ONCE):
        far_BC = torch.cdist(some_BD, even_CD)
        far_BL = far_BC.new_full((len(some_BD), len(sizes)), torch.inf)
        far_BL.scatter_reduce_(1, lesson_C.expand(len(some_BD), -1), far_BC, "amin")
        near = far_BL.topk(min(most, len(sizes)), largest=False)
        within = near.values <= reach_L[near.indices]
        for numbers, flags in zip(near.indices.tolist(), within.tolist(), strict=True):
            found.append(tuple(sorted(number for number, flag in zip(numbers, flags, strict=True) if flag)))
    return found


def _whitening(prompts_CD: torch.Tensor) -> torch.Tensor:
    """turn_DD, behind which the prompts vary alike in all directions in which they vary at all."""
    centred_CD = prompts_CD - prompts_CD.mean(0)
    variances_D, directions_DD = torch.linalg.eigh(centred_CD.T @ centred_CD / len(prompts_CD))
    least = FLAT * variances_D[-1] + BLUR**2 * prompts_CD.square().mean()
    turn_DD: torch.Tensor = directions_DD / variances_D.clamp(min=float(least) or 1.0).sqrt()
    return turn_DD


def _spread(prompts_PD: torch.Tensor) -> torch.Tensor:
    """How far a prompt is from its nearest neighbour: nine of ten are no further."""
    usual = math.sqrt(prompts_PD.shape[1])  # what a vector is long whose channels vary by 1
    if len(prompts_PD) == 1:
        return prompts_PD.new_tensor(usual)
    far_PP = torch.cdist(prompts_PD, prompts_PD).fill_diagonal_(torch.inf)
    return far_PP.amin(1).quantile(0.9).clamp(min=CLOSE * usual)
