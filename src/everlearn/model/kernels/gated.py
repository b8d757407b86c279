"""Gates and values in, SiLU-gated values out (SwiGLU, Shazeer 2002.05202)."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from everlearn.model.kernels.library import call, usable


def gated(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """silu(gate) · up, tensors of the same shape."""
    if usable(gate, up):
        made: torch.Tensor = _Gated.apply(gate.contiguous(), up.contiguous())
        return made
    return functional.silu(gate) * up


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(gate, up)
        made = torch.empty_like(gate)
        call("gated", gate, up, made, gate.numel())
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gate, up = ctx.saved_tensors
        of_gate, of_up = torch.empty_like(gate), torch.empty_like(up)
        call("gated_backward", given[0].contiguous(), gate, up, of_gate, of_up, gate.numel())
        return of_gate, of_up
