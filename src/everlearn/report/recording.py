"""A store in, everything that was recorded along one line of commits out; needs no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from everlearn.records import Answer, Commit, Comparison, Correction, Exam, Question, Stage, decode, digest
from everlearn.store import Store
from everlearn.study.corrections import supersedes


class Version(NamedTuple):
    """A commit with what it learnt and what it answered."""

    digest: str
    commit: Commit
    stage: Stage | None
    """None for the base."""
    exam: Exam

    @property
    def name(self) -> str:
        """What people call it: its stage's name, else its message."""
        if not self.commit.parent:
            return "base"
        return (self.stage.name if self.stage else "") or self.commit.message or self.digest[:8]

    @property
    def learnt(self) -> Comparison | None:
        """The stage's questions before and after learning, as the gate saw them."""
        found = self.commit.verdict.comparisons if self.commit.verdict else ()
        return next((comparison for comparison in found if comparison.name == "learnt"), None)

    def answers(self, stage: str) -> tuple[Answer, ...]:
        """The answers to one stage's questions; none where the stage was not asked."""
        return next((asked.answers for asked in self.exam.stages if asked.stage == stage), ())


class Recording(NamedTuple):
    """A line of versions, the base first."""

    versions: tuple[Version, ...]
    rejected: tuple[Version, ...]
    """What the gate refused along this line, in order of date."""
    questions: dict[str, Question]
    """By digest: the general suite and the questions of all stages."""
    superseded: dict[str, int]
    """Questions whose accepted answer a later stage made wrong, each with the place of that version."""


@dataclass(frozen=True)
class GeneralQuestions:
    """The part of the general suite that a report needs."""

    questions: tuple[Question, ...]


def read_recording(store: Store, reference: str = "head") -> Recording:
    """Everything recorded from the base to `reference`.

    Raises:
        StoreError: nothing is called that, or an object is missing or damaged.
    """
    entries = list(reversed(store.history(reference)))
    versions = tuple(_version(store, entry.digest, entry.commit) for entry in entries)
    rejected = _rejected(store, {version.digest for version in versions})
    asked = [*_general(store, versions[0].commit)]
    for version in (*versions, *rejected):
        asked += version.stage.questions if version.stage else ()
    questions = {digest(question): question for question in asked}
    return Recording(versions, rejected, questions, _superseded(versions))


def _version(store: Store, name: str, commit: Commit) -> Version:
    stage = decode(Stage, store.get(commit.stage_object)) if commit.stage_object else None
    exam = decode(Exam, store.get(commit.exam_object)) if commit.exam_object else Exam(())
    return Version(name, commit, stage, exam)


def _rejected(store: Store, line: set[str]) -> tuple[Version, ...]:
    """Refused children of the line's versions that are not on the line themselves."""
    refused = [(name, store.commit(name)) for name in store.rejected() if name not in line]
    versions = [_version(store, name, commit) for name, commit in refused if commit.parent in line]
    return tuple(sorted(versions, key=lambda version: version.commit.created))


def _general(store: Store, base: Commit) -> tuple[Question, ...]:
    suite = base.memory_objects.get("suite.json")
    return decode(GeneralQuestions, store.get(suite)).questions if suite else ()


def _superseded(versions: tuple[Version, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    earlier: list[Question] = []
    for place, version in enumerate(versions):
        if version.stage:
            corrections = [item for item in version.stage.items if isinstance(item, Correction)]
            for question in earlier:
                if any(supersedes(correction, question) for correction in corrections):
                    found.setdefault(digest(question), place)
            earlier += version.stage.questions
    return found
