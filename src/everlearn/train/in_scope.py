"""Prompts of lessons and prompts that a model makes itself in; whether another prompt is about a lesson, out.

A scope classifier (Mitchell et al. 2206.06520) of a few numbers: logistic regression on how much more often a prompt's
pieces, runs of two and three tokens, occur in lessons than elsewhere (log odds, as naive Bayes has them, of those that
are there), and on how much the start model wonders about the prompt. What is kept are counts, and a sample of the
prompts by which the regression is solved. Both are the same in whatever order the same lessons come.
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
"""Added to each count of the larger side, and as large a share on the other (Lidstone)."""

RIDGE = 1e-4
"""λ of the regression, whose figures vary by 1, where there are many prompts."""

FEW = 3.0
"""Few prompts do not tell what others of theirs would be like: n of them are drawn to the usual by (FEW / n)²."""

TRUST = 0.2
"""What the log odds of a prompt's pieces are worth if nothing else is known: they overlap, so each tells a part."""

DOUBT = 2.0
"""Log of the odds against a prompt of which nothing is known, likewise."""

EVIDENCE = 2
"""Figures of a prompt's pieces; the others say how much the start model wonders."""

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
    numbers: frozenset[int]
    """Those of all prompts: one that is taught again is counted once."""
    sample: Seen

    def joined(self, prompts: Sequence[tuple[int, ...]], wonder: Wonder, oftenest: int) -> Side:
        """With more prompts, of whose pieces the most frequent are counted, and some of which come into the sample.

        Prompts of one token ask nothing, and are left out."""
        numbered = {_number(prompt): prompt for prompt in prompts if len(prompt) > 1}
        distinct = [numbered[number] for number in sorted(numbered.keys() - self.numbers)]
        if not distinct:
            return self
        found = Counter(piece for prompt in distinct for piece in _pieces(prompt))
        kept = sorted(found, key=lambda piece: (-found[piece], piece))[:oftenest]
        counts = Counter(self.counts) + Counter({piece: found[piece] for piece in kept})
        return Side(counts, self.numbers | numbered.keys(), self._sampled(distinct, wonder))

    def _sampled(self, distinct: Sequence[tuple[int, ...]], wonder: Wonder) -> Seen:
        """Of all prompts seen so far those with the lowest numbers; only what is new among them is asked about."""
        wondered = dict(zip(self.sample.prompts, self.sample.wonder_NF, strict=True))
        chosen = sorted({*distinct, *wondered}, key=_number)[:SAMPLE]
        if new := [prompt for prompt in chosen if prompt not in wondered]:
            wondered.update(zip(new, wonder(new), strict=True))
        return Seen(tuple(chosen), torch.stack([wondered[prompt] for prompt in chosen]))

    def tensors(self, name: str) -> dict[str, torch.Tensor]:
        """To be kept."""
        pieces = sorted(self.counts)
        return {
            f"{name}_pieces": torch.tensor(pieces, dtype=torch.int32),
            f"{name}_counts": torch.tensor([self.counts[piece] for piece in pieces], dtype=torch.int32),
            f"{name}_numbers": torch.tensor(sorted(self.numbers), dtype=torch.int32),
            f"{name}_lengths": torch.tensor([len(prompt) for prompt in self.sample.prompts], dtype=torch.int32),
            f"{name}_ids": torch.tensor([token for prompt in self.sample.prompts for token in prompt]).int(),
            f"{name}_wonder": self.sample.wonder_NF.float(),
        }

    @classmethod
    def of(cls, kept: Mapping[str, torch.Tensor], name: str) -> Side:
        """What `tensors` kept."""
        counts = dict(zip(kept[f"{name}_pieces"].tolist(), kept[f"{name}_counts"].tolist(), strict=True))
        prompts = (tuple(one.tolist()) for one in kept[f"{name}_ids"].split(kept[f"{name}_lengths"].tolist()))
        return cls(counts, frozenset(kept[f"{name}_numbers"].tolist()), Seen(tuple(prompts), kept[f"{name}_wonder"]))


