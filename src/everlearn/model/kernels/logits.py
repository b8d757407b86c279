"""Logits in, log-probabilities of chosen tokens out; or, of each row, what scoring wants to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable

from everlearn.model.kernels.compiled import one_pass, pays
from everlearn.model.kernels.library import call, usable


class Survey(NamedTuple):
    """What is known of N rows of logits; values are logits in fp32."""

    normaliser_N: torch.Tensor
    """Log of the sum of exponentials."""
    first_N: torch.Tensor
    """The largest one."""
    second_N: torch.Tensor
    """The largest of the others."""
    likely_N: torch.Tensor
    """Which token the largest belongs to."""
    chosen_N: torch.Tensor
    """The one of the token that was asked for."""

    @classmethod
    def joined(cls, parts: Sequence[Survey]) -> Survey:
        """Of the rows of all parts, in order."""
        return cls(*(torch.cat(values) for values in zip(*parts, strict=True)))


def survey(logits_NV: torch.Tensor, targets_N: torch.Tensor) -> Survey:
    """Of each row the normaliser, the two largest logits, the most likely token, and the logit of the target."""
    logits_NV = logits_NV.detach()
    chosen_N = logits_NV.gather(1, targets_N[:, None])[:, 0].float()
    if usable(logits_NV):
        normaliser_N, first_N, second_N = logits_NV.new_empty(3, len(logits_NV), dtype=torch.float32).unbind(0)
        likely_N = logits_NV.new_empty(len(logits_NV), dtype=torch.long)
        call("survey", logits_NV.contiguous(), normaliser_N, first_N, second_N, likely_N, *logits_NV.shape)
        return Survey(normaliser_N, first_N, second_N, likely_N, chosen_N)
    wide_NV = logits_NV.float()
    best_N2, ids_N2 = wide_NV.topk(2, dim=-1)
    return Survey(_normaliser(logits_NV), best_N2[:, 0], best_N2[:, 1], ids_N2[:, 0], chosen_N)


def most_likely(logits_NV: torch.Tensor) -> torch.Tensor:
    """The most likely token of each row."""
    if not usable(logits_NV):
        return logits_NV.argmax(-1)
    likely_N = logits_NV.new_empty(len(logits_NV), dtype=torch.long)
    call("most_likely", logits_NV.contiguous(), likely_N, *logits_NV.shape)
    return likely_N


def normaliser(logits_NV: torch.Tensor) -> torch.Tensor:
    """Log of the sum of exponentials of each row, in fp32."""
    if not usable(logits_NV):
        return _normaliser(logits_NV.detach())
    return survey(logits_NV, torch.zeros(len(logits_NV), dtype=torch.long, device=logits_NV.device)).normaliser_N


def chosen_logprobs(logits_NV: torch.Tensor, ids_NK: torch.Tensor) -> torch.Tensor:
    """Log-probabilities (fp32) of K distinct tokens in each row."""
    assert len(ids_NK) == len(logits_NV)
    if usable(logits_NV) or pays(logits_NV):
        made: torch.Tensor = _Chosen.apply(logits_NV.contiguous(), ids_NK.long().contiguous())
        return made
    return torch.log_softmax(logits_NV.float(), -1).gather(1, ids_NK)


@one_pass
def _normaliser(logits_NV: torch.Tensor) -> torch.Tensor:
    return logits_NV.float().logsumexp(-1)


@one_pass
def _softmax_gradient(logits_NV: torch.Tensor, sums_N: torch.Tensor, given_N: torch.Tensor) -> torch.Tensor:
    """The gradient of the normaliser, without which chosen logits are moved as they are given."""
    shares_NV = (logits_NV.float() - sums_N[:, None]).exp()
    return (shares_NV * -given_N[:, None]).to(logits_NV.dtype)


class _Chosen(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        sums = normaliser(logits)
        ctx.save_for_backward(logits, ids, sums)
        return logits.gather(1, ids).float() - sums[:, None]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[torch.Tensor, None]:
        logits, ids, sums = ctx.saved_tensors
        if not usable(logits):
            of_logits = _softmax_gradient(logits, sums, given[0].sum(1))
            return of_logits.scatter_add_(1, ids, given[0].to(logits.dtype)), None
        of_logits = torch.empty_like(logits)
        call("chosen_backward", logits, sums, ids, given[0].contiguous(), of_logits, *logits.shape, ids.shape[1])
        return of_logits, None
