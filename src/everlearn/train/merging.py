"""What stages have changed of the weights in, one change that stands for all of them out; by name, in fp32.

TIES (Yadav et al. 2306.01708) wants every stage's change at once, but of each weight it needs only how many of them go
up, how many down, and the mean of each: these are kept, so a hundred stages take no more room than ten. DARE (Yu et al.
2311.03099) thins a change out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

Changes = dict[str, torch.Tensor]
"""By weight, how far it has moved."""

MERGED = "how stages are merged"
"""What methods claim that merge all stages into one: what one has made of them, another would take for a stage."""

UP, DOWN = "up", "down"

MOST = 255
"""How many stages are counted: with more, each new one has this share in the mean."""


def trimmed(changes: Mapping[str, torch.Tensor], density: float) -> Changes:
    """The changes with all but the largest share of their numbers, over all weights together, set to zero."""
    sizes = torch.cat([change.flatten() for change in changes.values()]).abs()
    kept = max(1, math.floor(density * len(sizes)))
    least = sizes.kthvalue(len(sizes) - kept + 1).values
    return {name: torch.where(change.abs() >= least, change, 0.0) for name, change in changes.items()}


def folded(kept: Mapping[str, torch.Tensor], changes: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What is kept of earlier stages' changes (see `elected`), with one stage's trimmed ones.

    For each weight and direction there are the count of the stages that moved it so, 8 bits each, and the mean of what
    they did, for those numbers alone whose count is not zero.
    """
    together = {}
    for name, change in changes.items():
        for way, moved in ((UP, change > 0), (DOWN, change < 0)):
            count, mean = _of(kept, name, way, change)
            count = (count + moved).clamp(max=MOST)
            mean = torch.where(moved, mean + (change - mean) / count.clamp(min=1), mean)
            together[f"{way}.count:{name}"] = count.to(torch.uint8).cpu()
            together[f"{way}.mean:{name}"] = mean[count > 0].cpu()
    return together


def elected(kept: Mapping[str, torch.Tensor], shaped: Mapping[str, torch.Tensor]) -> Changes:
    """TIES-merging of all that was folded: each weight goes the way that most of the whole movement went, by the mean
    of those stages that went this way. `shaped` are tensors of the shapes and on the device that it shall have."""
    merged = {}
    for name, like in shaped.items():
        ups, up = _of(kept, name, UP, like)
        downs, down = _of(kept, name, DOWN, like)
        merged[name] = torch.where(ups * up + downs * down >= 0, up, down)
    return merged


def thinned(changes: Mapping[str, torch.Tensor], drop: float, seed: int) -> Changes:
    """Each number of the changes dropped by chance, those that are left made as much larger as there are fewer."""
    draw = torch.Generator().manual_seed(seed)  # on the CPU, so that every device drops the same
    return {
        name: change * torch.bernoulli(torch.full(change.shape, 1 - drop), generator=draw).to(change) / (1 - drop)
        for name, change in changes.items()
    }


def _of(kept: Mapping[str, torch.Tensor], name: str, way: str, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Counts and means of one weight's changes in one direction, whole."""
    mean = torch.zeros_like(like)
    if f"{way}.count:{name}" not in kept:
        return torch.zeros_like(like, dtype=torch.int32), mean
    count = kept[f"{way}.count:{name}"].to(like.device, torch.int32)
    mean[count > 0] = kept[f"{way}.mean:{name}"].to(like)
    return count, mean
