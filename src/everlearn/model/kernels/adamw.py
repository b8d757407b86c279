"""Masters, moments and bf16 gradients in; all of them moved by one step of AdamW, and the bf16 weights with them.

Moments are kept in bf16, which halves the memory that they take: a step changes them by a twentieth or more of what is
new in it, while rounding changes them by 1/512 at most. Masters must not be: their steps are far below that.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from everlearn.model.kernels.library import call, usable


class Step(NamedTuple):
    """The numbers of one optimiser step (Loshchilov and Hutter 1711.05101)."""

    rate: float
    decay: float
    number: int
    """How many steps were taken, this one included."""
    scale: float
    """What gradients are multiplied by: clipping."""
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8


GROUP = 32
"""Tensors that are moved together without our kernel: their gradients and moments are there in fp32 then."""

Tensors = list[torch.Tensor]


def adamw(masters: Tensors, weights: Tensors, gradients: Tensors, means: Tensors, squares: Tensors, step: Step) -> None:
    """Move the fp32 `masters` and their moments (`means`, `squares`, bf16), and copy the masters into `weights`."""
    if usable(*weights, *gradients):
        numbers = step.rate, step.decay, step.beta1, step.beta2, step.epsilon, float(step.number), step.scale
        for master, weight, gradient, mean, square in zip(masters, weights, gradients, means, squares, strict=True):
            call("adamw", master, weight, gradient.contiguous(), mean, square, master.numel(), *numbers)
        return
    for begin in range(0, len(masters), GROUP):
        part = slice(begin, begin + GROUP)
        _by_torch(masters[part], weights[part], gradients[part], means[part], squares[part], step)


def _by_torch(
    masters: Tensors, weights: Tensors, gradients: Tensors, means: Tensors, squares: Tensors, step: Step
) -> None:
    wide = torch._foreach_mul([gradient.float().contiguous() for gradient in gradients], step.scale)
    wide_means, wide_squares = ([moment.float() for moment in moments] for moments in (means, squares))
    number = torch.tensor(float(step.number), device=masters[0].device)
    torch._fused_adamw_(
        masters,
        wide,
        wide_means,
        wide_squares,
        [],
        [number] * len(masters),
        lr=step.rate,
        beta1=step.beta1,
        beta2=step.beta2,
        weight_decay=step.decay,
        eps=step.epsilon,
        amsgrad=False,
        maximize=False,
    )
    for narrow, made in ((weights, masters), (means, wide_means), (squares, wide_squares)):
        torch._foreach_copy_(narrow, made)


def norm(gradients: Tensors) -> float:
    """Of all their numbers together; waits for the device once."""
    if not gradients:
        return 0.0
    if usable(*gradients):
        return math.sqrt(sum(call("sum_of_squares", each.contiguous(), each.numel()) for each in gradients))
    return float(torch.stack(torch._foreach_norm(gradients, dtype=torch.float32)).norm())
