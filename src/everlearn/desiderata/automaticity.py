"""Recorded trials in, whether the right thing comes to mind unasked, and nothing else does, out."""

from __future__ import annotations

from collections import defaultdict
from typing import ClassVar

from everlearn.desiderata.contract import Asked, Case, Desideratum, Score, above_chance, figure, mean
from everlearn.desiderata.efficiency import context_tokens
from everlearn.desiderata.sequence import LEAST_GAIN

MOST_CHANCE = 0.25
"""Probes with fewer plausible answers than four are left out of the shadow rate: there a wrong answer nearly always is
another probe's right one."""


def shadow_rate(case: Case) -> float | None:
    """P(reply is the right answer of another probe of its kind | it is wrong), at the end; None without wrong replies.

    What is learnt of one thing then stands before another: with skills, the wrong one was selected (2605.24050).
    """
    probes = case.chosen(lambda asked: asked.axis != "general" and asked.chance <= MOST_CHANCE)
    answers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for probe in probes:
        answers[probe.family, probe.kind].add(probe.gold.strip())
    replies = [(probe, case.trial.last.by_probe[probe.id]) for probe in probes if probe.id in case.trial.last.by_probe]
    marks = [
        reply.text.strip() in answers[probe.family, probe.kind] - {probe.gold.strip()}
        for probe, reply in replies
        if not reply.correct
    ]
    return sum(marks) / len(marks) if marks else None


class Automaticity(Desideratum):
    """Use of a skill that is only implied, against the same skill named."""

    question: ClassVar[str] = "Does it use what it has learnt without being told to?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """AU, its two parts, shadow rate, context tokens.

        - AU = A_uncued / A_cued at the end, chance-corrected, over things asked both ways, each thing counting once;
          undefined where the named skill itself stays below LEAST_GAIN
        - shadow rate: see `shadow_rate`
        - context tokens: notes that a question carries, mean; 0 where everything is in the weights
        """
        cued, uncued = _both_ways(case)
        ratio = uncued / cued if cued is not None and uncued is not None and cued >= LEAST_GAIN - 1e-9 else None
        nothing = "nothing was asked both cued and uncued"
        weak = nothing if cued is None else f"the named skill is only {cued:.2f} above chance"
        return (
            figure("AU", ratio, weak),
            figure("cued", cued, nothing),
            figure("uncued", uncued, nothing),
            figure("shadow rate", shadow_rate(case), "no wrong reply where four or more are plausible", better="lower"),
            figure("context tokens", context_tokens(case), "were not counted", better="lower", unit="tokens"),
        )


def _both_ways(case: Case) -> tuple[float | None, float | None]:
    """Cued and uncued accuracy over the things that have both, at the end."""
    ways: dict[tuple[str, str], dict[str, list[Asked]]] = defaultdict(lambda: defaultdict(list))
    for probe in case.chosen(lambda asked: asked.cue != ""):
        ways[probe.family, probe.key][probe.cue].append(probe)
    last = case.trial.last
    pairs = [(above_chance(last, way["cued"]), above_chance(last, way["uncued"])) for way in ways.values()]
    known = [(cued, uncued) for cued, uncued in pairs if cued is not None and uncued is not None]
    return mean(cued for cued, _ in known), mean(uncued for _, uncued in known)
