"""Prompts of lessons and prompts that a model makes itself in; whether another prompt is about a lesson, out.

A scope classifier (Mitchell et al. 2206.06520) of one number, a likelihood ratio: how much likelier a prompt is as one
of the lessons' than as one of all others. Either side tells it by the runs of up to three tokens that its prompts have,
smoothed as in a hierarchical Dirichlet language model (MacKay & Peto 1995), over prompts instead of occurrences; the
last resort is half what the start model expects. What anybody would say next is little evidence then, and a name that
only lessons have is much. The stretch of a prompt that speaks most for lessons counts: a name is recognised among words
that no lesson has. How much is enough is told by what a lesson's own prompts have, each judged nearly as if it were not
counted. What is kept are counts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from everlearn.model.chat import Row
from everlearn.model.kernels.logits import chosen_logprobs
from everlearn.model.language_model import PREDICTIONS, SCORE_TOKENS, LanguageModel
from everlearn.model.packing import batches_by_size, pack

LONGEST = 3
"""Tokens of a run, at most."""

PRIME = (1 << 31) - 1
"""Runs are numbers below it, so that they take four bytes."""

MIXERS = (1_000_003, 1_597_334_677)
"""By what a number is multiplied before the next token is added to it, and in the end."""

OFTENEST = 1024
"""Runs of a lesson that are kept, at most: the most frequent ones; of all that is no lesson, four times as many."""

SAMPLE = 300
"""Prompts of a lesson by which it is told how much evidence is enough for it, at most."""

CONCENTRATION = 256.0
"""How many prompts what is expected without a longer run weighs as much as."""

LOWEST = 0.05
"""Half of this quantile of the evidence of a lesson's own prompts is enough."""

DEAREST = 50.0
"""Nats that a token can cost, at most: its likelihood stays above nothing."""


class Seen(NamedTuple):
    """Prompts, and what each token of theirs behind the first costs the start model, in nats."""

    prompts: tuple[tuple[int, ...], ...]
    nats: tuple[torch.Tensor, ...]
    """nats_T of each prompt, as `nats` gives them."""


Ask = Callable[[Sequence[tuple[int, ...]]], list[torch.Tensor]]
"""What prompts cost the start model: `nats`, with the model given."""


@dataclass(frozen=True)
class Side:
    """Prompts of one side: lessons, or all else."""

    counts: Mapping[int, int]
    """In how many prompts a run is."""
    tokens: int
    """Distinct tokens of each prompt, of all prompts together."""
    numbers: frozenset[int]
    """Those of all prompts: one that is taught again is counted once."""

    def joined(self, prompts: Sequence[tuple[int, ...]], oftenest: int) -> Side:
        """With more prompts, of whose runs the most frequent are counted. Those of one token ask nothing, and are left
        out."""
        numbered = {_number(prompt): prompt for prompt in prompts if len(prompt) > 1}
        distinct = [numbered[number] for number in sorted(numbered.keys() - self.numbers)]
        found = Counter(run for prompt in distinct for run in {run for runs in _runs(prompt) for run in runs})
        kept = sorted(found, key=lambda run: (-found[run], run))[:oftenest]
        counts = Counter(self.counts) + Counter({run: found[run] for run in kept})
        tokens = self.tokens + sum(len(set(prompt)) for prompt in distinct)
        return replace(self, counts=counts, tokens=tokens, numbers=self.numbers | numbered.keys())

    def expected(self, runs: Sequence[int], start: float, own: bool) -> float:
        """How likely a token comes, as a share of 1.

        Args:
            runs: numbers of the runs that end with it, the shortest first, and of those before it, as `_runs` has them.
            start: how likely the start model takes it to be.
            own: whether the prompt is one of those counted, and judged nearly as if it were not.
        """
        share = start
        if self.tokens:
            share = (self._count(runs[0], own) / self.tokens + start) / 2
        for run, before in zip(runs[1::2], runs[2::2], strict=True):
            drawn = CONCENTRATION * share
            count = self._count(run, own)
            share = (count + drawn) / (max(count, self._count(before, own)) + CONCENTRATION)
        return share

    def has(self, run: int, own: bool) -> bool:
        """Whether a run is in some prompt."""
        return self._count(run, own) > 0

    def _count(self, run: int, own: bool) -> int:
        return max(0, self.counts.get(run, 0) - own)

    def tensors(self, name: str) -> dict[str, torch.Tensor]:
        """To be kept."""
        runs = sorted(self.counts)
        return {
            f"{name}_runs": torch.tensor(runs, dtype=torch.int32),
            f"{name}_counts": torch.tensor([self.counts[run] for run in runs], dtype=torch.int32),
            f"{name}_tokens": torch.tensor(self.tokens),
            f"{name}_numbers": torch.tensor(sorted(self.numbers), dtype=torch.int32),
        }

    @classmethod
    def of(cls, kept: Mapping[str, torch.Tensor], name: str) -> Side:
        """What `tensors` kept."""
        counts = dict(zip(kept[f"{name}_runs"].tolist(), kept[f"{name}_counts"].tolist(), strict=True))
        return cls(counts, int(kept[f"{name}_tokens"]), frozenset(kept[f"{name}_numbers"].tolist()))


NOTHING = Side({}, 0, frozenset())
"""Before any prompt."""


