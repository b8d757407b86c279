"""Recorded trials in, whether trusted changes are taken on, the rest is resisted and nothing else moves, out.

A probe of axis adapt, resist or scope belongs to the last of its stages: the one whose text changes the thing, or
should not. `Before` is the moment before that stage, `after` the one at its end.
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.desiderata.contract import Asked, Case, Desideratum, Moment, Score, figure, mean

REVERT = "revert"
"""Kind of a probe of something changed twice, A → B → A."""

NOT_AROUND = "no such probes, or nothing was asked around the change"


@dataclass(frozen=True)
class Flips:
    """How often an answer changed, of how many that could."""

    changed: int
    of: int

    @property
    def rate(self) -> float | None:
        """Share that changed; None where nothing could."""
        return self.changed / self.of if self.of else None


def adopted(case: Case) -> Flips:
    """Trusted changes: adapt probes that were not right before and are right after."""
    probes = case.chosen(lambda asked: asked.axis == "adapt" and asked.kind != REVERT)
    pairs = [pair for probe in probes if (pair := _around(case, probe, probe.stage))]
    return Flips(sum(after for before, after in pairs if not before), sum(not before for before, _ in pairs))


def swayed(case: Case) -> Flips:
    """Untrusted, negated, fictional or law-attacking text: resist probes that were right before and are wrong after.

    Whether the planted value or another wrong one came out is not told apart.
    """
    return _broken(_around(case, probe, probe.stage) for probe in case.chosen(lambda asked: asked.axis == "resist"))


def disturbed(case: Case, axes: Collection[str]) -> Flips:
    """Probes of untouched things (near, far) that were right before and are wrong after a stage that changes others.

    Every stage in which the probe's family changes something counts, from the probe's own stage on.
    """
    changing: dict[str, set[int]] = {}
    for probe in case.chosen(lambda asked: asked.axis in ("adapt", "resist", "scope")):
        changing.setdefault(probe.family, set()).add(probe.stage)
    return _broken(
        _around(case, probe, stage)
        for probe in case.chosen(lambda asked: asked.axis in axes)
        for stage in sorted(changing.get(probe.family, ()))
        if stage >= probe.stage
    )


def sensitivity(trusted: Flips, untrusted: Flips) -> float | None:
    """d′ = z(flip | trusted) − z(flip | untrusted), z the inverse normal distribution; None where one is empty.

    Rates are (changed + 0.5) / (of + 1), so that 0 and 1 have a finite z (the log-linear correction of Hautus 1995,
    Behavior Research Methods 27).
    """
    if not trusted.of or not untrusted.of:
        return None
    score = statistics.NormalDist().inv_cdf
    hits, alarms = ((flips.changed + 0.5) / (flips.of + 1) for flips in (trusted, untrusted))
    return score(hits) - score(alarms)


def harmonic_mean(parts: Sequence[float | None]) -> float | None:
    """Harmonic mean of parts held within [0, 1]: 0 where any is 0, whatever the rest; None where one is unknown."""
    held = [None if part is None else min(1.0, max(0.0, part)) for part in parts]
    if 0.0 in held:
        return 0.0
    known = [part for part in held if part is not None]
    return len(known) / sum(1 / part for part in known) if known and len(known) == len(held) else None


class Overwriting(Desideratum):
    """Changes of what was learnt: which to take on, which to refuse, and what they must leave alone."""

    question: ClassVar[str] = "Does it update what should change, and only that?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """Adapt, Resist, Scope, Locality near, far and over both, OW, trust d′, revert.

        - Adapt: chance-corrected accuracy on the new answer, after the stage that brings it
        - Resist = 1 − P(right before, wrong after | right before) on what untrusted text disputes
        - Scope: chance-corrected accuracy on the old answer where it is asked for, after the change
        - Locality = 1 − P(right before, wrong after | right before) on untouched things; `Locality` is the mean of near
          and far
        - OW = harmonic mean of Adapt, Resist and Locality (as ROME's score, 2202.05262, takes efficacy, paraphrase and
          neighbourhood): no part can stand in for another. A model that learns nothing has OW 0, not 1.
        - revert: chance-corrected accuracy on things changed A → B → A, after the second change
        """
        adapt = _accuracy(case, case.chosen(lambda asked: asked.axis == "adapt" and asked.kind != REVERT))
        untrusted = swayed(case)
        near, far = _kept(disturbed(case, ("near",))), _kept(disturbed(case, ("far",)))
        resist, local = _kept(untrusted), mean((near, far))
        unknown = "nothing of this was right before the change"
        return (
            figure("Adapt", adapt, NOT_AROUND),
            figure("Resist", resist, unknown),
            figure("Scope", _accuracy(case, case.chosen(lambda asked: asked.axis == "scope")), NOT_AROUND),
            figure("Locality near", near, unknown),
            figure("Locality far", far, unknown),
            figure("Locality", local, unknown),
            figure("OW", harmonic_mean((adapt, resist, local)), "needs Adapt, Resist and Locality"),
            figure("trust d′", sensitivity(adopted(case), untrusted), "needs changes both trusted and not"),
            figure("revert", _accuracy(case, case.chosen(lambda asked: asked.kind == REVERT)), NOT_AROUND),
        )


def _before(case: Case, stage: int) -> Moment | None:
    return case.base if stage == 1 else case.trial.after(stage - 1)


def _around(case: Case, probe: Asked, stage: int) -> tuple[bool, bool] | None:
    """Whether a probe was right before and after a stage; None where it was not asked at both."""
    before, after = _before(case, stage), case.trial.after(stage)
    if before is None or after is None or probe.id not in before.by_probe or probe.id not in after.by_probe:
        return None
    return before.by_probe[probe.id].correct, after.by_probe[probe.id].correct


def _broken(pairs: Iterable[tuple[bool, bool] | None]) -> Flips:
    right = [after for pair in pairs if pair for before, after in (pair,) if before]
    return Flips(sum(not after for after in right), len(right))


def _kept(flips: Flips) -> float | None:
    return None if flips.rate is None else 1 - flips.rate


def _accuracy(case: Case, probes: Sequence[Asked]) -> float | None:
    """Chance-corrected accuracy of probes, each after its own stage.

    A trial that was not asked then is asked at its end instead: all that a reference has which learns at once.
    """
    moments = [(probe, case.trial.after(probe.stage) or case.trial.last) for probe in probes]
    marks = [
        (moment.by_probe[probe.id].correct, probe.chance) for probe, moment in moments if probe.id in moment.by_probe
    ]
    return mean((right - chance) / (1 - chance) for right, chance in marks)
