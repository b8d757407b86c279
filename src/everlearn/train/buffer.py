"""Examples seen so far in, a sample of them within a byte budget out."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from everlearn.records import Example, digest, encode


def within_budget(kept: Sequence[Example], fresh: Sequence[Example], budget: int, seed: int) -> list[Example]:
    """A uniform sample of old and fresh examples that takes at most `budget` bytes of JSON.

    Each example gets a random rank from its own content and the seed, and the lowest ranks stay; this is
    reservoir sampling (Vitter 1985) that needs no state besides the sample itself.
    """
    ranked = sorted({digest(example): example for example in (*kept, *fresh)}.items(), key=_rank(seed))
    chosen, size = [], 0
    for _, example in ranked:
        size += len(encode(example))
        if size > budget:
            break
        chosen.append(example)
    return chosen


def _rank(seed: int) -> Callable[[tuple[str, Example]], float]:
    return lambda entry: random.Random(f"{seed}:{entry[0]}").random()
