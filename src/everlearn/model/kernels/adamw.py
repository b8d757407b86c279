"""Masters, moments and bf16 gradients in; masters and moments moved by one step of AdamW out.

Moments are kept in bf16, which halves the memory that they take. Rounding changes them by 1/256 at most; a step moves
them by a tenth and a twentieth of what is new, so they follow a lasting change until 4 and 8 % of it are left. Masters
must be exact: their steps are far smaller than that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch

from everlearn.model.kernels.library import call, usable
from everlearn.model.masters import joined, split


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
    """Nearer to 1, moments in bf16 would stand still."""
    epsilon: float = 1e-8


TOGETHER = 1 << 24
"""Numbers that are moved together, about, without our kernel: all that belongs to them is there in fp32 then."""

Tensors = list[torch.Tensor]


def adamw(weights: Tensors, rests: Tensors, gradients: Tensors, means: Tensors, squares: Tensors, step: Step) -> None:
    """Move masters, kept as bf16 `weights` and int16 `rests` (see Masters), and their bf16 moments."""
    if usable(*weights, *gradients):
        numbers = step.rate, step.decay, step.beta1, step.beta2, step.epsilon, float(step.number), step.scale
        for weight, rest, gradient, mean, square in zip(weights, rests, gradients, means, squares, strict=True):
            call("adamw", weight, rest, gradient.contiguous(), mean, square, weight.numel(), *numbers)
        return
    for part in _parts(weights):
        _by_torch(weights[part], rests[part], gradients[part], means[part], squares[part], step)


def _parts(weights: Tensors) -> Iterator[slice]:
    """Ranges of tensors that have about so many numbers together."""
    begin, numbers = 0, 0
    for at, weight in enumerate(weights, 1):
        numbers += weight.numel()
        if numbers >= TOGETHER or at == len(weights):
            yield slice(begin, at)
            begin, numbers = at, 0


def _by_torch(
    weights: Tensors, rests: Tensors, gradients: Tensors, means: Tensors, squares: Tensors, step: Step
) -> None:
    masters = [joined(weight, rest) for weight, rest in zip(weights, rests, strict=True)]
    wide = torch._foreach_mul([gradient.float().contiguous() for gradient in gradients], step.scale)
    wide_means, wide_squares = ([moment.float() for moment in moments] for moments in (means, squares))
    number = torch.tensor(float(step.number), device=weights[0].device)
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
    new = [split(master, weight.dtype) for master, weight in zip(masters, weights, strict=True)]
    torch._foreach_copy_(weights, [weight for weight, _ in new])
    torch._foreach_copy_(rests, [rest for _, rest in new])
    torch._foreach_copy_(means, wide_means)
    torch._foreach_copy_(squares, wide_squares)


def norm(gradients: Tensors) -> float:
    """Of all their numbers together; waits for the device once."""
    if not gradients:
        return 0.0
    if usable(*gradients):
        return math.sqrt(sum(call("sum_of_squares", each.contiguous(), each.numel()) for each in gradients))
    return float(torch.stack(torch._foreach_norm(gradients, dtype=torch.float32)).norm())
