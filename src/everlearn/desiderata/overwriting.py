"""Recorded trials in, whether trusted changes are taken on, the rest is resisted and nothing else moves, out.

A probe of axis adapt, resist or scope belongs to the last of its stages: the one whose text changes the thing, or
should not. `Before` is the moment before that stage, `after` the one at its end. The parts of OW ask all methods about
the same things, known before or not: who has forgotten a thing has not kept it.
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from everlearn.desiderata.contract import Asked, Case, Desideratum, Reply, Score, figure, harmonic_mean, mean

REVERT = "revert"
"""Kind of a probe of something changed twice, A → B → A."""

TRUST = "trust"
"""The family in which trusted and doubtful texts come in as many rows and the same forms."""

UNLIKE = ("adapted_paraphrase", "resisted_law", REVERT)
"""Kinds of that family whose like is asked of trusted or of doubtful texts only: other wordings, stones, two texts."""

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


def moved(case: Case, axis: str) -> Flips:
    """Replies of family `trust` that are others after a text than before it, right or wrong, known before or not.

    The same event of trusted texts (`axis` adapt) and of doubtful ones (resist), asked in the same wordings of the
    same sort of thing; forgetting counts in both.
    """
    probes = case.chosen(lambda asked: asked.family == TRUST and asked.axis == axis and asked.kind not in UNLIKE)
    pairs = [pair for probe in probes if (pair := _around(case, probe, probe.stage))]
    return Flips(sum(before.text != after.text for before, after in pairs), len(pairs))


def swayed(case: Case) -> Flips:
    """Untrusted, negated, fictional or law-attacking text: resist probes that were right before and are wrong after.

    Whether the planted value or another wrong one came out, by belief or by forgetting, is not told apart.
    """
    return _broken(_around(case, probe, probe.stage) for probe in case.chosen(lambda asked: asked.axis == "resist"))


def disturbed(case: Case, axes: Collection[str]) -> Flips:
    """Probes of untouched things (near, far) that were right before and are wrong after a stage that changes others.

    Every stage after the probe's own in which its family changes something counts.
    """
    return _broken(_around(case, probe, stage) for probe, stage in _untouched(case, axes))


def spared(case: Case, axes: Collection[str]) -> float | None:
    """Chance-corrected accuracy on untouched things after the stages that `disturbed` counts, known before or not."""
    return _accuracy(case, _untouched(case, axes))


def reverted(case: Case) -> float | None:
    """Chance-corrected share of things changed A → B → A that are A at the end, having been taken for another between.

    B counts as taken on where it is the reply after the first change, but for space around it: who never leaves A, or
    leaves it for anything else, has reverted nothing. Where a probe does not say what B is (`Asked.between`), any reply
    will do that is another one than before the change, and not A. None where a change of both was not asked around.
    """
    marks = []
    for probe in case.chosen(lambda asked: asked.kind == REVERT and len(asked.stages) > 2):
        first, second = _around(case, probe, probe.stages[-2]), _around(case, probe, probe.stage)
        if first and second:
            marks.append((_taken_on(probe, *first) and second[1].correct, probe.chance))
    return mean((right - chance) / (1 - chance) for right, chance in marks)


def _taken_on(probe: Asked, before: Reply, after: Reply) -> bool:
    if probe.between:
        return after.text.strip() == probe.between.strip()
    return before.text != after.text and not after.correct


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


class Overwriting(Desideratum):
    """Changes of what was learnt: which to take on, which to refuse, and what they must leave alone."""

    question: ClassVar[str] = "Does it update what should change, and only that?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """Adapt, Resist, Scope, Locality near, far and over both, OW, in all and in trust alone, flips, d′, revert.

        - Adapt: chance-corrected accuracy on the new answer, after the stage that brings it
        - Resist: the same on the old answer of what doubtful text disputes, after that text
        - Scope: the same on the old answer where it is asked for, after the change
        - Locality: the same on untouched things, after each stage that changes others; mean of near and far
        - OW = harmonic mean of Adapt, Resist and Locality (as ROME's score, 2202.05262, takes efficacy, paraphrase and
          neighbourhood): no part can stand in for another. A model that learns nothing has OW 0, and so has one that
          had forgotten everything before the change.
        - OW trust: the same of the family `trust` alone, where trusted and doubtful texts come side by side: to refuse
          all of them cannot be made up for by changes that nobody disputes
        - `… if known` = 1 − P(right before, wrong after | right before): of what was still known, so that two methods
          may be asked about different things
        - trust d′: see `moved` and `sensitivity`; revert: see `reverted`
        """
        adapt, resist, near, far = _parts(case)
        local = mean((near, far))
        only = replace(case, probes=tuple(case.chosen(lambda asked: asked.family == TRUST)))
        known = {"Resist": swayed(case)}
        known |= {f"Locality {axis}": disturbed(case, (axis,)) for axis in ("near", "far")}
        trusting = sensitivity(moved(case, "adapt"), moved(case, "resist"))
        return (
            figure("Adapt", adapt, NOT_AROUND),
            figure("Resist", resist, NOT_AROUND),
            figure("Scope", _accuracy(case, _changed(case, "scope")), NOT_AROUND),
            figure("Locality near", near, NOT_AROUND),
            figure("Locality far", far, NOT_AROUND),
            figure("Locality", local, NOT_AROUND),
            figure("OW", _overwriting(case), "needs Adapt, Resist and Locality"),
            figure("OW trust", _overwriting(only), f"needs all three in the family `{TRUST}`"),
            *(
                figure(f"{name} if known", _kept(flips), "nothing of this was right before the change")
                for name, flips in known.items()
            ),
            figure("trust d′", trusting, f"needs texts of `{TRUST}` both trusted and doubtful, asked around"),
            figure("revert", reverted(case), "no such probes, or nothing was asked around both changes"),
        )


def _parts(case: Case) -> tuple[float | None, float | None, float | None, float | None]:
    """Adapt, Resist, Locality near and far."""
    adapt, resist = (_accuracy(case, _changed(case, axis)) for axis in ("adapt", "resist"))
    near, far = (spared(case, (axis,)) for axis in ("near", "far"))
    return adapt, resist, near, far


def _overwriting(case: Case) -> float | None:
    adapt, resist, near, far = _parts(case)
    return harmonic_mean((adapt, resist, mean((near, far))))


def _changed(case: Case, axis: str) -> list[tuple[Asked, int]]:
    """The probes of an axis with the stage whose text they are on, without what is changed twice."""
    return [(probe, probe.stage) for probe in case.probes if probe.axis == axis and probe.kind != REVERT]


def _untouched(case: Case, axes: Collection[str]) -> list[tuple[Asked, int]]:
    """Probes of untouched things, with every stage after their own in which their family changes something."""
    changing: dict[str, set[int]] = {}
    for probe in case.chosen(lambda asked: asked.axis in ("adapt", "resist", "scope")):
        changing.setdefault(probe.family, set()).add(probe.stage)
    return [
        (probe, stage)
        for probe in case.chosen(lambda asked: asked.axis in axes)
        for stage in sorted(changing.get(probe.family, ()))
        if stage > probe.stage
    ]


def _around(case: Case, probe: Asked, stage: int) -> tuple[Reply, Reply] | None:
    """The replies to a probe before and after a stage; None where it was not asked at both."""
    before, after = case.base if stage == 1 else case.trial.after(stage - 1), case.trial.after(stage)
    if before is None or after is None or probe.id not in before.by_probe or probe.id not in after.by_probe:
        return None
    return before.by_probe[probe.id], after.by_probe[probe.id]


def _broken(pairs: Iterable[tuple[Reply, Reply] | None]) -> Flips:
    right = [after.correct for pair in pairs if pair for before, after in (pair,) if before.correct]
    return Flips(sum(not after for after in right), len(right))


def _kept(flips: Flips) -> float | None:
    return None if flips.rate is None else 1 - flips.rate


def _accuracy(case: Case, asked: Iterable[tuple[Asked, int]]) -> float | None:
    """Chance-corrected accuracy of probes, each after the stage beside it.

    A trial that was not asked then is asked at its end instead: all that a reference has which learns at once. One
    that has ended before that stage says nothing.
    """
    moments = [(probe, stage, case.trial.after(stage) or case.trial.last) for probe, stage in asked]
    marks = [
        (moment.by_probe[probe.id].correct, probe.chance)
        for probe, stage, moment in moments
        if moment.stage >= stage and probe.id in moment.by_probe
    ]
    return mean((right - chance) / (1 - chance) for right, chance in marks)
