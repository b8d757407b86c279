"""Recorded trials in, whether the right thing comes to mind unasked, and nothing else does, out."""

from __future__ import annotations

from collections import defaultdict
from typing import ClassVar

from everlearn.desiderata.contract import Asked, Case, Desideratum, Reply, Score, above_chance, figure, mean
from everlearn.desiderata.efficiency import context_tokens
from everlearn.desiderata.sequence import LEAST_GAIN

MOST_CHANCE = 0.25
"""Probes with fewer plausible answers than four are left out of the shadow rate: there a wrong answer nearly always is
another thing's right one."""


def shadow_rate(case: Case) -> float | None:
    """P(reply is what another thing taught would have called for under this prompt | it is wrong), at the end.

    What is learnt of one thing then stands before another: with skills, the wrong one was selected (2605.24050). Over
    probes that know their rivals; None where no wrong reply is among them.
    """
    return mean(float(reply.text.strip() in probe.rivals) for probe, reply in _mistaken(case))


def shadow_by_chance(case: Case) -> float | None:
    """The same of somebody whose wrong replies are drawn evenly from all plausible ones: where things compete for few
    replies, nearly every wrong one is a rival's."""
    return mean(min(1.0, len(probe.rivals) * probe.chance / (1 - probe.chance)) for probe, _ in _mistaken(case))


def _mistaken(case: Case) -> list[tuple[Asked, Reply]]:
    """Wrong replies at the end to probes that know their rivals, where four or more answers are plausible."""
    last = case.trial.last.by_probe
    wanted = case.chosen(lambda asked: bool(asked.rivals) and asked.chance <= MOST_CHANCE and asked.id in last)
    return [(probe, last[probe.id]) for probe in wanted if not last[probe.id].correct]


class Automaticity(Desideratum):
    """Use of a skill that is only implied, against the same skill named."""

    question: ClassVar[str] = "Does it use what it has learnt without being told to?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """AU, its two parts, shadow rate and what it would be by chance, context tokens.

        - AU = A_uncued / A_cued at the end, chance-corrected, over things asked both ways, each thing counting once;
          undefined where the named skill itself stays below LEAST_GAIN
        - shadow rate, shadow by chance: see `shadow_rate` and `shadow_by_chance`; only the difference says anything
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
            figure("shadow rate", shadow_rate(case), "no wrong reply where rivals are known", better="lower"),
            figure("shadow by chance", shadow_by_chance(case), "no wrong reply where rivals are known", better=""),
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
