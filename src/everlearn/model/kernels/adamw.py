"""Masters, moments and bf16 gradients in; all of them moved by one step of AdamW, and the bf16 weights with them."""

from __future__ import annotations

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


def adamw(
    master: torch.Tensor,
    weight: torch.Tensor,
    gradient: torch.Tensor,
    mean: torch.Tensor,
    square: torch.Tensor,
    step: Step,
) -> None:
    """Move the fp32 `master` and its moments (`mean`, `square`), and copy it into `weight`."""
    if usable(weight, gradient):
        sizes = master.numel(), step.rate, step.decay, step.beta1, step.beta2, step.epsilon
        call("adamw", master, weight, gradient, mean, square, *sizes, float(step.number), step.scale)
        return
    wide = gradient.float() * step.scale
    mean.lerp_(wide, 1 - step.beta1)
    square.mul_(step.beta2).addcmul_(wide, wide, value=1 - step.beta2)
    root = (square.sqrt() / (1 - step.beta2**step.number) ** 0.5).add_(step.epsilon)
    master.mul_(1 - step.rate * step.decay).addcdiv_(mean, root, value=-step.rate / (1 - step.beta1**step.number))
    weight.copy_(master)


def sum_of_squares(gradient: torch.Tensor) -> float:
    """Of all its numbers."""
    if usable(gradient) and gradient.is_contiguous():
        return call("sum_of_squares", gradient, gradient.numel())
    return float(gradient.float().pow(2).sum())
