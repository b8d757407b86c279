"""Recorded trials in, whether things learnt at different stages work together out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import ClassVar

from everlearn.desiderata.contract import Asked, Case, Desideratum, Moment, Score, Sort, above_chance, figure, mean
from everlearn.desiderata.sequence import LEAST_GAIN

Atoms = Mapping[tuple[str, str], Sequence[Asked]]
"""Atom probes by family and key."""


def composing(cases: Iterable[Case], least: int = 1) -> frozenset[Sort]:
    """The sorts of composition that joint training does, by all streams together: LEAST_GAIN more than the base does.

    Args:
        cases: those of one method, or of several: a stream counts once.
        least: probes of a sort, over all streams, without which it is left out.
    """
    gains: dict[Sort, list[float]] = defaultdict(list)
    for case in {case.trial.stream: case for case in cases}.values():
        joint = case.joint.last.by_probe if case.joint else {}
        for probe in _compositions(case):
            if probe.id in joint and probe.id in case.base.by_probe:
                gain = joint[probe.id].correct - case.base.by_probe[probe.id].correct
                gains[sort_of(probe)].append(gain / (1 - probe.chance))
    return frozenset(sort for sort, some in gains.items() if len(some) >= least and fmean(some) >= LEAST_GAIN - 1e-9)


def sort_of(probe: Asked) -> Sort:
    """The sort of a composition."""
    return Sort(probe.family, probe.explicit, len(probe.stages) > 1)


def share_of_joint(case: Case, probes: Sequence[Asked]) -> float | None:
    """What is gained on the probes over the base, as a share of what joint training gains; families weigh the same.

    None where there is no joint reference, or it gains less than LEAST_GAIN on this stream.
    """
    families: dict[str, list[Asked]] = defaultdict(list)
    for probe in probes:
        families[probe.family].append(probe)
    gains = [
        (learnt - base, top - base)
        for own in families.values()
        if case.joint
        and (base := above_chance(case.base, own)) is not None
        and (top := above_chance(case.joint.last, own)) is not None
        and (learnt := above_chance(case.trial.last, own)) is not None
    ]
    whole = mean(top for _, top in gains)
    if whole is None or whole < LEAST_GAIN - 1e-9:
        return None
    return fmean(learnt for learnt, _ in gains) / whole


def atoms_by_key(case: Case) -> Atoms:
    """The atom probes that compositions are conditioned on."""
    found: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    for probe in case.chosen(lambda asked: asked.axis == "atom"):
        found[probe.family, probe.key].append(probe)
    return found


def with_known_atoms(moment: Moment, probes: Sequence[Asked], atoms: Atoms) -> list[Asked]:
    """The compositions all of whose atoms are known at a moment: right in at least half of the wordings asked."""
    return [p for p in probes if p.atoms and all(_known(moment, atoms.get((p.family, key), ())) for key in p.atoms)]


def conditioned(moment: Moment, probes: Sequence[Asked], atoms: Atoms) -> float | None:
    """CC = P(composition right | all its atoms right); None where no composition has all its atoms right."""
    marks = [moment.by_probe[p.id].correct for p in with_known_atoms(moment, probes, atoms) if p.id in moment.by_probe]
    return sum(marks) / len(marks) if marks else None


class Composition(Desideratum):
    """Probes that need two or more things, against joint training on the same stream."""

    question: ClassVar[str] = "Does what it learns combine with what it learnt before?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """CS_cross, and latent (answer only) and explicit (bridge first) apart: CS, within, cross, penalty, CC, gap.

        Probes that name no atoms can be answered from one part, and are left out.

        - CS = Σ_f (s_f − s0_f) / Σ_f (sJ_f − s0_f) over families f, s the chance-corrected accuracy on compositions at
          the end, s0 the base's, sJ joint training's; `within`: operands of one stage, `cross`: of several. Only sorts
          that joint training does (see `composing`); undefined where it gains less than LEAST_GAIN on this stream.
        - CS_cross: mean of `cross`, latent and explicit; one of them where the other is undefined
        - penalty: CS_within − CS_cross over the families that have both
        - CC = P(composition right | all atoms right); `CC over joint` divides it by joint training's
        - composition gap = 1 − CC (the compositionality gap of Press et al. 2023, 2210.03350)
        """
        able = composing([case]) if case.composing is None else case.composing
        probes = _compositions(case)
        latent, explicit = ([probe for probe in probes if probe.explicit == said] for said in (False, True))
        return (
            _cross(case, able, latent, explicit),
            *_apart(case, able, "latent", latent),
            *_apart(case, able, "explicit", explicit),
        )


def _compositions(case: Case) -> list[Asked]:
    return case.chosen(lambda asked: asked.axis == "composition" and bool(asked.atoms))


def _apart(case: Case, able: frozenset[Sort], sort: str, probes: Sequence[Asked]) -> tuple[Score, ...]:
    inner, outer = [probe for probe in probes if len(probe.stages) < 2], _across(probes)
    return (
        _against_joint(case, able, f"CS, {sort}", probes),
        _against_joint(case, able, f"CS within, {sort}", inner),
        _against_joint(case, able, f"CS cross, {sort}", outer),
        _penalty(case, able, sort, inner, outer),
        *_on_atoms(case, sort, probes),
    )


def _penalty(case: Case, able: frozenset[Sort], sort: str, inner: Sequence[Asked], outer: Sequence[Asked]) -> Score:
    """By the same families within and across."""
    sides = [[probe for probe in side if sort_of(probe) in able] for side in (inner, outer)]
    both = {probe.family for probe in sides[0]} & {probe.family for probe in sides[1]}
    within, across = (share_of_joint(case, [probe for probe in side if probe.family in both]) for side in sides)
    value = within - across if within is not None and across is not None else None
    return figure(
        f"cross-stage penalty, {sort}", value, "joint training does no family of it both ways", better="lower"
    )


def _on_atoms(case: Case, sort: str, probes: Sequence[Asked]) -> tuple[Score, Score, Score]:
    atoms = atoms_by_key(case)
    known = len(with_known_atoms(case.trial.last, probes, atoms))
    value = conditioned(case.trial.last, probes, atoms)
    ceiling = conditioned(case.joint.last, probes, atoms) if case.joint else None
    none = "no composition has all its atoms right"
    why = none if value is None else "no joint reference" if case.joint is None else "joint training composes nothing"
    counted = f"{known} of {len(probes)} compositions"
    return (
        figure(f"CC, {sort}", value, none, note=counted),
        figure(f"CC over joint, {sort}", value / ceiling if value is not None and ceiling else None, why),
        figure(f"composition gap, {sort}", None if value is None else 1 - value, none, "lower", note=counted),
    )


def _against_joint(case: Case, able: frozenset[Sort], name: str, probes: Sequence[Asked]) -> Score:
    if case.joint is None:
        return Score(name, None, note="no joint reference")
    asked = [probe for probe in probes if sort_of(probe) in able]
    without = sorted({probe.family for probe in probes} - {probe.family for probe in asked})
    note = f"without {', '.join(without)}: joint training does not compose there" if without else ""
    weak = f"on this stream joint training gains less than {LEAST_GAIN}" if asked else note or "no such probes"
    return figure(name, share_of_joint(case, asked), weak, note=note)


def _cross(case: Case, able: frozenset[Sort], latent: Sequence[Asked], explicit: Sequence[Asked]) -> Score:
    """Of both sorts alike, however many probes each has."""
    sorts = (("latent", latent), ("explicit", explicit))
    parts = [_against_joint(case, able, sort, _across(own)) for sort, own in sorts]
    known = [part for part in parts if part.value is not None]
    alone = [f"{known[0].name} ones only"] if len(known) == 1 else []
    notes = "; ".join(dict.fromkeys((*alone, *(part.note for part in known or parts if part.note))))
    return figure("CS_cross", mean(part.value for part in known), notes, note=notes)


def _across(probes: Sequence[Asked]) -> list[Asked]:
    return [probe for probe in probes if len(probe.stages) > 1]


def _known(moment: Moment, wordings: Sequence[Asked]) -> bool:
    marks = [moment.by_probe[probe.id].correct for probe in wordings if probe.id in moment.by_probe]
    return bool(marks) and 2 * sum(marks) >= len(marks)
