"""The divergences of self-distillation (KL from the teacher, KL to it, Jensen-Shannon; over all tokens, and over the
student's 20 likeliest with one bucket for the others) and their gradients on given logits, beside those that TRL's SDFT
and SDPO share. Not compared: KL from the teacher over some tokens, as ours are the teacher's likeliest and TRL's the
student's; what is sampled; and the mean, which is over tokens here and in TRL over those of each answer first.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

TITLE = "SDFT's and SDPO's losses, TRL"
PEER = "peers.txt"
LIMIT = 1e-5

PLACES, VOCABULARY, LIKELIEST = 37, 758, 20

CASES = {
    "KL from the teacher": (0.0, VOCABULARY),
    "Jensen-Shannon": (0.5, VOCABULARY),
    "KL to the teacher": (1.0, VOCABULARY),
    "Jensen-Shannon, likeliest": (0.5, LIKELIEST),
    "KL to the teacher, likeliest": (1.0, LIKELIEST),
}
"""By name, alpha and how many tokens are compared one by one."""


def logits() -> tuple[torch.Tensor, torch.Tensor]:
    """Logits_NV of student and teacher, some tokens far likelier than others."""
    grid_NV = torch.arange(PLACES * VOCABULARY, dtype=torch.float64).view(PLACES, VOCABULARY)
    student_NV = 6 * (grid_NV * 12.9898).sin()
    return student_NV.float(), (student_NV + 2 * (grid_NV * 78.233).cos()).float()


def ours() -> dict[str, torch.Tensor]:
    """Beliefs of the teacher about the student's likeliest tokens, and the loop's divergence from them."""
    from everlearn.model.kernels.logits import chosen_logprobs
    from everlearn.train.losses import Teacher, top_k_kl

    def loss(student_NV: torch.Tensor, teacher_NV: torch.Tensor, alpha: float, count: int) -> torch.Tensor:
        ids_NK = student_NV.detach().topk(count).indices
        value: torch.Tensor = top_k_kl(Teacher(ids_NK, chosen_logprobs(teacher_NV, ids_NK)), student_NV, alpha)
        return value

    return _values_and_gradients(loss)


def theirs(ours: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same by TRL's functions."""
    from trl.experimental.sdft.loss_utils import (
        compute_full_logit_self_distillation_loss,
        compute_topk_self_distillation_loss,
    )

    def loss(student_NV: torch.Tensor, teacher_NV: torch.Tensor, alpha: float, count: int) -> torch.Tensor:
        if count == VOCABULARY:
            made_N = compute_full_logit_self_distillation_loss(student_NV, teacher_NV, distillation_alpha=alpha)
        else:
            made_N = compute_topk_self_distillation_loss(
                student_NV,
                teacher_NV,
                distillation_topk=count,
                distillation_alpha=alpha,
                distillation_add_tail=True,
            )
        value: torch.Tensor = made_N.mean()
        return value

    return _values_and_gradients(loss)


def _values_and_gradients(
    loss: Callable[[torch.Tensor, torch.Tensor, float, int], torch.Tensor],
) -> dict[str, torch.Tensor]:
    found = {}
    for name, (alpha, count) in CASES.items():
        student_NV, teacher_NV = logits()
        student_NV.requires_grad_()
        value = loss(student_NV, teacher_NV, alpha, count)
        value.backward()
        found |= {name: value.detach(), f"{name}, gradient": student_NV.grad}
    return found
