"""Cases of two methods in, a verdict on each kind of probe, corrected for there being several, out.

Each axis is judged on what is right after the whole stream. Beside these stands a comparison at matched new-task score:
of the atoms that *both* methods had right at the end of the stage that taught them, how many are still right at the
end. Who learns little has little to forget, so that backward transfer alone would reward it; here both are asked about
the same things, all of which both had learnt.
"""

from __future__ import annotations

from collections.abc import Sequence

from everlearn.bench.statistics import Mark, Verdict, compare, judge, marks
from everlearn.desiderata.contract import Case
from everlearn.desiderata.sequence import atoms_by_stage

AXES = ("atom", "derived", "composition", "adapt", "resist", "scope", "near", "far", "boundary", "general")
"""In the order in which they are judged."""

KEPT = "kept, of what both had learnt"
"""The axis of the comparison at matched new-task score."""


def contrast(cases: Sequence[Case], a: str, b: str) -> tuple[Verdict, ...]:
    """a − b on every axis that both were asked about, by the streams that both have finished."""
    pairs = _pairs(cases, a, b)
    there = {asked.axis for one, _ in pairs for asked in one.probes}
    axes = sorted(there, key=lambda axis: (AXES.index(axis) if axis in AXES else len(AXES), axis))
    verdicts = [_on_axis(axis, pairs) for axis in axes]
    kept = [_still_right(one, other) for one, other in pairs]
    of_a = [mark for own, _ in kept for mark in own]
    verdicts.append(compare(KEPT, of_a, [mark for _, own in kept for mark in own]))
    return judge([verdict for verdict in verdicts if verdict.probes])


def _pairs(cases: Sequence[Case], a: str, b: str) -> list[tuple[Case, Case]]:
    of_b = {case.trial.stream: case for case in cases if case.trial.method == b}
    own = [case for case in cases if case.trial.method == a]
    return [(case, of_b[case.trial.stream]) for case in own if case.trial.stream in of_b]


def _on_axis(axis: str, pairs: Sequence[tuple[Case, Case]]) -> Verdict:
    asked = [_of_axis(axis, one) for one, _ in pairs]
    of_a = [mark for ids, (case, _) in zip(asked, pairs, strict=True) for mark in _marked(case, ids)]
    of_b = [mark for ids, (_, case) in zip(asked, pairs, strict=True) for mark in _marked(case, ids)]
    return compare(axis, of_a, of_b)


def _of_axis(axis: str, case: Case) -> set[str]:
    """Ids of an axis' probes; of atoms, those that no later stage rightly changes."""
    probes = case.chosen(lambda asked: asked.axis == axis)
    if axis == "atom":
        probes = [asked for atoms in atoms_by_stage(case).values() for asked in atoms]
    return {asked.id for asked in probes}


def _marked(case: Case, ids: set[str]) -> tuple[Mark, ...]:
    return marks(case, lambda asked: asked.id in ids)


def _still_right(one: Case, other: Case) -> tuple[list[Mark], list[Mark]]:
    """Marks of both at the end, on the atoms that both had right after their own stage; not those that a later stage
    rightly changes, nor those of the last stage, which nothing comes after."""
    chosen: set[str] = set()
    for stage, probes in atoms_by_stage(one).items():
        then = [case.trial.after(stage) for case in (one, other)]
        if stage == one.stages or not all(then):
            continue
        for asked in probes:
            replies = [moment.by_probe.get(asked.id) for moment in then if moment]
            if all(reply and reply.correct for reply in replies):
                chosen.add(asked.id)
    return list(_marked(one, chosen)), list(_marked(other, chosen))
