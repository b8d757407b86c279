"""A request and a model at the request's parent in, an examined and judged commit in the store out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from everlearn import memory as memories
from everlearn.examiner import Suite, answer_all, examine, more_likely, texts_known
from everlearn.gate import Bounds, judge
from everlearn.lineage import Lineage
from everlearn.methods.contract import Method
from everlearn.model.delta import encode_delta
from everlearn.model.language_model import LanguageModel
from everlearn.records import (
    Answer,
    Commit,
    Correction,
    Exam,
    Example,
    Question,
    Stage,
    Verdict,
    decode,
    digest,
    encode,
    now,
)
from everlearn.settings import with_values
from everlearn.stacking import method_called
from everlearn.store import Store
from everlearn.study.corrections import supersedes
from everlearn.study.lesson import Lesson, prepare_lesson
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Progress, Run

OWN_QUESTIONS = 40
"""Training examples that stand in for questions where a stage brings none."""


class Learnt(NamedTuple):
    """The outcome of one stage."""

    digest: str
    commit: Commit
    exam: Exam
    before: Exam
    """The parent's recorded exam; what it knew of the new stage is in the verdict's `learnt`."""


@dataclass(frozen=True)
class Request:
    """Everything that decides what a run will do; a run can only be resumed by the same request."""

    parent: str
    stage: Stage
    method: str
    settings: dict[str, Any]
    study: str
    seed: int
    message: str


@dataclass(frozen=True)
class Teaching:
    """Where a request is carried out, and who is told of it."""

    store: Store
    model: LanguageModel
    bounds: Bounds
    tell: Callable[[Progress], None]
    checkpoint_seconds: float

    @property
    def lineage(self) -> Lineage:
        """What the store's commits say of each other."""
        return Lineage(self.store)

    def run(self, request: Request) -> Learnt:
        """Study, train, examine, judge; the branch moves if the gate accepts. The model ends as the new version."""
        method: Method = with_values(method_called(request.method), request.settings)
        meter = Meter(self.model.parameters)
        checkpoints = Checkpoints(self.store.running_path("work"), meter, self.checkpoint_seconds)
        run = Run(request.seed, meter, checkpoints, self.tell)
        parent = self.store.commit(request.parent)
        lesson = checkpoints.once("lesson", Lesson, lambda: self._study(request, meter))
        asked = request.stage.questions or _own_questions(lesson)
        before = checkpoints.once("before", list[Answer], lambda: self._known(asked, lesson, meter))
        memory = memories.recall(self.store, parent.memory_objects)
        memory = _without(memory, lesson.retired)
        self.model.serve(None)
        try:
            memory = method.learn(self.model, lesson.examples, memory, run)
        finally:
            self.model.forget()
        return self._commit(request, method, lesson, memory, (asked, before), meter)

    def _study(self, request: Request, meter: Meter) -> Lesson:
        earlier = self.lineage.examples(request.parent)
        before = self.model.tokens_read
        lesson = prepare_lesson(
            request.stage.items,
            request.study,
            earlier,
            self.model,
            request.seed,
            lambda number, count: self.tell(Progress("studying", number, count)),
        )
        meter.read("study", self.model.tokens_read - before)
        return lesson

    def _commit(
        self,
        request: Request,
        method: Method,
        lesson: Lesson,
        memory: dict[str, Any],
        asked: tuple[Sequence[Question], list[Answer]],
        meter: Meter,
    ) -> Learnt:
        """Store the new version, examine it, judge it, and move the branch or set it aside."""
        delta = encode_delta(self.model)
        stage_object = self.store.put(encode(request.stage))
        stages = [*self.lineage.stages(request.parent), (stage_object, request.stage)]
        method.serve(self.model, memory)
        self.tell(Progress("exam", 0, 0))
        exam = examine(self.model, self._suite(), stages, meter, lambda question: method.prompt(question, memory))
        after = _latest(exam, stage_object) or self._known(asked[0], lesson, meter)
        if not asked[0]:
            after = more_likely(asked[1], after)
        before = self.lineage.exam(request.parent)
        verdict = self._judge(request, before, exam, (asked[1], after))
        kept = memories.keep(self.store, memory)
        weights = self.store.put(delta)
        commit = Commit(
            parent=request.parent,
            model=self.model.name,
            model_digest=self.model.digest,
            method=request.method,
            settings={**request.settings, "study": request.study, "seed": request.seed},
            weights_object=weights,
            memory_objects=kept,
            routed=method.chooses(),
            stage_object=stage_object,
            examples_object=self.store.put(encode(lesson)),
            exam_object=self.store.put(encode(exam)),
            cost=meter.cost(self._bytes_kept(request.parent, weights, kept)),
            verdict=verdict,
            created=now(),
            message=request.message or request.stage.name,
        )
        name = self.store.add_commit(commit)
        if verdict.accepted:
            self.store.advance(name)
        else:
            self.store.reject(name)
        self.store.clear_running()
        return Learnt(name, commit, exam, before)

    def _known(self, asked: Sequence[Question], lesson: Lesson, meter: Meter) -> list[Answer]:
        """Answers to the stage's questions; where there are none to ask, how likely its texts are."""
        if asked:
            return answer_all(self.model, asked, meter)
        return texts_known(self.model, lesson.examples[:OWN_QUESTIONS], meter)

    def _judge(
        self, request: Request, before: Exam, exam: Exam, learnt: tuple[Sequence[Answer], Sequence[Answer]]
    ) -> Verdict:
        corrections = [item for item in request.stage.items if isinstance(item, Correction)]
        superseded = {
            digest(question)
            for _, stage in self.lineage.stages(request.parent)
            for question in stage.questions
            if any(supersedes(correction, question) for correction in corrections)
        }
        return judge(before, self.lineage.exam("base"), exam, learnt, self.bounds, superseded)

    def _bytes_kept(self, parent: str, weights: str, kept: dict[str, str]) -> int:
        """Bytes of weights and memory that were not in the store before this commit."""
        old = {*self.store.commit(parent).memory_objects.values(), self.store.commit(parent).weights_object}
        return sum(self.store.size(name) for name in {weights, *kept.values()} - old)

    def _suite(self) -> Suite:
        """The general exam of this lineage."""
        root = self.store.commit(self.lineage.root())
        return decode(Suite, self.store.get(root.memory_objects["suite.json"]))


def _own_questions(lesson: Lesson) -> tuple[Question, ...]:
    """Some of the training examples as questions: enough to tell whether anything was trained."""
    asked = []
    for example in lesson.examples:
        last = example.messages[-1]
        if last.role == "assistant" and last.learn:
            asked.append(Question(example.messages[:-1], (last.content,), "training example"))
    step = max(1, len(asked) // OWN_QUESTIONS)
    return tuple(asked[::step][:OWN_QUESTIONS])


def _without(memory: dict[str, Any], retired: Sequence[Example]) -> dict[str, Any]:
    """A memory that no longer holds what the stage makes wrong."""
    gone = {digest(example) for example in retired}
    kept = dict(memory)
    for name in memory if gone else ():
        if memories.holds_examples(name):
            kept[name] = [example for example in memory[name] if digest(example) not in gone]
    return kept


def _latest(exam: Exam, stage_object: str) -> Sequence[Answer]:
    return next((stage.answers for stage in exam.stages if stage.stage == stage_object), ())
