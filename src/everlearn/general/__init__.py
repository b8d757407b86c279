"""A seed in, the candidate questions of all general skills out: what a model could do before it was taught."""

from __future__ import annotations

from everlearn import plugins
from everlearn.general.contract import GeneralSkill, in_turns
from everlearn.records import Question


def candidates(seed: int = 0) -> list[Question]:
    """Questions on every skill of this folder, taking turns between the skills.

    Those that the base answers right are the general suite: keep the first so many of each `group`.
    """
    skills = [plugins.find("general", name, GeneralSkill)() for name in plugins.names("general")]  # type: ignore[type-abstract]
    return list(in_turns([skill.questions(seed) for skill in skills]))
