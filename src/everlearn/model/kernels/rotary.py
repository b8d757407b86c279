"""Heads and their tokens' angles in, turned heads out (rotary position embedding, Su et al. 2104.09864)."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from everlearn.model.kernels.compiled import one_pass
from everlearn.model.kernels.library import call, usable


def rotate(heads_BTHD: torch.Tensor, cosines_BTD: torch.Tensor, sines_BTD: torch.Tensor) -> torch.Tensor:
    """Turn the first half of each head's channels against the second, by the angles of its token."""
    batch, tokens, _, width = heads_BTHD.shape
    assert cosines_BTD.shape == sines_BTD.shape and cosines_BTD.shape[1:] == (tokens, width)
    assert len(cosines_BTD) in {1, batch}
    if usable(heads_BTHD, cosines_BTD, sines_BTD):
        made: torch.Tensor = _Rotation.apply(heads_BTHD.contiguous(), cosines_BTD, sines_BTD)
        return made
    return _turned(heads_BTHD, cosines_BTD, sines_BTD)


@one_pass
def _turned(heads_BTHD: torch.Tensor, cosines_BTD: torch.Tensor, sines_BTD: torch.Tensor) -> torch.Tensor:
    first, second = heads_BTHD.chunk(2, -1)
    return heads_BTHD * cosines_BTD[:, :, None] + torch.cat([-second, first], -1) * sines_BTD[:, :, None]


class _Rotation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, heads: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> torch.Tensor:
        cosines, sines = (
            angles.expand(len(heads), -1, -1).contiguous() if len(angles) < len(heads) else angles.contiguous()
            for angles in (cosines, sines)
        )
        ctx.save_for_backward(cosines, sines)
        return _turn(heads, cosines, sines, 1.0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        cosines, sines = ctx.saved_tensors
        return _turn(given[0].contiguous(), cosines, sines, -1.0), None, None


def _turn(heads: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor, sign: float) -> torch.Tensor:
    made = torch.empty_like(heads)
    batch, tokens, count, width = heads.shape
    call("rotate", heads, cosines, sines, made, batch * tokens, count, width, sign)
    return made