@dataclass(frozen=True)
class ScopeClassifier:
    """Whether a prompt is about a lesson."""

    lessons: Side
    others: Side

    @classmethod
    def begun(cls, prompts: Sequence[tuple[int, ...]], wonder: Wonder) -> ScopeClassifier:
        """Nothing is taught; these prompts are about no lesson."""
        nothing = Side({}, frozenset(), Seen((), torch.zeros(0, WONDERS)))
        return cls(nothing, nothing.joined(prompts, wonder, 4 * OFTENEST))

    def with_lesson(self, prompts: Sequence[tuple[int, ...]], wonder: Wonder) -> ScopeClassifier:
        """One lesson more."""
        return replace(self, lessons=self.lessons.joined(prompts, wonder, OFTENEST))

    def inside(self, asked: Seen, odds: float) -> list[bool]:
        """For each prompt whether it is about a lesson, by more than e to the `odds` to 1."""
        if not self.lessons.numbers or not asked.prompts:
            return [False] * len(asked.prompts)
        inside_NF, outside_NF = self._figures(self.lessons.sample, own=0), self._figures(self.others.sample, own=1)
        above: list[bool] = (Solution.of(inside_NF, outside_NF).odds(self._figures(asked)) > odds).tolist()
        return above

    def _figures(self, seen: Seen, own: int | None = None) -> torch.Tensor:
        """figures_NF of prompts; of those that are counted themselves, on side `own`, as if they were not."""
        evidence_N2 = torch.tensor([self._evidence(prompt, own) for prompt in seen.prompts], dtype=torch.float64)
        return torch.cat([evidence_N2.reshape(-1, EVIDENCE), seen.wonder_NF.double()], 1)

    def _evidence(self, prompt: Sequence[int], own: int | None) -> tuple[float, float]:
        """The sum of the log odds of its known pieces, and the largest of them, which is seldom a matter of wording."""
        pairs = [
            (
                max(0, self.lessons.counts.get(piece, 0) - (own == 0)),
                max(0, self.others.counts.get(piece, 0) - (own == 1)),
            )
            for piece in _pieces(prompt)
            if self.others.counts.get(piece, 0) < len(self.others.numbers)  # the chat's template is in all of them
        ]
        known_K2 = torch.tensor([pair for pair in pairs if any(pair)], dtype=torch.float64).reshape(-1, 2)
        if not len(known_K2):
            return 0.0, 0.0
        sizes = torch.tensor([len(self.lessons.numbers) - (own == 0), len(self.others.numbers) - (own == 1)]).double()
        # the same share for what is in none, or not to be in one of few lessons would tell more than it does
        shares_K2 = (known_K2 / sizes.clamp(min=1) + SMOOTHING / sizes.max()).log()
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


class Solution(NamedTuple):
    """A logistic regression of figures, solved."""

    weights_F: torch.Tensor
    """Of each figure, and of 1."""
    mean_F: torch.Tensor
    spread_F: torch.Tensor
    least_F: torch.Tensor
    most_F: torch.Tensor

    @classmethod
    def of(cls, inside_NF: torch.Tensor, outside_NF: torch.Tensor) -> Solution:
        """Both sides count alike. The fewer prompts are inside, the nearer it stays to what the sum of the log odds
        says by itself."""
        both_NF = torch.cat([inside_NF, outside_NF])
        mean_F, spread_F = both_NF.mean(0), both_NF.std(0, correction=0).clamp(min=1e-6)
        least_F, most_F = both_NF.amin(0), both_NF.amax(0)
        least_F[:EVIDENCE], most_F[:EVIDENCE] = -torch.inf, torch.inf
        expected_F = torch.zeros(len(mean_F) + 1, dtype=torch.float64)
        expected_F[0], expected_F[-1] = TRUST * spread_F[0], TRUST * mean_F[0] - DOUBT
        begun = cls(expected_F, mean_F, spread_F, least_F, most_F)
        pull = (FEW / len(inside_NF)) ** 2
        return begun._replace(weights_F=_solved(begun.terms(inside_NF), begun.terms(outside_NF), expected_F, pull))

    def terms(self, figures_NF: torch.Tensor) -> torch.Tensor:
        """Figures of which none wonders beyond what the regression has seen, even, and 1."""
        even_NF = (figures_NF.clamp(self.least_F, self.most_F) - self.mean_F) / self.spread_F
        return torch.cat([even_NF, torch.ones_like(even_NF[:, :1])], 1)

    def odds(self, figures_NF: torch.Tensor) -> torch.Tensor:
        """odds_N: log of the odds that a prompt is inside."""
        return self.terms(figures_NF) @ self.weights_F


def _solved(inside_NF: torch.Tensor, outside_NF: torch.Tensor, expected_F: torch.Tensor, pull: float) -> torch.Tensor:
    """weights_F of the ridge regression that are also drawn, by `pull`, to what is expected."""
    with torch.inference_mode(False), torch.enable_grad():  # questions are routed where nothing else is learnt
        weights_F = expected_F.clone().requires_grad_()
        optimiser = torch.optim.LBFGS([weights_F], max_iter=MOST_STEPS, line_search_fn="strong_wolfe")
        inside_NF, outside_NF = inside_NF.clone(), outside_NF.clone()

        def loss() -> torch.Tensor:
            optimiser.zero_grad()
            wrong = softplus(-(inside_NF @ weights_F)).mean() + softplus(outside_NF @ weights_F).mean()
            drawn = pull * (weights_F - expected_F).square().sum()
            total: torch.Tensor = wrong / 2 + RIDGE * weights_F.square().sum() + drawn
            total.backward()
            return total

        optimiser.step(loss)
    return weights_F.detach()
