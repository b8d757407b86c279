"""Recorded trials in, whether things learnt at different stages work together out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.desiderata.contract import Asked, Case, Desideratum, Moment, Score, above_chance, figure, mean
from everlearn.desiderata.sequence import LEAST_GAIN

Atoms = Mapping[tuple[str, str], Sequence[Asked]]
"""Atom probes by family and key."""


@dataclass(frozen=True)
class Ratios:
    """Chance-corrected accuracy over joint training's, family by family."""

    by_family: Mapping[str, float]
    weak: tuple[str, ...]
    """Families in which joint training itself stays below LEAST_GAIN: such a ratio is noise."""

    @property
    def note(self) -> str:
        """Which families are left out."""
        out = f"joint training itself composes less than {LEAST_GAIN} above chance"
        return f"without {', '.join(self.weak)}: {out}" if self.weak else ""


def ratios(case: Case, probes: Sequence[Asked]) -> Ratios:
    """s / s of joint training at the end, in each family that both were asked about."""
    families: dict[str, list[Asked]] = defaultdict(list)
    for probe in probes:
        families[probe.family].append(probe)
    found, weak = {}, []
    for family, own in sorted(families.items()):
        learnt, top = above_chance(case.trial.last, own), above_chance(case.joint.last, own) if case.joint else None
        if learnt is None or top is None:
            continue
        if top < LEAST_GAIN - 1e-9:
            weak.append(family)
        else:
            found[family] = learnt / top
    return Ratios(found, tuple(weak))


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

        - CS: mean over families of s / s of joint training, s the chance-corrected accuracy on compositions at the end;
          `within`: operands of one stage, `cross`: of several. Families in which joint training itself stays below
          LEAST_GAIN are left out; where none remains it is undefined.
        - CS_cross: mean of `cross`, latent and explicit; one of them where the other is undefined
        - penalty: mean of CS_within − CS_cross over the families that have both
        - CC = P(composition right | all atoms right); `CC over joint` divides it by joint training's
        - composition gap = 1 − CC (the compositionality gap of Press et al. 2023, 2210.03350)
        """
        probes = case.chosen(lambda asked: asked.axis == "composition" and bool(asked.atoms))
        latent, explicit = ([probe for probe in probes if probe.explicit == said] for said in (False, True))
        return (
            _cross(case, latent, explicit),
            *_apart(case, "latent", latent),
            *_apart(case, "explicit", explicit),
        )


def _apart(case: Case, sort: str, probes: Sequence[Asked]) -> tuple[Score, ...]:
    inner, outer = [probe for probe in probes if len(probe.stages) < 2], _across(probes)
    within, across = ratios(case, inner).by_family, ratios(case, outer).by_family
    penalty = mean(within[family] - across[family] for family in within if family in across)
    return (
        _against_joint(case, f"CS, {sort}", probes),
        _against_joint(case, f"CS within, {sort}", inner),
        _against_joint(case, f"CS cross, {sort}", outer),
        figure(f"cross-stage penalty, {sort}", penalty, "no family has both within and cross", better="lower"),
        *_on_atoms(case, sort, probes),
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


def _against_joint(case: Case, name: str, probes: Sequence[Asked]) -> Score:
    if case.joint is None:
        return Score(name, None, note="no joint reference")
    found = ratios(case, probes)
    return figure(name, mean(found.by_family.values()), found.note or "no such probes", note=found.note)


def _cross(case: Case, latent: Sequence[Asked], explicit: Sequence[Asked]) -> Score:
    """Of both sorts alike, however many probes each has."""
    parts = [_against_joint(case, sort, _across(own)) for sort, own in (("latent", latent), ("explicit", explicit))]
    known = [part for part in parts if part.value is not None]
    alone = [f"{known[0].name} ones only"] if len(known) == 1 else []
    notes = "; ".join(dict.fromkeys((*alone, *(part.note for part in known or parts if part.note))))
    return figure("CS_cross", mean(part.value for part in known), notes, note=notes)


def _across(probes: Sequence[Asked]) -> list[Asked]:
    return [probe for probe in probes if len(probe.stages) > 1]


def _known(moment: Moment, wordings: Sequence[Asked]) -> bool:
    marks = [moment.by_probe[probe.id].correct for probe in wordings if probe.id in moment.by_probe]
    return bool(marks) and 2 * sum(marks) >= len(marks)
