"""Logits in, a scalar loss out: weighted cross-entropy on targets, divergence from a cached teacher."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch.nn import functional

from everlearn.model.kernels.logits import chosen_logprobs, normaliser


class Teacher(NamedTuple):
    """A teacher's most likely tokens at N positions, cached."""

    ids_NK: torch.Tensor
    logprobs_NK: torch.Tensor

    @classmethod
    def joined(cls, parts: Sequence[Teacher]) -> Teacher:
        """What was kept at some positions after the other."""
        ids, logprobs = zip(*parts, strict=True)
        return cls(torch.cat(ids), torch.cat(logprobs))

    def to(self, device: torch.device) -> Teacher:
        """The same on a device."""
        return Teacher(self.ids_NK.to(device), self.logprobs_NK.to(device))


def cross_entropy(
    logits_NV: torch.Tensor,
    targets_N: torch.Tensor,
    weights_N: torch.Tensor,
    scaled: Callable[[torch.Tensor], torch.Tensor | None] = lambda _: None,
) -> torch.Tensor:
    """Weighted mean of the negative log-likelihood of the targets, nats per token.

    Args:
        scaled: from the targets' nats, without gradient, by what each is multiplied, below zero to make it less likely;
            None for nothing. The mean is divided by `weights_N` alone.
    """
    nll_N = -chosen_logprobs(logits_NV, targets_N[:, None])[:, 0]
    scale_N = scaled(nll_N.detach())
    return (weights_N * (nll_N if scale_N is None else scale_N * nll_N)).sum() / weights_N.sum()


def beliefs(logits_NV: torch.Tensor, count: int) -> Teacher:
    """What is kept of a teacher: its `count` most likely tokens and their log-probabilities."""
    logits_NK, ids_NK = logits_NV.topk(count, dim=-1)
    return Teacher(ids_NK, logits_NK.float() - normaliser(logits_NV)[:, None])


def top_k_kl(teacher: Teacher, logits_NV: torch.Tensor, alpha: float = 0.0) -> torch.Tensor:
    """Mean over positions of a divergence of teacher and student, all tokens outside the teacher's K as one event.

    The tail bucket makes both sides proper distributions, so the value is a lower bound of the full divergence and zero
    only if the student agrees (the form used by SDPO, 2601.20802). For KL(student ‖ teacher) the K tokens should be the
    student's most likely ones, with the teacher's beliefs about them.

    Args:
        alpha: 0 for KL(teacher ‖ student), 1 for KL(student ‖ teacher); between them the Jensen-Shannon divergence
            (1 − α) KL(T ‖ M) + α KL(S ‖ M), M = (1 − α) T + α S.
    """
    student_NK = chosen_logprobs(logits_NV, teacher.ids_NK)
    teacher_log = torch.cat([teacher.logprobs_NK, _tail(teacher.logprobs_NK)], 1)
    student_log = torch.cat([student_NK, _tail(student_NK)], 1)
    if alpha == 0:
        return _kl(teacher_log, student_log)
    if alpha == 1:
        return _kl(student_log, teacher_log)
    mixture_log = torch.logaddexp(teacher_log + math.log(1 - alpha), student_log + math.log(alpha))
    return (1 - alpha) * _kl(teacher_log, mixture_log) + alpha * _kl(student_log, mixture_log)


def _kl(from_log: torch.Tensor, to_log: torch.Tensor) -> torch.Tensor:
    """Mean over positions of KL(from ‖ to)."""
    # kl_div(input, target) is KL(target ‖ exp(input)): what is diverged to comes first
    return functional.kl_div(to_log, from_log, log_target=True, reduction="batchmean")


def _tail(logprobs_NK: torch.Tensor) -> torch.Tensor:
    """Log of the probability that is left, one column."""
    inside = torch.logsumexp(logprobs_NK, -1, keepdim=True).clamp(max=-1e-7)
    return torch.log(-torch.expm1(inside))
