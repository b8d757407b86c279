"""A PEFT adapter in, the same adapter whose layers compute in fewer passes over memory out.

PEFT scales what a low-rank layer says and adds it to what the frozen layer says, each in a pass over a large tensor,
forward and backward. Here products add to what is there.
"""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora.layer import Linear
from torch import nn
from torch.autograd.function import once_differentiable

from everlearn.model.kernels.linear import forward
from everlearn.model.kernels.product import product


class LowRankLinear(Linear):
    """A frozen linear layer with one adapter beside it, without dropout, whose weights lie in the layer's own dtype."""

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """As PEFT's, to the same values up to rounding."""
        if self.disable_adapters or self.merged:
            said: torch.Tensor = super().forward(x, *args, **kwargs)
            return said
        base = self.get_base_layer()
        (name,) = self.active_adapters
        weights = base.weight, base.bias, self.lora_A[name].weight, self.lora_B[name].weight
        made: torch.Tensor = _LowRank.apply(x.flatten(0, -2), *weights, self.scaling[name])
        return made.view(*x.shape[:-1], made.shape[-1])


class _LowRank(torch.autograd.Function):
    """y = x Wᵀ + b + scaling · x Aᵀ Bᵀ, with gradients of x, A and B."""

    @staticmethod
    def forward(
        ctx: Any,
        x_NI: torch.Tensor,
        weight_OI: torch.Tensor,
        bias_O: torch.Tensor | None,
        down_RI: torch.Tensor,
        up_OR: torch.Tensor,
        scaling: float,
    ) -> torch.Tensor:
        low_NR = x_NI @ down_RI.T
        ctx.save_for_backward(x_NI, weight_OI, down_RI, up_OR, low_NR)
        ctx.scaling = scaling
        return forward(x_NI, weight_OI, bias_O).addmm_(low_NR, up_OR.T, alpha=scaling)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x_NI, weight_OI, down_RI, up_OR, low_NR = ctx.saved_tensors
        of_low_NR = (given[0] @ up_OR) * ctx.scaling
        of_x = product(given[0], weight_OI).addmm_(of_low_NR, down_RI) if ctx.needs_input_grad[0] else None
        return of_x, None, None, of_low_NR.T @ x_NI, (given[0].T @ low_NR) * ctx.scaling, None


def quicken(network: Any) -> None:
    """Let the adapter's linear layers compute this way, in place; those with more than this file knows stay PEFT's."""
    for module in network.modules():
        if type(module) is Linear and _is_plain(module):
            module.__class__ = LowRankLinear


def _is_plain(layer: Linear) -> bool:
    """Whether one adapter is all there is: no dropout, no bias, no variant such as DoRA."""
    more = [*layer.lora_bias.values(), *layer.lora_variant.values()]
    return (
        len(layer.lora_A) == 1
        and not any(more)
        and all(isinstance(dropout, nn.Identity) for dropout in layer.lora_dropout.values())
    )
