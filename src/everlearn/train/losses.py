"""Logits in, a scalar loss out: cross-entropy on targets, KL to a cached teacher."""

from __future__ import annotations

from collections.abc import Sequence
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


def cross_entropy(logits_NV: torch.Tensor, targets_N: torch.Tensor, weights_N: torch.Tensor) -> torch.Tensor:
    """Weighted mean of the negative log-likelihood of the targets, nats per token."""
    nll_N = -chosen_logprobs(logits_NV, targets_N[:, None])[:, 0]
    return (weights_N * nll_N).sum() / weights_N.sum()


def beliefs(logits_NV: torch.Tensor, count: int) -> Teacher:
    """What is kept of a teacher: its `count` most likely tokens and their log-probabilities."""
    logits_NK, ids_NK = logits_NV.topk(count, dim=-1)
    return Teacher(ids_NK, logits_NK.float() - normaliser(logits_NV)[:, None])


def top_k_kl(teacher: Teacher, logits_NV: torch.Tensor) -> torch.Tensor:
    """Mean over positions of KL(teacher ‖ student), all tokens outside the teacher's top K as one event.

    The tail bucket makes both sides proper distributions, so the value is a lower bound of the full KL and
    zero only if the student agrees (the form used by SDPO, 2601.20802, with alpha 0).
    """
    student_NK = chosen_logprobs(logits_NV, teacher.ids_NK)
    teacher_log = torch.cat([teacher.logprobs_NK, _tail(teacher.logprobs_NK)], 1)
    student_log = torch.cat([student_NK, _tail(student_NK)], 1)
    # kl_div(input, target) is KL(target ‖ exp(input)): the student comes first
    return functional.kl_div(student_log, teacher_log, log_target=True, reduction="batchmean")


def _tail(logprobs_NK: torch.Tensor) -> torch.Tensor:
    """Log of the probability that is left, one column."""
    inside = torch.logsumexp(logprobs_NK, -1, keepdim=True).clamp(max=-1e-7)
    return torch.log(-torch.expm1(inside))
