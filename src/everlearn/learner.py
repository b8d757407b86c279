"""A stage and a method in, an examined and judged commit out; every version can be brought back.

from everlearn import Learner
learner = Learner()
learnt = learner.learn("handbook.md", questions="questions.jsonl")
print(learnt.commit.verdict)
print(learner.ask("When does the harbour office open?"))
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from everlearn import memory as memories
from everlearn.data import read_items, read_questions
from everlearn.errors import DataError, ModelError, PackageError, PluginError, SettingsError, StoreError, TrainingError
from everlearn.examiner import answer_all, make_suite
from everlearn.gate import Bounds
from everlearn.lineage import Lineage
from everlearn.methods.contract import Method
from everlearn.model.cache import DEFAULT_MODEL
from everlearn.model.delta import decode_delta
from everlearn.model.language_model import LanguageModel
from everlearn.records import (
    Answer,
    Commit,
    Exam,
    Item,
    Message,
    Question,
    Stage,
    StageAnswers,
    Verdict,
    decode,
    digest,
    encode,
    now,
)
from everlearn.settings import values_of, with_values
from everlearn.stacking import method_called
from everlearn.store import Store
from everlearn.store.layout import STORE
from everlearn.store.objects import DIGEST
from everlearn.study.lesson import DEFAULT as DEFAULT_STUDY
from everlearn.teaching import Learnt, Request, Teaching
from everlearn.train.meter import Meter
from everlearn.train.run import Progress

DEFAULT_METHOD = "anchored"

REQUESTED = ("study", "seed")
"""What a commit's settings have beside the method's own."""


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
            name=name or Path(data).stem,
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
        chosen: Method = with_values(method_called(method), settings or {})
        self._refuse_unfinished()
        with self.store.writing():
            self.base()
            stage = Stage(tuple(items), tuple(questions), name, name, datetime.date.today().isoformat())
            request = Request(self.store.head(), stage, method, values_of(chosen), study, seed, message)
            self.store.write_running("request.json", encode(request))
            try:
                return self._teach(request)
            except (DataError, ModelError, PackageError, PluginError, SettingsError, TrainingError):
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
            return self._teach(request)

    def discard(self) -> None:
        """Drop the run that was interrupted."""
        with self.store.writing():
            self.store.clear_running()

    def _teach(self, request: Request) -> Learnt:
        self.checkout(request.parent)
        self._at = ""  # until the new version is made, the model is none
        learnt = Teaching(self.store, self.model, self.bounds, self.tell, self.checkpoint_seconds).run(request)
        self._at = learnt.digest
        return learnt

    # --- versions --------------------------------------------------------------------------------------

    def base(self) -> str:
        """Digest of the root commit; the first call examines the base model and makes it."""
        root = self.lineage.root()
        if root:
            self._check_model(self.store.commit(root))
            return root
        self.tell(Progress("examining the base", 0, 0))
        meter = Meter(self.model.parameters)
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
                created=now(),
                message="base",
            )
            name = self.store.add_commit(commit)
            self.store.advance(name)
        return name

    def checkout(self, reference: str = "head") -> str:
        """Set the model to a version; returns its digest."""
        name = self.store.resolve(reference)
        if name != self._at:
            commit = self.store.commit(name)
            self._check_model(commit)
            if commit.weights_object:
                decode_delta(self.model, self.store.get(commit.weights_object))
            elif self.model.masters:
                self.model.restore(self.model.start())
            self._serve(commit)
            self._at = name
        return name

    def _serve(self, commit: Commit) -> None:
        """Have the model answer as the version's method wants it to, where that is not by its weights alone."""
        self.model.serve(None)
        if commit.routed:
            settings = {name: value for name, value in commit.settings.items() if name not in REQUESTED}
            method: Method = with_values(method_called(commit.method), settings)
            method.serve(self.model, memories.recall(self.store, commit.memory_objects))

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
        """A version's recorded exam; with `questions`, the answers to a person's own questions."""
        if questions is None:
            return self.lineage.exam(at)
        asked = read_questions(Path(questions))
        stage = Stage((), tuple(asked), Path(questions).stem)
        return Exam((), (StageAnswers(digest(stage), stage.name, self.answers(asked, at)),))

    def answers(self, questions: Sequence[Question], at: str = "head") -> tuple[Answer, ...]:
        """A version's answers to questions, in order. What its weights have been asked before is not asked again."""
        book = self.store.answers(self._weights(at))
        known = book.known()
        if unknown := [question for question in questions if digest(question) not in known]:
            self._ensure_version(at)
            self.tell(Progress(f"asking {at[:8] if DIGEST.fullmatch(at) else at}", 0, 0))
            given = answer_all(self.model, unknown, Meter(0))
            with contextlib.suppress(StoreError):  # a store that cannot be written to can be asked all the same
                book.add(given)
            known |= {answer.question: answer for answer in given}
        return tuple(replace(known[digest(question)], group=question.group) for question in questions)

    def answer_tasks(
        self, tasks: Sequence[str], at: str = "head", limit: int | None = None
    ) -> tuple[StageAnswers, ...]:
        """A version's answers to tasks of lm-evaluation-harness, by name or file; each task's first `limit` questions.

        Raises:
            EverlearnError: the extra `eval` is not installed, or a task cannot be loaded or asked.
        """
        from everlearn.harness_tasks import answer_tasks, load_tasks  # imported late: it needs the extra

        def model() -> LanguageModel:
            self._ensure_version(at)
            return self.model

        book = self.store.answers(self._weights(at))
        return answer_tasks(load_tasks(tasks, limit), book, model, self.tell)

    def _weights(self, reference: str) -> str:
        """The digest of what answers: of a version's weights, of the model's files where it has learnt nothing, or of
        the version where more than its weights counts."""
        if not self.lineage.root():
            return self.model.digest
        name = self.store.resolve(reference)
        commit = self.store.commit(name)
        return name if commit.routed else commit.weights_object or commit.model_digest

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
    """The store in `folder` or above it; a new one in `folder` where there is none, or where a crash cut it short."""
    start = folder.resolve()
    for above in (start, *start.parents):
        if (above / STORE).is_dir():
            return Store.create(above) if Store.is_begun(above) else Store.find(folder)
    return Store.create(folder)
