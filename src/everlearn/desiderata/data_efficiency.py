"""Recorded trials in, how learning in weights compares with reading the same content in context, out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from everlearn.desiderata.contract import Asked, Case, Desideratum, Score, above_chance, figure, share_right
from everlearn.desiderata.efficiency import (
    learning_curve,
    middle_share,
    reading_tokens,
    share_to_reach,
    training_flops,
)
from everlearn.desiderata.sequence import atoms_by_stage

READS = 0.5
"""Chance-corrected accuracy on atoms, with notes in context, below which the base does not read: nothing is held
against it then, as to do better than somebody who cannot read says little."""

IN_CONTEXT_SKILL = "reading"
"""The general skill whose questions bring the passage that answers them."""

NO_CONTEXT = "no in-context reference"


def reading_accuracy(case: Case) -> float | None:
    """Chance-corrected accuracy of the in-context reference on atoms that are asked for by name; None without any."""
    atoms = case.chosen(lambda asked: asked.axis == "atom" and asked.cue != "uncued")
    return above_chance(case.context.last, atoms) if case.context else None


class DataEfficiency(Desideratum):
    """The updated model without notes against the base with the notes that suffice."""

    question: ClassVar[str] = "Does it learn as much from the same content as reading it in context gives?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """G_ICL by axis, exposures to match, break-even queries, change of in-context use.

        - G_ICL = A(base, notes in context) − A(updated, no context), chance-corrected, on identical probes at the end;
          below 0 where weights do better (cf. 2505.00661). Undefined where `reading_accuracy` is below READS.
        - to match context: median share of a stage's steps until the stage's atoms reach what context gives; likewise
        - break-even queries = FLOPs of training / (2 · parameters · tokens of notes): questions after which learning
          was cheaper than reading
        - in-context change = A(updated, context) − A(base, context): share right on the general skill `reading`, whose
          questions bring their passage; below 0 where learning has harmed the use of context
        """
        probes = case.chosen(lambda asked: asked.axis != "general")
        axes = ("atom", "derived", "composition")
        return (
            _score(case, "G_ICL", probes),
            *(_score(case, f"G_ICL {axis}", [probe for probe in probes if probe.axis == axis]) for axis in axes),
            _match(case),
            _break_even(case),
            _harm(case),
        )


def _gap(case: Case, probes: Sequence[Asked]) -> float | None:
    if case.context is None or _unread(case):
        return None
    read, learnt = above_chance(case.context.last, probes), above_chance(case.trial.last, probes)
    return None if read is None or learnt is None else read - learnt


def _unread(case: Case) -> str:
    """Why nothing can be held against reading in context; empty where it can."""
    read = reading_accuracy(case)
    if case.context is None:
        return NO_CONTEXT
    if read is None:
        return "no atoms tell whether the base reads its context"
    return f"the base reads its context poorly: {read:.2f} above chance on atoms" if read < READS - 1e-9 else ""


def _score(case: Case, name: str, probes: Sequence[Asked]) -> Score:
    return figure(name, _gap(case, probes), _unread(case) or "no such probes", better="lower")


def _match(case: Case) -> Score:
    name = "to match context"
    if case.context is None or _unread(case):
        return Score(name, None, "lower", "stages", _unread(case))
    shares = []
    for stage, probes in atoms_by_stage(case).items():
        level = above_chance(case.context.last, probes)
        curve = learning_curve(case, stage)
        if curve and level is not None:
            shares.append(share_to_reach(curve, level))
    return middle_share(shares, name)


def _break_even(case: Case) -> Score:
    """Learning pays back in the tokens of notes that a question no longer carries, less those that it still does."""
    tokens, spent = reading_tokens(case), training_flops(case)
    saved = (tokens or 0.0) - case.trial.last.prompt_tokens
    why = "tokens of notes were not counted" if not tokens else "nothing was trained"
    if tokens and saved <= 0:
        why = "its own notes are as long as those of the reference"
    value = spent / (2 * case.parameters * saved) if tokens and saved > 0 and case.parameters and spent else None
    return figure("break-even queries", value, why, better="lower", unit="questions")


def _harm(case: Case) -> Score:
    probes = case.chosen(lambda asked: asked.axis == "general" and asked.kind == IN_CONTEXT_SKILL)
    before, after = share_right(case.base, probes), share_right(case.trial.last, probes)
    value = None if before is None or after is None else after - before
    return figure("in-context change", value, f"no general questions of the skill `{IN_CONTEXT_SKILL}` were asked")
