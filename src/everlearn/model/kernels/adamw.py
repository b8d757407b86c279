"""Masters, moments and bf16 gradients in; masters and moments moved by one step of AdamW out.

Moments are kept in bf16, which halves the memory that they take. Rounding changes them by 1/256 at most; a step moves
them by a tenth and a twentieth of what is new, so they follow a lasting change until 4 and 8 % of it are left. Masters
must be exact: their steps are far smaller than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch

from everlearn.model.kernels.compiled import compiled, pays
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

ALONE = 1 << 22
"""Numbers of a tensor from which on it is not worth a copy to have it moved with others."""

LARGE = 1 << 29
"""Numbers of a network from which on it pays to compile a step, which takes seconds."""

Tensors = list[torch.Tensor]


def adamw(weights: Tensors, rests: Tensors, gradients: Tensors, means: Tensors, squares: Tensors, step: Step) -> None:
    """Move masters, kept as bf16 `weights` and int16 `rests` (see Masters), and their bf16 moments."""
    if not weights:
        return
    for weight, *others in zip(weights, rests, gradients, means, squares, strict=True):
        assert all(other.shape == weight.shape for other in others)
    if usable(*weights, *gradients):
        numbers = step.rate, step.decay, step.beta1, step.beta2, step.epsilon, float(step.number), step.scale
        for weight, rest, gradient, mean, square in zip(weights, rests, gradients, means, squares, strict=True):
            call("adamw", weight, rest, gradient.contiguous(), mean, square, weight.numel(), *numbers)
        return
    move = compiled(_move) if pays(*weights, least=LARGE) else _move
    gradients = [gradient.contiguous() for gradient in gradients]
    corrections = 1 - step.beta1**step.number, 1 - step.beta2**step.number
    told = step.rate, step.decay, step.beta1, step.beta2, step.epsilon, step.scale, *corrections
    numbers_8 = torch.tensor(told, device=weights[0].device)  # numbers of Python would be compiled in
    for part in _parts(weights):
        lists = [[each[at] for at in part] for each in (weights, rests, means, squares, gradients)]
        _by_torch(move, lists, numbers_8)


def _parts(weights: Tensors) -> Iterator[list[int]]:
    """Places of tensors of one type that have about so many numbers together; large ones by themselves, first."""
    yield from ([at] for at, weight in enumerate(weights) if weight.numel() >= ALONE)
    part: list[int] = []
    numbers = 0
    for at, weight in enumerate(weights):
        if weight.numel() >= ALONE:
            continue
        if part and (numbers >= TOGETHER or weights[part[0]].dtype is not weight.dtype):
            yield part
            part, numbers = [], 0
        part.append(at)
        numbers += weight.numel()
    if part:
        yield part


def _by_torch(move: Callable[..., None], lists: list[Tensors], numbers_8: torch.Tensor) -> None:
    """As if each list were one tensor: to launch an operation for each takes a GPU longer than the operation."""
    whole = [*map(_joined, lists)]
    move(*whole, numbers_8)
    for tensors, moved in zip(lists[:-1], whole, strict=False):
        if len(tensors) > 1:  # one by itself was moved where it is
            parts = moved.split([*map(torch.numel, tensors)])
            torch._foreach_copy_(tensors, [part.view_as(mine) for part, mine in zip(parts, tensors, strict=True)])


def _joined(tensors: Tensors) -> torch.Tensor:
    return torch.cat([*map(torch.flatten, tensors)]) if len(tensors) > 1 else tensors[0].view(-1)


def _move(
    weight: torch.Tensor,
    rest: torch.Tensor,
    mean: torch.Tensor,
    square: torch.Tensor,
    gradient: torch.Tensor,
    numbers_8: torch.Tensor,
) -> None:
    rate, decay, beta1, beta2, epsilon, scale, correction1, correction2 = numbers_8.unbind()
    wide = gradient.float() * scale
    new_mean = beta1 * mean.float() + (1 - beta1) * wide
    new_square = beta2 * square.float() + (1 - beta2) * wide * wide
    master = joined(weight, rest) * (1 - rate * decay)
    master = master - rate / correction1 * new_mean / ((new_square / correction2).sqrt() + epsilon)
    new_weight, new_rest = split(master, weight.dtype)
    weight.copy_(new_weight)
    rest.copy_(new_rest)
    mean.copy_(new_mean)
    square.copy_(new_square)


def sum_of_squares(gradients: Tensors, device: torch.device) -> torch.Tensor:
    """Of all their numbers together, in fp64 on a device; nobody waits for it."""
    if not gradients:
        return torch.zeros((), dtype=torch.float64, device=device)
    if usable(*gradients):
        total = sum(call("sum_of_squares", each.contiguous(), each.numel()) for each in gradients)
        return torch.tensor(total, dtype=torch.float64, device=device)
    return torch.stack(torch._foreach_norm(gradients, dtype=torch.float32)).double().square().sum()
