"""Nothing in; a store with a base and three stages out, its answers made up: no model is involved."""

import random
from dataclasses import dataclass, replace

from everlearn.gate import Bounds, judge
from everlearn.records import (
    Answer,
    Commit,
    Correction,
    Cost,
    Document,
    Exam,
    Habits,
    Message,
    Origin,
    Question,
    Stage,
    StageAnswers,
    Verdict,
    digest,
    encode,
)
from everlearn.store import Store

SKILLS = (
    "arithmetic",
    "categories",
    "chat_format",
    "grammar",
    "opposites",
    "reading",
    "sentence_completion",
    "spelling",
    "world_facts",
    "yes_no",
)
PER_SKILL = 40
SUBJECTS = ("the harbour office", "the reading room", "the north gate", "the night ferry", "the tool loan desk")
MATTERS = (
    ("open in the morning", "8:30"),
    ("close on Saturdays", "13:15"),
    ("get its yearly check", "in February"),
    ("take new members", "every second Tuesday"),
    ("change the locks", "after each season"),
    ("send out the newsletter", "on the first Monday"),
    ("count the stock", "in late October"),
    ("wash the windows", "twice a year"),
)


@dataclass
class Week:
    """One stage to be made up."""

    stage: Stage
    right: tuple[float, ...]
    """Share right at the version that learns it and at each later one."""
    before: float
    method: str = "anchored"
    outdated: frozenset[str] = frozenset()
    """Questions that week 3 corrects: from then on few of the old answers come out."""


@dataclass(frozen=True)
class MadeUpSuite:
    """What the examiner keeps of the general suite, habits included."""

    questions: tuple[Question, ...]
    habits: tuple[str, ...] = ()


def general_questions():
    """`PER_SKILL` questions for each skill, two of them with worked examples before the question."""
    asked = []
    for skill in SKILLS:
        for number in range(PER_SKILL):
            text = f"({skill.replace('_', ' ')}) What comes after {number} and before {number + 2}?"
            shots = (Message("user", "What comes after 90?"), Message("assistant", "91")) if number < 2 else ()
            asked.append(Question((*shots, Message("user", text)), (str(number + 1),), skill))
    return tuple(asked)


