"""A store in, what its commits say of each other out: stages, exams and examples along a line of descent."""

from __future__ import annotations

from everlearn.errors import ModelError
from everlearn.records import Commit, Exam, Example, Stage, decode
from everlearn.store import Store
from everlearn.study.lesson import Lesson


class Lineage:
    """Reads commits and what they name; writes nothing."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def root(self) -> str:
        """Digest of the base commit of the current branch; empty in a new store."""
        branches = self.store.branches()
        if not branches:
            return ""
        return self.store.history(next(iter(branches.values())))[-1].digest

    def model_name(self, wanted: str, chosen: bool) -> str:
        """The model of this store; `wanted` in a new one.

        Raises:
            ModelError: a model was chosen that is not the store's.
        """
        root = self.root()
        if not root:
            return wanted
        name = self.store.commit(root).model
        if chosen and wanted != name:
            raise ModelError(
                f"this store holds versions of {name}, not of {wanted}",
                "use another folder for another model",
            )
        return name

    def line(self, reference: str) -> list[tuple[str, Commit]]:
        """Commits from the base to `reference`."""
        return [(entry.digest, entry.commit) for entry in reversed(self.store.history(reference))]

    def stages(self, reference: str) -> list[tuple[str, Stage]]:
        """Digest and content of each stage that a version has learnt, in order."""
        named = [commit.stage_object for _, commit in self.line(reference) if commit.stage_object]
        return [(name, decode(Stage, self.store.get(name))) for name in named]

    def examples(self, reference: str) -> list[Example]:
        """All training examples on the way to a version, without those that a later stage retired."""
        kept: dict[Example, None] = {}
        for _, commit in self.line(reference):
            if commit.examples_object:
                lesson = decode(Lesson, self.store.get(commit.examples_object))
                for example in lesson.retired:
                    kept.pop(example, None)
                kept.update(dict.fromkeys(lesson.examples))
        return list(kept)

    def exam(self, reference: str) -> Exam:
        """The recorded exam of a version."""
        name = "base" if reference == "base" else reference
        commit = self.store.commit(self.root() if name == "base" else name)
        return decode(Exam, self.store.get(commit.exam_object))
