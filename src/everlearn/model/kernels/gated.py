"""Gates and values in, SiLU-gated values out (SwiGLU, Shazeer 2002.05202), or what a linear layer makes of them."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from everlearn.model.kernels.compiled import one_pass
from everlearn.model.kernels.library import call, usable
from everlearn.model.kernels.linear import linear, weight_gradient
from everlearn.model.kernels.product import product


def gated(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """silu(gate) · up, tensors of the same shape."""
    assert gate.shape == up.shape
    if usable(gate, up):
        made: torch.Tensor = _Gated.apply(gate.contiguous(), up.contiguous())
        return made
    return _gated(gate, up)


@one_pass
def _gated(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    return functional.silu(gate) * up


def gated_linear(gate: torch.Tensor, up: torch.Tensor, weight_OI: torch.Tensor) -> torch.Tensor:
    """(silu(gate) · up) Wᵀ over the last axis; where W learns, the gated values are computed again, not kept."""
    assert gate.shape == up.shape
    if not (weight_OI.requires_grad and torch.is_grad_enabled() and usable(gate, up, weight_OI)):
        return linear(gated(gate, up), weight_OI, None)
    made: torch.Tensor = _GatedLinear.apply(gate.flatten(0, -2), up.flatten(0, -2), weight_OI)
    return made.view(*gate.shape[:-1], len(weight_OI))


def _forward(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    made = torch.empty_like(gate)
    call("gated", gate, up, made, gate.numel())
    return made


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(gate, up)
        return _forward(gate, up)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gate, up = ctx.saved_tensors
        of_gate, of_up = torch.empty_like(gate), torch.empty_like(up)
        call("gated_backward", given[0].contiguous(), gate, up, of_gate, of_up, gate.numel())
        return of_gate, of_up


class _GatedLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate_NI: torch.Tensor, up_NI: torch.Tensor, weight_OI: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(gate_NI, up_NI, weight_OI)
        return product(_forward(gate_NI, up_NI), weight_OI.T)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        gate_NI, up_NI, weight_OI = ctx.saved_tensors
        of_gated_NI = product(given[0], weight_OI)
        of_gate_NI, of_up_NI = torch.empty_like(gate_NI), torch.empty_like(up_NI)
        call("gated_backward", of_gated_NI, gate_NI, up_NI, of_gate_NI, of_up_NI, gate_NI.numel())
        return of_gate_NI, of_up_NI, weight_gradient(given[0], _forward(gate_NI, up_NI))
