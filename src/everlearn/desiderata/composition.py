"""Recorded trials in, whether things learnt at different stages work together out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import ClassVar

from everlearn.desiderata.contract import Asked, Case, Desideratum, Moment, Score, above_chance, figure
from everlearn.desiderata.sequence import LEAST_GAIN

Atoms = Mapping[tuple[str, str], Sequence[Asked]]
"""Atom probes by family and key."""


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

        - CS = s / s of joint training, s the chance-corrected accuracy on compositions at the end; `within`: operands
          of one stage, `cross`: of several. Undefined where joint training itself stays below LEAST_GAIN: such a ratio
          is noise.
        - penalty = CS_within − CS_cross
        - CC = P(composition right | all atoms right); `CC over joint` divides it by joint training's
        - composition gap = 1 − CC (the compositionality gap of Press et al. 2023, 2210.03350)
        """
        probes = case.chosen(lambda asked: asked.axis == "composition")
        return (
            _against_joint(case, "CS_cross", _across(probes)),
            *_apart(case, "latent", [probe for probe in probes if not probe.explicit]),
            *_apart(case, "explicit", [probe for probe in probes if probe.explicit]),
        )


def _apart(case: Case, sort: str, probes: Sequence[Asked]) -> tuple[Score, ...]:
    within = _against_joint(case, f"CS within, {sort}", [probe for probe in probes if len(probe.stages) < 2])
    across = _against_joint(case, f"CS cross, {sort}", _across(probes))
    both = within.value is not None and across.value is not None
    penalty = (within.value or 0.0) - (across.value or 0.0) if both else None
    return (
        _against_joint(case, f"CS, {sort}", probes),
        within,
        across,
        figure(f"cross-stage penalty, {sort}", penalty, within.note or across.note, better="lower"),
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
    own, joint = above_chance(case.trial.last, probes), above_chance(case.joint.last, probes)
    if own is None or joint is None:
        return Score(name, None, note="no such probes")
    if joint < LEAST_GAIN - 1e-9:
        return Score(name, None, note=f"joint training itself composes only {joint:.2f} above chance")
    return Score(name, own / joint)


def _across(probes: Sequence[Asked]) -> list[Asked]:
    return [probe for probe in probes if len(probe.stages) > 1]


def _known(moment: Moment, wordings: Sequence[Asked]) -> bool:
    marks = [moment.by_probe[probe.id].correct for probe in wordings if probe.id in moment.by_probe]
    return bool(marks) and 2 * sum(marks) >= len(marks)
