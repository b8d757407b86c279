"""TIES-merging of one, four and twenty stages' changes of a matrix beside PEFT's `ties`, ours folded stage by stage;
DARE of one change beside PEFT's `dare_linear`, with the same random numbers. Not compared: trimming over several
weights, which PEFT does for each by itself and ours for all together, as the paper does; here there is one weight.
"""

from __future__ import annotations

import torch

TITLE = "TIES and DARE, PEFT"
PEER = ""
LIMIT = 1e-5

DENSITY = 0.2
STAGES = (1, 4, 20)
SEED = 3


def changes(count: int) -> list[torch.Tensor]:
    """What so many stages have changed of a matrix."""
    drawn = torch.Generator().manual_seed(count)
    return list(torch.randn(count, 40, 24, generator=drawn))


def ours() -> dict[str, torch.Tensor]:
    """Stage after stage folded into what is kept, and what that makes."""
    from everlearn.train.merging import elected, folded, thinned, trimmed

    found = {}
    for count in STAGES:
        kept: dict[str, torch.Tensor] = {}
        for change in changes(count):
            kept = folded(kept, trimmed({"w": change}, DENSITY))
        found[f"ties of {count}"] = elected(kept, {"w": changes(count)[0]})["w"]
    found["dare"] = thinned({"w": changes(1)[0]}, 1 - DENSITY, SEED)["w"]
    return found


def theirs(ours: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """All stages at once."""
    from peft.utils.merge_utils import dare_linear, ties

    found = {f"ties of {count}": ties(changes(count), torch.ones(count), DENSITY) for count in STAGES}
    torch.manual_seed(SEED)
    return {**found, "dare": dare_linear(changes(1), torch.ones(1), DENSITY)}