@dataclass(frozen=True)
class ScopeClassifier:
    """Whether a prompt is about a lesson."""

    lessons: Side
    others: Side
    enough: float
    """Evidence above which a prompt is like those of some lesson; infinite before the first."""

    @classmethod
    def begun(cls, prompts: Sequence[tuple[int, ...]]) -> ScopeClassifier:
        """Nothing is taught; these prompts are about no lesson."""
        return cls(NOTHING, NOTHING.joined(prompts, 4 * OFTENEST), math.inf)

    def with_lesson(self, prompts: Sequence[tuple[int, ...]], ask: Ask) -> ScopeClassifier:
        """One lesson more. Where its prompts have less evidence than those of others, less is enough from then on:
        what was taught is to be used."""
        asking = sorted({prompt for prompt in prompts if len(prompt) > 1}, key=_number)[:SAMPLE]
        if not asking:
            return self
        both = replace(self, lessons=self.lessons.joined(prompts, OFTENEST))
        own_N = both.evidence(Seen(tuple(asking), tuple(ask(asking))), own=True)
        return replace(both, enough=min(self.enough, float(own_N.quantile(LOWEST)) / 2))

    def inside(self, asked: Seen, least: float) -> list[bool]:
        """For each prompt whether it is about a lesson: it is one of a lesson's, or has more evidence than is enough,
        and than the `least`."""
        above = (self.evidence(asked) > max(least, self.enough)).tolist()
        numbers = map(_number, asked.prompts)
        return [number in self.lessons.numbers or is_above for number, is_above in zip(numbers, above, strict=True)]

    def evidence(self, seen: Seen, own: bool = False) -> torch.Tensor:
        """How much likelier the most telling stretch of each prompt is as a lesson's than as another's, in nats over
        the square root of the prompt's tokens: evidence_N, 0 where nothing speaks for lessons. Tokens that all others
        have there, the chat's template, are left out.

        Args:
            own: the prompts are counted as lessons', and judged nearly as if they were not.
        """
        return torch.tensor(
            [self._evidence(prompt, nats_T.tolist(), own) for prompt, nats_T in zip(*seen, strict=True)]
        )

    def _evidence(self, prompt: Sequence[int], nats: Sequence[float], own: bool) -> float:
        ratios = [
            self._ratio(runs, math.exp(-min(cost, DEAREST)), own)
            for runs, cost in zip(_runs(prompt)[1:], nats, strict=True)
            if self.others.counts.get(runs[-2], 0) < len(self.others.numbers)
        ]
        return _largest_stretch(ratios) / math.sqrt(max(1, len(ratios)))

    def _ratio(self, runs: Sequence[int], start: float, own: bool) -> float:
        """How much likelier a token is as a lesson's than as another: log of the ratio. What lessons do not have is no
        evidence for them, however much others would have gone on otherwise."""
        ratio = math.log(self.lessons.expected(runs, start, own) / self.others.expected(runs, start, own=False))
        return ratio if self.lessons.has(runs[0], own) else min(0.0, ratio)

    def tensors(self) -> dict[str, torch.Tensor]:
        """To be kept."""
        return {
            **self.lessons.tensors("lessons"),
            **self.others.tensors("others"),
            "enough": torch.tensor(self.enough, dtype=torch.float64),
        }

    @classmethod
    def of(cls, kept: Mapping[str, torch.Tensor]) -> ScopeClassifier:
        """What `tensors` kept."""
        return cls(Side.of(kept, "lessons"), Side.of(kept, "others"), float(kept["enough"]))


@torch.inference_mode()
def nats(model: LanguageModel, prompts: Sequence[tuple[int, ...]]) -> list[torch.Tensor]:
    """What each token of a prompt behind the first costs a model: nats_T for each prompt, fp32."""
    found: dict[int, torch.Tensor] = {}
    rows = [Row(prompt, (False, *[True] * (len(prompt) - 1))) for prompt in prompts]
    for group in batches_by_size(rows, SCORE_TOKENS):
        batch = pack([rows[index] for index in group])
        model.tokens_read += batch.tokens
        parts = zip(model.logits_in_parts(batch), batch.targets_N.split(PREDICTIONS), strict=True)
        cost_N = torch.cat([-chosen_logprobs(each, ids[:, None].to(each.device))[:, 0] for each, ids in parts]).cpu()
        found.update(zip(group, cost_N.float().split([rows[index].targets for index in group]), strict=True))
    return [found[index] for index in range(len(prompts))]


def _largest_stretch(values: Sequence[float]) -> float:
    """The largest sum of values that stand together; 0 where none is above 0 (Kadane's algorithm)."""
    largest = until_here = 0.0
    for value in values:
        until_here = max(0.0, until_here + value)
        largest = max(largest, until_here)
    return largest


def _runs(prompt: Sequence[int]) -> list[list[int]]:
    """For each token the numbers of runs: of itself, then, for two tokens and more, of those that end with it and of
    what of them stands before it."""
    found = []
    for end in range(1, len(prompt) + 1):
        runs = [_number(prompt[end - 1 : end])]
        for begin in range(end - 2, max(-1, end - LONGEST - 1), -1):
            runs += [_number(prompt[begin:end]), _number(prompt[begin : end - 1])]
        found.append(runs)
    return found


def _number(tokens: Sequence[int]) -> int:
    """A number below PRIME that looks random."""
    number = len(tokens)
    for token in tokens:
        number = (number * MIXERS[0] + token) % PRIME
    return number * MIXERS[1] % PRIME
