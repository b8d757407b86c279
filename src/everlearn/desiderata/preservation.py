"""Recorded trials in, how much of what the base could do is still there out."""

from __future__ import annotations

from collections import defaultdict
from typing import ClassVar

from everlearn.desiderata.contract import (
    Asked,
    Case,
    Desideratum,
    Moment,
    Score,
    above_chance,
    figure,
    mean,
    share_right,
)

NOT_ASKED = "no general questions were asked of both"


class Preservation(Desideratum):
    """General abilities, general text and habits after the last stage, against the untouched base."""

    question: ClassVar[str] = "Does it still do everything that it could do before?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """rho, change, worst skill, NLL of general text, KL to the base; after the last moment.

        - rho = min(1, Σ_k s_T(k) / Σ_k s_0(k)) over general skills k, s chance-corrected
        - general = 1/M Σ_k (g_T(k) − g_0(k)), g the share right (the ΔG of TRACE, 2310.06762)
        - worst skill = min_k (g_T(k) − g_0(k)): the mean hides a skill that is gone
        - general NLL: of held-out text, minus the base's
        - KL: KL(base ‖ model), on text that the base wrote and on its replies to the stream's probes; the latter
          predicts forgetting in 2509.04259
        """
        skills = _skills(case)
        last = case.trial.last
        changes = {name: _change(case.base, last, probes) for name, probes in skills.items()}
        known = {name: change for name, change in changes.items() if change is not None}
        worst = min(known, key=lambda name: known[name], default="")
        return (
            _retention(case, skills),
            figure("general", mean(known.values()), NOT_ASKED),
            figure("worst skill", known.get(worst), NOT_ASKED, note=worst),
            _text(case.base, last),
            figure("KL general", last.kl_general, "not measured", better="lower", unit="nats/token"),
            figure("KL new", last.kl_new, "not measured", better="lower", unit="nats/token"),
        )


def _skills(case: Case) -> dict[str, list[Asked]]:
    """General questions by skill."""
    found: dict[str, list[Asked]] = defaultdict(list)
    for probe in case.chosen(lambda asked: asked.axis == "general"):
        found[probe.kind].append(probe)
    return dict(found)


def _retention(case: Case, skills: dict[str, list[Asked]]) -> Score:
    was = [above_chance(case.base, probes) for probes in skills.values()]
    now = [above_chance(case.trial.last, probes) for probes in skills.values()]
    pairs = [
        (before, after) for before, after in zip(was, now, strict=True) if before is not None and after is not None
    ]
    if not pairs:
        return Score("rho", None, note=NOT_ASKED)
    before, after = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    if before <= 0:
        return Score("rho", None, note="the base is not above chance on the general questions")
    return Score("rho", min(1.0, after / before))


def _change(base: Moment, last: Moment, probes: list[Asked]) -> float | None:
    before, after = share_right(base, probes), share_right(last, probes)
    return None if before is None or after is None else after - before


def _text(base: Moment, last: Moment) -> Score:
    known = base.text_nll is not None and last.text_nll is not None
    value = (last.text_nll or 0.0) - (base.text_nll or 0.0) if known else None
    return figure("general NLL", value, "not measured", better="lower", unit="nats/byte")
