"""Rows of channels in, the same scaled to unit root mean square out (Zhang and Sennrich 1910.07467)."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from everlearn.model.kernels.library import call, usable


def rms_norm(hidden_BTD: torch.Tensor, weight_D: torch.Tensor, epsilon: float) -> torch.Tensor:
    """`weight` times the hidden states over their root mean square; the mean is taken in fp32."""
    assert weight_D.shape == hidden_BTD.shape[-1:]
    if usable(hidden_BTD, weight_D):
        scaled: torch.Tensor = _Norm.apply(hidden_BTD.contiguous(), weight_D, epsilon)
        return scaled
    if hidden_BTD.is_cuda:
        return functional.rms_norm(hidden_BTD, weight_D.shape, weight_D, epsilon)
    wide_BTD = hidden_BTD.float()
    wide_BTD = wide_BTD * torch.rsqrt(wide_BTD.pow(2).mean(-1, keepdim=True) + epsilon)
    return weight_D * wide_BTD.to(hidden_BTD.dtype)


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        rows, width = hidden.numel() // hidden.shape[-1], hidden.shape[-1]
        made = torch.empty_like(hidden)
        scales = hidden.new_empty(rows, dtype=torch.float32)
        call("rms_norm", hidden, weight, made, scales, rows, width, float(epsilon))
        ctx.save_for_backward(hidden, weight, scales)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        hidden, weight, scales = ctx.saved_tensors
        of_hidden = torch.empty_like(hidden)
        of_weight = weight.new_empty(len(weight), dtype=torch.float32) if ctx.needs_input_grad[1] else None
        rows, width = len(scales), hidden.shape[-1]
        call("rms_norm_backward", given[0].contiguous(), hidden, weight, scales, of_hidden, of_weight, rows, width)
        return of_hidden, None if of_weight is None else of_weight.to(weight.dtype), None