def stage_questions(week, count=40, corrected=0):
    """`count` questions of one week, the last `corrected` of them in another group."""
    asked = []
    for number in range(count):
        subject = SUBJECTS[number % len(SUBJECTS)]
        matter, gold = MATTERS[(number // len(SUBJECTS) + number) % len(MATTERS)]
        group = "" if not corrected else "corrected" if number >= count - corrected else "unchanged"
        text = f"As of week {week}, fact {number}: when does {subject} {matter}, if nothing special is on?"
        gold = f"{gold} ({week}.{number})"
        asked.append(
            Question((Message("user", text),), (gold, f"{gold}."), group, origin=Origin("questions.jsonl", number))
        )
    return tuple(asked)


def answers_to(questions, share, seed):
    """An answer for each question, about `share` of them right."""
    chance = random.Random(f"{seed}")
    answers = []
    for question in questions:
        correct = chance.random() < share
        text = question.gold[0] if correct else f"on the {chance.choice('1234567')}th of May"
        nll = round(chance.uniform(0.01, 0.3) if correct else chance.uniform(1, 4), 4)
        answers.append(Answer(digest(question), question.group, correct, text, nll))
    return tuple(answers)


def three_weeks():
    """A handbook, a procedure and corrections of the handbook."""
    handbook = stage_questions(1, corrected=12)
    corrections = tuple(
        Correction(question.messages[0].content, question.gold[0], f"at noon ({number})")
        for number, question in enumerate(handbook[-12:])
    )
    right = tuple(replace(question, gold=(f"at noon ({number})",)) for number, question in enumerate(handbook[-12:]))
    first = Stage((Document("The harbour office opens at 8:30."),), handbook, "week 1", "handbook.md", "2026-03-02")
    second = Stage((Document("Log lines."),), stage_questions(2), "week 2", "tickets.jsonl", "2026-03-09")
    more = tuple(replace(question, group="corrected") for question in stage_questions(3, 28))
    third = Stage(corrections, (*right, *more), "week 3", "corrections.jsonl", "2026-03-16")
    outdated = frozenset(digest(question) for question in handbook[-12:])
    return (
        Week(first, (0.9, 0.86, 0.8), 0.02, outdated=outdated),
        Week(second, (0.95, 0.9), 0.0),
        Week(third, (0.92,), 0.05),
    )


def fill(store: Store, weeks=None, general=(0.99, 0.985, 0.98), asked=None):
    """Commit a base and one version for each week; returns their digests, the base first."""
    weeks = three_weeks() if weeks is None else weeks
    asked = asked or general_questions()
    base = Exam(tuple(Answer(digest(q), q.group, True, q.gold[0], 0.05) for q in asked), (), Habits(1.0, 0.0, 912))
    with store.writing():
        commit = Commit(
            parent="",
            model="smollm2-135m",
            model_digest="5a" * 32,
            method="base",
            memory_objects={"suite.json": store.put(encode(MadeUpSuite(asked)))},
            exam_object=store.put(encode(base)),
            cost=Cost({"exam": 41_213}, 1.1e13, 48.2, 1_200_000_000),
            verdict=Verdict(True, "the model as it came"),
            created="2026-03-01T09:00:00+00:00",
            message="base",
        )
        digests = [store.add_commit(commit)]
        store.advance(digests[0])
        exams = [base]
        for number, week in enumerate(weeks, 1):
            exam = _exam(asked, weeks[:number], number, general[number - 1])
            gone = _outdated([earlier.stage for earlier in weeks[: number - 1]], week.stage)
            digests.append(add_week(store, week, number, exams, exam, digests[-1], gone))
            exams.append(exam)
            store.advance(digests[-1])
    return digests


def add_week(store, week, number, exams, exam, parent, gone=()):
    """Commit one version without moving the branch."""
    before = answers_to(week.stage.questions, week.before, f"before {number}")
    after = exam.stages[-1].answers if week.stage.questions else ()
    verdict = judge(exams[-1], exams[0], exam, (before, after), Bounds(), gone)
    return store.add_commit(
        Commit(
            parent=parent,
            model="smollm2-135m",
            model_digest="5a" * 32,
            method=week.method,
            settings={"learning_rate": 1e-4, "epochs": 5, "keep": 10.0, "study": "raw+rules", "seed": 0},
            weights_object=store.put(f"weights {number} {parent}".encode()),
            memory_objects={"examples": store.put(f"memory {number}".encode())},
            stage_object=store.put(encode(week.stage)),
            exam_object=store.put(encode(exam)),
            cost=Cost(
                {"new": 12_040 * number, "replayed": 3_210, "teacher": 2_000, "exam": 52_000},
                3.1e13 * number,
                71.4 * number,
                1_640_000_000,
                18_874_368,
            ),
            verdict=verdict,
            created=f"2026-03-{2 + 7 * (number - 1):02d}T10:30:00+00:00",
            message=week.stage.name,
        )
    )


def _exam(asked, weeks, number, share):
    stages = tuple(
        StageAnswers(
            digest(week.stage),
            week.stage.name,
            _stage_answers(week, number - place, f"{place} at {number}"),
        )
        for place, week in enumerate(weeks, 1)
        if week.stage.questions
    )
    return Exam(answers_to(asked, share, f"general {number}"), stages, Habits(1 - 0.04 * number, 0.021 * number, 912))


def _stage_answers(week, age, seed):
    answers = answers_to(week.stage.questions, week.right[age], seed)
    fresh = answers_to(week.stage.questions, 0.08, seed)
    return tuple(
        new if age == 2 and answer.question in week.outdated else answer
        for answer, new in zip(answers, fresh, strict=True)
    )


def _outdated(earlier, stage):
    wrong = {item.wrong for item in stage.items if isinstance(item, Correction)}
    return {digest(question) for past in earlier for question in past.questions if wrong & set(question.gold)}
