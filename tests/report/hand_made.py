"""Rows of 1 (right) and 0 (wrong) in, the recording of a line of versions with just these answers out; printing too."""

import io

from rich.console import Console

from everlearn.records import (
    Answer,
    Commit,
    Comparison,
    Exam,
    Habits,
    Message,
    Question,
    Stage,
    StageAnswers,
    Verdict,
    digest,
)
from everlearn.report.recording import Recording, Version


def question(stage, number, group=""):
    """One question of a stage."""
    return Question((Message("user", f"{stage} {number}?"),), (f"{stage} {number}.",), group)


def answers(questions, marks):
    """An answer for each question, right where `marks` has a 1."""
    pairs = zip(questions, marks, strict=True)
    return tuple(Answer(digest(asked), asked.group, mark == "1", f"said {mark}", 1.0) for asked, mark in pairs)


def hand_made(stages, groups=None, before=None, general=(), superseded=None, habits=()):
    """A recording.

    Args:
        stages: by name, the marks at the version that learns the stage and at each later one; the first stage is
            learnt by version 1, the second by version 2, and so on. A stage without marks has no questions.
        groups: by stage, the group of each of its questions.
        before: by stage, how many of how many questions were right before it was learnt, and after.
        general: marks of the general suite for each version, the base first.
        superseded: pairs of stage and question number, each with the version that superseded it.
        habits: pairs of agreement and divergence for each version.
    """
    made = {name: _stage(name, marks, (groups or {}).get(name)) for name, marks in stages.items()}
    suite = [question("general", number) for number in range(len(general[0]) if general else 0)]
    versions = []
    for row in range(len(stages) + 1):
        asked = tuple(
            StageAnswers(digest(made[name]), name, answers(made[name].questions, marks[row - place]))
            for place, (name, marks) in enumerate(stages.items(), 1)
            if place <= row and marks
        )
        measured = Habits(*habits[row], 1000) if habits else None
        exam = Exam(answers(suite, general[row]) if general else (), asked, measured)
        name = list(stages)[row - 1] if row else ""
        versions.append(_version(row, made.get(name), exam, (before or {}).get(name)))
    asked = [*suite, *(entry for stage in made.values() for entry in stage.questions)]
    gone = {digest(made[name].questions[number]): row for (name, number), row in (superseded or {}).items()}
    return Recording(tuple(versions), (), {digest(entry): entry for entry in asked}, gone)


def printed(renderable, width=100):
    """What a terminal of that width shows."""
    console = Console(width=width, file=io.StringIO())
    console.print(renderable)
    return console.file.getvalue()


def _stage(name, marks, groups):
    count = len(marks[0]) if marks else 0
    return Stage((), tuple(question(name, n, groups[n] if groups else "") for n in range(count)), name)


def _version(row, stage, exam, counts):
    learnt = ()
    if counts:
        was, now, asked = counts
        learnt = (Comparison("learnt", was / asked, now / asked, 0.0, 1.0, asked, "pass"),)
    commit = Commit(
        parent=f"parent of {row}" if row else "",
        model="tiny",
        model_digest="0" * 64,
        method="finetune",
        stage_object=digest(stage) if stage else "",
        verdict=Verdict(True, "made by hand", learnt),
        message=f"version {row}",
    )
    return Version(digest(commit), commit, stage, exam)
