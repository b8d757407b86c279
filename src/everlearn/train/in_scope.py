"""Prompts of lessons and prompts that a model makes itself in; whether another prompt is about a lesson, out.

A scope classifier (Mitchell et al. 2206.06520) of a few numbers: logistic regression on how much more often a prompt's
pieces, runs of two and three tokens, occur in lessons than elsewhere (naive Bayes on presence, Manning et al. 2008,
chapter 13), and on how much the start model wonders about the prompt. What is kept are counts, and a sample of the
prompts by which the regression is solved. Both are the same in whatever order lessons come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch.nn.functional import softplus

from everlearn.model.chat import Row
from everlearn.model.kernels.logits import chosen_logprobs
from everlearn.model.language_model import PREDICTIONS, SCORE_TOKENS, LanguageModel
from everlearn.model.packing import batches_by_size, pack

RUNS = (2, 3)
"""How many tokens a piece has."""

PRIME = (1 << 31) - 1
"""Pieces are numbers below it, so that they take four bytes."""

MIXERS = (1_000_003, 48_271)
"""By what a number is multiplied before the next token is added to it, and in the end."""

OFTENEST = 1024
"""Pieces of a lesson that are kept, at most: the most frequent ones; of all that is no lesson, four times as many."""

SAMPLE = 600
"""Prompts of lessons, and as many others, by which the regression is solved."""

SMOOTHING = 0.1
"""Added to each count (Lidstone)."""

RIDGE = 1e-4
"""λ of the regression, whose figures vary by 1."""

MOST_STEPS = 200
"""Of the regression."""

WONDERS = 2
"""Figures of how much a model wonders."""

HARDEST = 3
"""Tokens of a prompt whose nats are looked at by themselves."""


class Seen(NamedTuple):
    """Prompts, and how much the start model wonders about them."""

    prompts: tuple[tuple[int, ...], ...]
    wonder_NF: torch.Tensor
    """As `wonder` gives it."""


Wonder = Callable[[Sequence[tuple[int, ...]]], torch.Tensor]
"""How much the start model wonders about prompts: `wonder`, with the model given."""


@dataclass(frozen=True)
class Side:
    """Prompts of one side: lessons, or all else."""

    counts: Mapping[int, int]
    """In how many prompts a piece is."""
    prompts: int
    sample: Seen

    def joined(self, prompts: Sequence[tuple[int, ...]], wonder: Wonder, oftenest: int) -> Side:
        """With more prompts, of whose pieces the most frequent are counted, and some of which come into the sample."""
        distinct = set(prompts)
        found = Counter(piece for prompt in distinct for piece in _pieces(prompt))
        kept = sorted(found, key=lambda piece: (-found[piece], piece))[:oftenest]
        counts = Counter(self.counts) + Counter({piece: found[piece] for piece in kept})
        return Side(counts, self.prompts + len(distinct), self._sampled(distinct, wonder))

    def _sampled(self, distinct: set[tuple[int, ...]], wonder: Wonder) -> Seen:
        """Of all prompts seen so far those with the lowest numbers; only what is new among them is asked about."""
        wondered = dict(zip(self.sample.prompts, self.sample.wonder_NF, strict=True))
        chosen = sorted(distinct | wondered.keys(), key=_number)[:SAMPLE]
        if new := [prompt for prompt in chosen if prompt not in wondered]:
            wondered.update(zip(new, wonder(new), strict=True))
        return Seen(tuple(chosen), torch.stack([wondered[prompt] for prompt in chosen]))

    def tensors(self, name: str) -> dict[str, torch.Tensor]:
        """To be kept."""
        pieces = sorted(self.counts)
        return {
            f"{name}_pieces": torch.tensor(pieces, dtype=torch.int32),
            f"{name}_counts": torch.tensor([self.counts[piece] for piece in pieces], dtype=torch.int32),
            f"{name}_prompts": torch.tensor([self.prompts]),
            f"{name}_lengths": torch.tensor([len(prompt) for prompt in self.sample.prompts], dtype=torch.int32),
            f"{name}_ids": torch.tensor([token for prompt in self.sample.prompts for token in prompt]).int(),
            f"{name}_wonder": self.sample.wonder_NF.float(),
        }

    @classmethod
    def of(cls, kept: Mapping[str, torch.Tensor], name: str) -> Side:
        """What `tensors` kept."""
        counts = dict(zip(kept[f"{name}_pieces"].tolist(), kept[f"{name}_counts"].tolist(), strict=True))
        prompts = (tuple(one.tolist()) for one in kept[f"{name}_ids"].split(kept[f"{name}_lengths"].tolist()))
        return cls(counts, int(kept[f"{name}_prompts"]), Seen(tuple(prompts), kept[f"{name}_wonder"]))


@dataclass(frozen=True)
class ScopeClassifier:
    """Whether a prompt is about a lesson."""

    lessons: Side
    others: Side

    @classmethod
    def begun(cls, prompts: Sequence[tuple[int, ...]], wonder: Wonder) -> ScopeClassifier:
        """Nothing is taught; these prompts are about no lesson."""
        nothing = Side({}, 0, Seen((), torch.zeros(0, WONDERS)))
        return cls(nothing, nothing.joined(prompts, wonder, 4 * OFTENEST))

    def with_lesson(self, prompts: Sequence[tuple[int, ...]], wonder: Wonder) -> ScopeClassifier:
        """One lesson more."""
        return replace(self, lessons=self.lessons.joined(prompts, wonder, OFTENEST))

    def inside(self, asked: Seen, odds: float) -> list[bool]:
        """For each prompt whether it is about a lesson, by more than e to the `odds` to 1."""
        if not self.lessons.prompts:
            return [False] * len(asked.prompts)
        inside_NF, outside_NF = self._figures(self.lessons.sample, own=0), self._figures(self.others.sample, own=1)
        both_NF = torch.cat([inside_NF, outside_NF])
        terms = _Terms(both_NF.mean(0), both_NF.std(0, correction=0), both_NF.amin(0), both_NF.amax(0))
        weights_F = _solved(terms.of(inside_NF), terms.of(outside_NF))
        above: list[bool] = (terms.of(self._figures(asked)) @ weights_F > odds).tolist()
        return above

    def _figures(self, seen: Seen, own: int | None = None) -> torch.Tensor:
        """figures_NF of prompts; of those that are counted themselves, on side `own`, as if they were not."""
        evidence_N2 = torch.tensor([self._evidence(prompt, own) for prompt in seen.prompts], dtype=torch.float64)
        return torch.cat([evidence_N2.reshape(-1, 2), seen.wonder_NF.double()], 1)

    def _evidence(self, prompt: Sequence[int], own: int | None) -> tuple[float, float]:
        """The sum of the log odds of its known pieces, and the largest of them, which is seldom a matter of wording."""
        pairs = [
            (
                max(0, self.lessons.counts.get(piece, 0) - (own == 0)),
                max(0, self.others.counts.get(piece, 0) - (own == 1)),
            )
            for piece in _pieces(prompt)
        ]
        known_K2 = torch.tensor([pair for pair in pairs if any(pair)], dtype=torch.float64).reshape(-1, 2)
        if not len(known_K2):
            return 0.0, 0.0
        sizes = torch.tensor([self.lessons.prompts - (own == 0), self.others.prompts - (own == 1)]).double()
        shares_K2 = ((known_K2 + SMOOTHING) / (sizes + 2 * SMOOTHING)).log()
        odds_K = shares_K2[:, 0] - shares_K2[:, 1]
        return float(odds_K.sum()), max(0.0, float(odds_K.max()))

    def tensors(self) -> dict[str, torch.Tensor]:
        """To be kept."""
        return {**self.lessons.tensors("lessons"), **self.others.tensors("others")}

    @classmethod
    def of(cls, kept: Mapping[str, torch.Tensor]) -> ScopeClassifier:
        """What `tensors` kept."""
        return cls(Side.of(kept, "lessons"), Side.of(kept, "others"))


@torch.inference_mode()
def wonder(model: LanguageModel, prompts: Sequence[tuple[int, ...]]) -> torch.Tensor:
    """How much a model wonders about each prompt: wonder_N2, in nats.

    Of what its tokens behind the first cost the mean, and the mean of the HARDEST largest.
    """
    found = torch.zeros(len(prompts), WONDERS)
    rows = [Row(prompt, (False, *[True] * (len(prompt) - 1))) for prompt in prompts]
    for group in batches_by_size(rows, SCORE_TOKENS):
        batch = pack([rows[index] for index in group])
        model.tokens_read += batch.tokens
        parts = zip(model.logits_in_parts(batch), batch.targets_N.split(PREDICTIONS), strict=True)
        cost_N = torch.cat([-chosen_logprobs(each, ids[:, None].to(each.device))[:, 0] for each, ids in parts]).cpu()
        for index, cost_T in zip(group, cost_N.split([rows[index].targets for index in group]), strict=True):
            found[index] = torch.stack([cost_T.mean(), cost_T.topk(min(HARDEST, len(cost_T))).values.mean()])
    return found


def _pieces(prompt: Sequence[int]) -> list[int]:
    """The distinct numbers of all runs of RUNS tokens."""
    runs = {tuple(prompt[at : at + size]) for size in RUNS for at in range(len(prompt) - size + 1)}
    return sorted({_number(run) for run in runs})


def _number(tokens: Sequence[int]) -> int:
    """A number below PRIME that looks random."""
    number = len(tokens)
    for token in tokens:
        number = (number * MIXERS[0] + token) % PRIME
    return number * MIXERS[1] % PRIME


class _Terms(NamedTuple):
    """How figures become terms of the regression."""

    mean_F: torch.Tensor
    spread_F: torch.Tensor
    least_F: torch.Tensor
    most_F: torch.Tensor

    def of(self, figures_NF: torch.Tensor) -> torch.Tensor:
        """The figures, none beyond what the regression has seen, and 1."""
        near_NF = figures_NF.clamp(self.least_F, self.most_F)
        even_NF = (near_NF - self.mean_F) / self.spread_F.clamp(min=1e-6)
        return torch.cat([even_NF, torch.ones_like(even_NF[:, :1])], 1)


def _solved(inside_NF: torch.Tensor, outside_NF: torch.Tensor) -> torch.Tensor:
    """weights_F of the logistic regression in which both sides count alike."""
    with torch.inference_mode(False), torch.enable_grad():  # questions are routed where nothing else is learnt
        weights_F = torch.zeros(inside_NF.shape[1], dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.LBFGS([weights_F], max_iter=MOST_STEPS, line_search_fn="strong_wolfe")
        inside_NF, outside_NF = inside_NF.clone(), outside_NF.clone()

        def loss() -> torch.Tensor:
            optimiser.zero_grad()
            wrong = softplus(-(inside_NF @ weights_F)).mean() + softplus(outside_NF @ weights_F).mean()
            held: torch.Tensor = wrong / 2 + RIDGE * weights_F.square().sum()
            held.backward()
            return held

        optimiser.step(loss)
    return weights_F.detach()
