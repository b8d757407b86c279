"""A stage and a method in, an examined and judged commit out; every version can be brought back.

from everlearn import Learner
learner = Learner()
learnt = learner.learn("handbook.md", questions="questions.jsonl")
print(learnt.commit.verdict)
print(learner.ask("When does the harbour office open?"))
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from everlearn import memory as memories
from everlearn import plugins
from everlearn.data import read_items, read_questions
from everlearn.errors import DataError, ModelError, PluginError, SettingsError, StoreError, TrainingError
from everlearn.examiner import Suite, answer_all, examine, make_suite, more_likely, texts_known
from everlearn.gate import Bounds, judge
from everlearn.lineage import Lineage
from everlearn.methods.contract import Method
from everlearn.model.cache import DEFAULT_MODEL
from everlearn.model.delta import decode_delta, encode_delta
from everlearn.model.language_model import LanguageModel
from everlearn.records import (
    Answer,
    Commit,
    Correction,
    Exam,
    Example,
    Item,
    Message,
    Question,
    Stage,
    StageAnswers,
    Verdict,
    decode,
    digest,
    encode,
)
from everlearn.settings import values_of, with_values
from everlearn.store import Store
from everlearn.store.layout import STORE
from everlearn.study.corrections import supersedes
from everlearn.study.lesson import DEFAULT as DEFAULT_STUDY
from everlearn.study.lesson import Lesson, prepare_lesson
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Progress, Run

DEFAULT_METHOD = "anchored"
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


def _silent(progress: Progress) -> None:
    """Nobody is told."""


class Learner:
    """A model that learns stage by stage, with every version in a store."""

    def __init__(
        self,
        folder: str | Path = ".",
        model: str = "",
        bounds: Bounds | None = None,
        tell: Callable[[Progress], None] = _silent,
        checkpoint_seconds: float = 60.0,
    ) -> None:
        """Open the store found from `folder` upwards, or create one there; loads no model yet.

        Args:
            folder: where to look for `.everlearn`.
            model: alias, directory or hub id; by default the store's own model.
            bounds: what a commit may lose; by default 3 % of the general questions.
            tell: is told how far a run has come.
            checkpoint_seconds: work that a crash may lose, at most.
        """
        self.store = _find_or_create(Path(folder))
        self.lineage = Lineage(self.store)
        self.bounds = bounds or Bounds()
        self.tell = tell
        self.checkpoint_seconds = checkpoint_seconds
        self._name = self.lineage.model_name(model or DEFAULT_MODEL, chosen=bool(model))
        self._model: LanguageModel | None = None
        self._at = ""

    @property
    def model(self) -> LanguageModel:
        """The language model, loaded when it is first needed."""
        if self._model is None:
            self.tell(Progress("loading the model", 0, 0))
            self._model = LanguageModel.load(self._name)
        return self._model

    # --- learning --------------------------------------------------------------------------------------

    def learn(
        self,
        data: str | Path,
        questions: str | Path | None = None,
        method: str = DEFAULT_METHOD,
        settings: dict[str, Any] | None = None,
        *,
        study: str = DEFAULT_STUDY,
        seed: int = 0,
        name: str = "",
        message: str = "",
    ) -> Learnt:
        """Learn one stage from files and commit it if it passes the gate; else keep it as rejected.

        Raises:
            EverlearnError: bad data, an unknown method or setting, a run that cannot go on.
        """
        reading = read_items(Path(data))
        asked = read_questions(Path(questions)) if questions else ()
        return self.learn_items(
            reading.items,
            asked,
            method,
            settings,
            study=study,
            seed=seed,
            name=Path(data).stem,
            message=message,
        )

    def learn_items(
        self,
        items: Sequence[Item],
        questions: Sequence[Question] = (),
        method: str = DEFAULT_METHOD,
        settings: dict[str, Any] | None = None,
        *,
        study: str = DEFAULT_STUDY,
        seed: int = 0,
        name: str = "",
        message: str = "",
    ) -> Learnt:
        """The same as `learn`, from items that are already at hand."""
        chosen: Method = with_values(plugins.find("methods", method, Method), settings or {})
        self._refuse_unfinished()
        with self.store.writing():
            self.base()
            stage = Stage(tuple(items), tuple(questions), name, name, datetime.date.today().isoformat())
            request = Request(self.store.head(), stage, method, values_of(chosen), study, seed, message)
            self.store.write_running("request.json", encode(request))
            try:
                return self._run(request)
            except (DataError, ModelError, PluginError, SettingsError, TrainingError):
                self.store.clear_running()  # the same request would fail in the same way again
                raise

    def resume(self) -> Learnt:
        """Go on with the run that was interrupted.

        Raises:
            StoreError: there is none, or the branch has moved since it began.
        """
        kept = self.store.read_running("request.json")
        if kept is None:
            raise StoreError("there is no interrupted run to resume", "start one: everlearn learn DATA")
        request = decode(Request, kept)
        with self.store.writing():
            self.base()
            self._refuse_moved(request)
            return self._run(request)

    def discard(self) -> None:
        """Drop the run that was interrupted."""
        with self.store.writing():
            self.store.clear_running()

    def _run(self, request: Request) -> Learnt:
        method: Method = with_values(plugins.find("methods", request.method, Method), request.settings)
        self.checkout(request.parent)
        meter = Meter(sum(weight.numel() for weight in self.model.network.parameters()))
        checkpoints = Checkpoints(self.store.running_path("work"), meter, self.checkpoint_seconds)
        run = Run(request.seed, meter, checkpoints, self.tell)
        parent = self.store.commit(request.parent)
        lesson = checkpoints.once("lesson", Lesson, lambda: self._study(request, meter))
        asked = request.stage.questions or _own_questions(lesson)
        before = checkpoints.once("before", list[Answer], lambda: self._known(asked, lesson, meter))
        memory = memories.recall(self.store, parent.memory_objects)
        memory = _without(memory, lesson.retired)
        memory = method.learn(self.model, lesson.examples, memory, run)
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
        self._at = ""
        stage_object = self.store.put(encode(request.stage))
        stages = [*self.lineage.stages(request.parent), (stage_object, request.stage)]
        self.tell(Progress("exam", 0, 0))
        exam = examine(self.model, self.suite(), stages, meter, lambda question: method.prompt(question, memory))
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
            stage_object=stage_object,
            examples_object=self.store.put(encode(lesson)),
            exam_object=self.store.put(encode(exam)),
            cost=meter.cost(self._bytes_kept(request.parent, weights, kept)),
            verdict=verdict,
            created=_now(),
            message=request.message or request.stage.name,
        )
        name = self.store.add_commit(commit)
        if verdict.accepted:
            self.store.advance(name)
            self._at = name
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

    # --- versions --------------------------------------------------------------------------------------

    def base(self) -> str:
        """Digest of the root commit; the first call examines the base model and makes it."""
        root = self.lineage.root()
        if root:
            self._check_model(self.store.commit(root))
            return root
        self.tell(Progress("examining the base", 0, 0))
        meter = Meter(sum(weight.numel() for weight in self.model.network.parameters()))
        suite, exam = make_suite(self.model, meter)
        with self.store.writing():
            commit = Commit(
                parent="",
                model=self.model.name,
                model_digest=self.model.digest,
                method="base",
                memory_objects={"suite.json": self.store.put(encode(suite))},
                exam_object=self.store.put(encode(exam)),
                cost=meter.cost(),
                verdict=Verdict(True, "the model as it came"),
                created=_now(),
                message="base",
            )
            name = self.store.add_commit(commit)
            self.store.advance(name)
        return name

    def checkout(self, reference: str = "head") -> str:
        """Set the model to a version; returns its digest."""
        name = self.store.resolve(reference)
        if name != self._at:
            self._check_model(self.store.commit(name))
            weights = self.store.commit(name).weights_object
            if weights:
                decode_delta(self.model, self.store.get(weights))
            elif self.model.masters:
                self.model.restore(self.model.start())
            self._at = name
        return name

    def rollback(self, reference: str = "head~1") -> str:
        """Move the branch back to an earlier version; nothing is deleted."""
        name = self.store.resolve(reference)
        self.store.advance(name)
        return name

    def ask(self, question: str, at: str = "head", limit: int = 64) -> str:
        """The greedy answer of a version to one question."""
        return self.chat((Message("user", question),), at, limit)

    def chat(self, messages: Sequence[Message], at: str = "head", limit: int = 256) -> str:
        """The greedy next turn of a version in a conversation."""
        self._ensure_version(at)
        reply = self.model.generate([self.model.chat.prompt(tuple(messages))], limit)[0]
        return self.model.chat.text(list(reply.ids))

    def exam(self, at: str = "head", questions: str | Path | None = None) -> Exam:
        """A version's recorded exam; with `questions`, the answers to a person's own questions, asked now."""
        if questions is None:
            return self.lineage.exam(at)
        asked = read_questions(Path(questions))
        self._ensure_version(at)
        stage = Stage((), tuple(asked), Path(questions).stem)
        answers = answer_all(self.model, asked, Meter(0))
        return Exam((), (StageAnswers(digest(stage), stage.name, tuple(answers)),))

    def suite(self) -> Suite:
        """The general exam of this lineage."""
        return decode(Suite, self.store.get(self.store.commit(self.lineage.root()).memory_objects["suite.json"]))

    def _ensure_version(self, reference: str) -> None:
        """Check a version out; a store without commits stands for the untouched base."""
        if self.lineage.root():
            self.checkout(reference)

    def _check_model(self, commit: Commit) -> None:
        if commit.model_digest != self.model.digest:
            raise StoreError(
                f"this store was made with {commit.model} ({commit.model_digest[:12]}), "
                f"but {self._name} is {self.model.digest[:12]}",
                "the model's files have changed: bring back the old ones, or start a new store",
            )

    def _refuse_moved(self, request: Request) -> None:
        """A run that goes on somewhere else would move that branch to where the run began."""
        head = self.store.head()
        at_head = self.store.commit(head)
        just_made = (at_head.parent, at_head.stage_object) == (request.parent, digest(request.stage))
        if head != request.parent and not just_made:
            began = request.parent[:8]
            raise StoreError(
                f"the interrupted run began at {began}, but head is now {head[:8]}",
                f"`everlearn rollback {began}` goes back there, `everlearn learn --discard` drops the run",
            )

    def _refuse_unfinished(self) -> None:
        if self.store.read_running("request.json") is not None:
            raise StoreError(
                "an interrupted run is in this store",
                "`everlearn learn --resume` continues it, `everlearn learn --discard` drops it",
            )


def _find_or_create(folder: Path) -> Store:
    """The store in `folder` or above it; a new one in `folder` where there is none."""
    start = folder.resolve()
    there = any((above / STORE).is_dir() for above in (start, *start.parents))
    return Store.find(folder) if there else Store.create(folder)


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
    if memories.EXAMPLES not in memory or not gone:
        return memory
    kept = [example for example in memory[memories.EXAMPLES] if digest(example) not in gone]
    return {**memory, memories.EXAMPLES: kept}


def _latest(exam: Exam, stage_object: str) -> Sequence[Answer]:
    return next((stage.answers for stage in exam.stages if stage.stage == stage_object), ())


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
