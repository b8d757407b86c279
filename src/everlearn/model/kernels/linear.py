"""Inputs, weights and biases of a linear layer in, its outputs out; products take up to half less time than torch's.

The gradient of the weights is a product whose first factor lies the other way round, which takes oneDNN twice as long
as one that does not. To turn it first takes a tenth of that.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from everlearn.model.kernels.library import call, usable
from everlearn.model.kernels.product import product

FEW = 1 << 17
"""Numbers up to which it is not worth the while to turn a factor."""


def linear(x: torch.Tensor, weight_OI: torch.Tensor, bias_O: torch.Tensor | None) -> torch.Tensor:
    """y = x Wᵀ + b over the last axis of x."""
    x = x.contiguous()  # of a slice torch would multiply each row by a copy of the weights
    if not usable(x, weight_OI):
        return functional.linear(x, weight_OI, bias_O)
    assert x.shape[-1] == weight_OI.shape[1]
    x_NI = x.view(-1, x.shape[-1])
    learns = torch.is_grad_enabled() and any(each is not None and each.requires_grad for each in (x, weight_OI, bias_O))
    y_NO: torch.Tensor = (_Linear.apply if learns else forward)(x_NI, weight_OI, bias_O)
    return y_NO.view(*x.shape[:-1], len(weight_OI))


def forward(x_NI: torch.Tensor, weight_OI: torch.Tensor, bias_O: torch.Tensor | None) -> torch.Tensor:
    """The same for rows, without a gradient."""
    if bias_O is not None:
        return functional.linear(x_NI, weight_OI, bias_O)
    if len(x_NI) == 1 and weight_OI.is_contiguous() and usable(x_NI, weight_OI):
        y_NO = x_NI.new_empty(1, len(weight_OI))
        call("multiply_row", x_NI.contiguous(), weight_OI, y_NO, weight_OI.shape[1], len(weight_OI))
        return y_NO
    return product(x_NI, weight_OI.T)


def weight_gradient(of_y_NO: torch.Tensor, x_NI: torch.Tensor) -> torch.Tensor:
    """The gradient of the weights, OI."""
    turned_ON = transposed(of_y_NO) if of_y_NO.numel() > FEW else of_y_NO.T
    return product(turned_ON, x_NI)


def transposed(x_NM: torch.Tensor) -> torch.Tensor:
    """The same numbers, as contiguous rows of what were columns."""
    turned_MN = x_NM.new_empty(x_NM.shape[1], x_NM.shape[0])
    call("transpose", x_NM.contiguous(), turned_MN, *x_NM.shape)
    return turned_MN


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_NI: torch.Tensor, weight_OI: torch.Tensor, bias_O: torch.Tensor | None) -> torch.Tensor:
        # for a frozen weight the inputs are not wanted again: there are gigabytes of them
        ctx.save_for_backward(x_NI if ctx.needs_input_grad[1] else None, weight_OI)
        return forward(x_NI, weight_OI, bias_O)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x_NI, weight_OI = ctx.saved_tensors
        of_x = product(given[0], weight_OI) if ctx.needs_input_grad[0] else None
        of_bias = given[0].float().sum(0).to(given[0].dtype) if ctx.needs_input_grad[2] else None
        of_weight = weight_gradient(given[0], x_NI) if ctx.needs_input_grad[1] else None
        return of_x, of_weight, of_bias
