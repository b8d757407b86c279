"""A model and questions in, recorded answers out; the same for every method.

The general suite is fixed once, on the base: candidate questions that the base answers right, and the base's own
replies to everyday prompts. Both travel with every commit, so that all versions are asked the same.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from everlearn.general import candidates
from everlearn.grade import Reply as GradedReply
from everlearn.grade import check
from everlearn.habits import HabitText, measure, write_habits
from everlearn.model.language_model import LanguageModel
from everlearn.records import Answer, Exam, Example, Question, Stage, StageAnswers, digest
from everlearn.train.meter import Meter

REPLY_LIMIT = 33
"""Tokens a generated reply may take."""

SURE = 0.5
"""Nats by which the base's answer must lead for a general question to be one that it can do.

Logits of about 20 in bf16 come in steps of 0.125, so smaller leads are luck: relative noise of 0.5 % on all weights,
which teaches nothing, turns 5 % of the answers that were right by any lead (docs/decisions.md).
"""

PER_SKILL = 30
"""General questions of each skill, at most."""

SPARE = 1.4
"""Candidates asked at once for each general question that is still missing."""

CLEARLY = 0.05
"""Nats per token by which a text must have become more likely to count as learnt."""

Ask = Callable[[Question], Question]
"""What a method makes of a question before it is asked."""


@dataclass(frozen=True)
class Suite:
    """The general exam of one lineage."""

    questions: tuple[Question, ...]
    habits: tuple[HabitText, ...]


def first_asked() -> list[Question]:
    """The candidates that a base model is asked in any case; more follow where it fails."""
    waiting: dict[str, list[Question]] = defaultdict(list)
    for question in candidates():
        waiting[question.group].append(question)
    return [question for group in waiting.values() for question in group[: math.ceil(SPARE * PER_SKILL)]]


def make_suite(model: LanguageModel, meter: Meter, per_skill: int = PER_SKILL) -> tuple[Suite, Exam]:
    """The suite for a base model, and the base's own exam: at most `per_skill` questions that it surely can do.

    No more candidates are asked than that takes.
    """
    waiting: dict[str, list[Question]] = defaultdict(list)
    for question in candidates():
        waiting[question.group].append(question)
    kept: dict[str, list[tuple[Question, Answer]]] = {group: [] for group in waiting}
    while True:
        asked: list[Question] = []
        for group, open_still in waiting.items():
            missing = per_skill - len(kept[group])
            asked += open_still[: math.ceil(SPARE * missing)]
            del open_still[: math.ceil(SPARE * missing)]
        if not asked:
            break
        for question, answer in zip(asked, answer_all(model, asked, meter), strict=True):
            if _can_do(question, answer) and len(kept[question.group]) < per_skill:
                kept[question.group].append((question, answer))
    chosen = [pair for pairs in kept.values() for pair in pairs]
    suite = Suite(tuple(question for question, _ in chosen), write_habits(model))
    return suite, Exam(tuple(answer for _, answer in chosen), (), measure(model, suite.habits))


def _can_do(question: Question, answer: Answer) -> bool:
    return answer.correct and (question.grade != "exact" or answer.lead >= SURE)


def examine(
    model: LanguageModel,
    suite: Suite,
    stages: Sequence[tuple[str, Stage]],
    meter: Meter,
    ask: Ask | None = None,
) -> Exam:
    """Ask the general suite and every stage's questions; `stages` are pairs of stage digest and stage."""
    general = answer_all(model, suite.questions, meter, ask)
    by_stage = tuple(
        StageAnswers(name, stage.name, tuple(answer_all(model, stage.questions, meter, ask)))
        for name, stage in stages
        if stage.questions
    )
    meter.read("exam", sum(len(text.ids) for text in suite.habits))
    return Exam(tuple(general), by_stage, measure(model, suite.habits))


def answer_all(
    model: LanguageModel, questions: Sequence[Question], meter: Meter, ask: Ask | None = None
) -> list[Answer]:
    """One answer for each question, in order; a question that cannot be asked is an answer with an error."""
    posed = [ask(question) if ask else question for question in questions]
    forced = [index for index, question in enumerate(posed) if question.grade == "exact"]
    free = [index for index, question in enumerate(posed) if question.grade != "exact"]
    answers: dict[int, Answer] = {}
    answers.update(_force(model, posed, forced, meter))
    answers.update(_generate(model, posed, free, meter))
    return [
        replace(answers[index], question=digest(question), group=question.group)
        for index, question in enumerate(questions)
    ]


def texts_known(model: LanguageModel, examples: Sequence[Example], meter: Meter) -> list[Answer]:
    """For stages of which nothing can be asked: how likely each text is. `correct` is for `more_likely` to say."""
    rows = [model.chat.example(example) for example in examples]
    meter.read("exam", sum(len(row.ids) for row in rows))
    outcomes = model.force(rows)
    return [
        Answer(digest(example), "training text", False, "", outcome.nll)
        for example, outcome in zip(examples, outcomes, strict=True)
    ]


def more_likely(before: Sequence[Answer], after: Sequence[Answer]) -> list[Answer]:
    """`after` with those answers correct whose text became clearly more likely than `before`."""
    return [replace(now, correct=now.gold_nll < was.gold_nll - CLEARLY) for was, now in zip(before, after, strict=True)]


def _force(
    model: LanguageModel, questions: Sequence[Question], chosen: Sequence[int], meter: Meter
) -> dict[int, Answer]:
    """Teacher-forced exact match: right if any accepted answer is the most likely one, token by token."""
    best: dict[int, Answer] = {}
    # the canonical answer is tried first, the others only where it was not the most likely one
    for first in (True, False):
        rows, owners = [], []
        for index in chosen:
            if index in best and (best[index].correct or best[index].error):
                continue
            golds = questions[index].gold[:1] if first else questions[index].gold[1:]
            asked = [model.chat.answered(questions[index], gold) for gold in golds]
            if any(len(row.ids) > model.context for row in asked):
                best[index] = _failed(f"longer than the context of {model.context} tokens")
                continue
            rows += asked
            owners += [index] * len(asked)
        meter.read("exam", sum(len(row.ids) for row in rows))
        for index, outcome in zip(owners, model.force(rows, again=True), strict=True):
            text = model.chat.text(list(outcome.likely))
            if index not in best or (outcome.right and not best[index].correct):
                best[index] = Answer("", "", outcome.right, text, outcome.nll, lead=outcome.lead)
    return best


def _generate(
    model: LanguageModel, questions: Sequence[Question], chosen: Sequence[int], meter: Meter
) -> dict[int, Answer]:
    """Real greedy replies, judged by the question's check."""
    prompts = [model.chat.prompt(questions[index].messages) for index in chosen]
    replies = model.generate(prompts, REPLY_LIMIT)
    meter.read("exam", sum(len(prompt) + len(reply.ids) for prompt, reply in zip(prompts, replies, strict=True)))
    answers = {}
    for index, reply in zip(chosen, replies, strict=True):
        question = questions[index]
        text = model.chat.text(list(reply.ids))
        right = any(
            check(question.grade, gold, GradedReply(text, reply.finished, len(reply.ids))) for gold in question.gold
        )
        answers[index] = Answer("", "", right, text, 0.0)
    return answers


def _failed(reason: str) -> Answer:
    return Answer("", "", False, "", 0.0, reason)
