"""Examples seen so far in, those of them that are kept within a byte budget out: a sample, or a share of each stage."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from everlearn.records import Example, digest, encode

KEPT = "examples"
"""Where kept examples are in a memory; where those of each stage are kept apart, behind the stage's place."""

SHARE = re.compile(rf"(\d+\.)?{KEPT}")


def bytes_of(example: Example) -> int:
    """How large an example is as JSON."""
    return len(encode(example))


def within_budget(
    kept: Sequence[Example],
    fresh: Sequence[Example],
    budget: int,
    seed: int,
    size: Callable[[Example], int] = bytes_of,
) -> list[Example]:
    """A uniform sample of old and fresh examples, in random order, that takes at most `budget` bytes.

    Each example gets a random rank from its own content and the seed, and the lowest ranks stay; this is
    reservoir sampling (Vitter 1985) that needs no state besides the sample itself.

    Args:
        size: bytes that an example takes with all that is kept beside it.
    """
    ranked = sorted({digest(example): example for example in (*kept, *fresh)}.items(), key=_rank(seed))
    chosen, total = [], 0
    for _, example in ranked:
        total += size(example)
        if total > budget:
            break
        chosen.append(example)
    return chosen


def shares_of(memory: Mapping[str, Any]) -> list[list[Example]]:
    """What is kept of each earlier stage, the first stage first; a sample of all stages counts as one."""
    return [memory[name] for name in sorted(memory) if _is_share(name) and memory[name]]


def with_shares(memory: Mapping[str, Any], shares: Sequence[Sequence[Example]]) -> dict[str, Any]:
    """A memory with these examples of each stage in the place of those that it has."""
    others = {name: value for name, value in memory.items() if not _is_share(name)}
    return {**others, **{f"{number:04}.{KEPT}": list(share) for number, share in enumerate(shares) if share}}


def evenly(shares: Sequence[Sequence[Example]], budget: int) -> list[list[Example]]:
    """The first examples of each share, all shares with as many bytes; what a small share leaves over, others use.

    An example that does not fit any more is left out. One that is in several shares stays in the first.
    """
    first = {example: number for number in reversed(range(len(shares))) for example in shares[number]}
    distinct = [[each for each in share if first[each] == number] for number, share in enumerate(shares)]
    chosen: dict[int, list[Example]] = {}
    left = budget
    by_size = sorted(range(len(distinct)), key=lambda index: sum(map(bytes_of, distinct[index])))
    for place, index in enumerate(by_size):
        chosen[index] = _first(distinct[index], left // (len(by_size) - place))
        left -= sum(map(bytes_of, chosen[index]))
    return [chosen[index] for index in range(len(distinct))]


def _first(examples: Sequence[Example], budget: int) -> list[Example]:
    chosen = []
    for example in examples:
        if bytes_of(example) <= budget:
            budget -= bytes_of(example)
            chosen.append(example)
    return chosen


def _is_share(name: str) -> bool:
    return SHARE.fullmatch(name) is not None


def _rank(seed: int) -> Callable[[tuple[str, Example]], float]:
    return lambda entry: random.Random(f"{seed}:{entry[0]}").random()
