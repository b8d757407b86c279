"""Tasks of lm-evaluation-harness and a model in, one answer for each of their questions out; needs the extra `eval`.

Prompts, few-shot examples, filters and metrics are the harness's own. Prompts are plain text, without a chat format, as
they are in the harness by default.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from everlearn.errors import EverlearnError, PluginError, StoreError
from everlearn.model.language_model import LanguageModel
from everlearn.records import Answer, StageAnswers, digest
from everlearn.store.answers import AnswerBook
from everlearn.train.run import Progress

try:
    import lm_eval
    from lm_eval.defaults import DEFAULT_OTHER_SEED, DEFAULT_RANDOM_SEED
    from lm_eval.tasks import TaskManager

    from everlearn.model.harness import HarnessModel
except ModuleNotFoundError as error:
    raise EverlearnError(
        f"lm-evaluation-harness cannot be used without {error.name}", 'pip install "everlearn[eval]"'
    ) from None

RIGHT = {
    "multiple_choice": ("acc", "acc_norm", "exact_match"),
    "loglikelihood": ("acc", "exact_match"),
    "generate_until": ("exact_match", "acc"),
}
"""The metrics that say of one question whether it was answered right, for each kind of task; the first it has counts.
Kinds that are not here (perplexity) have no right and wrong."""

Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class HarnessTask:
    """One task, with its prompts built."""

    name: str
    task: Any
    metric: str
    """Which of its metrics says whether an answer is right."""
    questions: tuple[str, ...]
    """The digest of each of its questions, in order."""
    requests: dict[str, list[Any]]
    """What the harness asks the model about each question."""


def load_tasks(names: Sequence[str], limit: int | None = None) -> list[HarnessTask]:
    """The tasks of these names (a group is all of its tasks) or files, each cut to its first `limit` questions.

    Raises:
        PluginError: no such task, or one that cannot be loaded, or has no right and wrong.
    """
    files = [Path(name) for name in names if Path(name).is_file()]
    # to read the harness's own list takes seconds; a task in a file does not need it, a group may
    listed = len(files) < len(names) or any("group" in file.read_text(encoding="utf-8") for file in files)
    manager = TaskManager(include_defaults=listed)
    tasks: dict[str, HarnessTask] = {}
    for name in names:
        if name not in manager.task_index and not Path(name).is_file():
            near = difflib.get_close_matches(name, manager.all_tasks, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise PluginError(f"lm-eval has no task {name!r}", f"{hint}`lm-eval ls tasks` lists them")
        with _harness_random():
            try:
                found = manager.load([name])["tasks"]
                for key, task in found.items():
                    tasks[key] = _prepared(key, task, limit)
            except PluginError:
                raise
            except Exception as error:  # a task's own code and data raise anything
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                raise PluginError(
                    f"{name}: lm-eval could not load it: {reason}", "is its file right, and can its data be reached?"
                ) from error
    return list(tasks.values())


@contextlib.contextmanager
def _harness_random() -> Iterator[None]:
    """Random numbers as the harness seeds them, for tasks that shuffle; ours go on as if nothing had been drawn."""
    ours, ours_of_numpy = random.getstate(), np.random.get_state()
    random.seed(DEFAULT_RANDOM_SEED)
    np.random.seed(DEFAULT_OTHER_SEED)
    try:
        yield
    finally:
        random.setstate(ours)
        np.random.set_state(ours_of_numpy)


def _prepared(name: str, task: Any, limit: int | None) -> HarnessTask:
    kinds = RIGHT.get(task.OUTPUT_TYPE, ())
    metric = next((metric for metric in kinds if metric in task.aggregation()), "")
    hint = "leave it out"
    if not metric:
        raise PluginError(f"{name}: no metric of this task says whether an answer is right", hint)
    if getattr(task, "UNSAFE_CODE", False):
        raise PluginError(f"{name}: this task runs code that the model writes, which everlearn does not do", hint)
    if getattr(task, "MULTIMODAL", False):
        raise PluginError(f"{name}: this task shows pictures or plays sounds", hint)
    task.set_fewshot_seed(DEFAULT_OTHER_SEED)
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar of its own
        task.build_all_requests(limit=limit)
    documents: dict[int, list[Any]] = defaultdict(list)
    for request in task.instances:
        documents[request.doc_id].append(request)
    digests = [_digest(name, task, metric, asked) for asked in documents.values()]
    return HarnessTask(name, task, metric, tuple(digests), dict(zip(digests, documents.values(), strict=True)))


def _digest(name: str, task: Any, metric: str, requests: Sequence[Any]) -> str:
    """Digest of a question: all that its answer and its metric depend on, but for the model."""
    asked = json.dumps([request.args for request in requests], default=str)
    gold = str(_gold(task, requests[0].doc))
    return digest(("lm-eval", lm_eval.__version__, name, str(task.VERSION), metric, asked, gold))


def _gold(task: Any, doc: Any) -> Any:
    """The answer, or the number of the choice, that is right; where contexts are to choose from, the task's text."""
    return task.doc_to_text(doc) if getattr(task, "multiple_input", 0) else task.doc_to_target(doc)


def answer_tasks(
    tasks: Sequence[HarnessTask], book: AnswerBook, model: Callable[[], LanguageModel], tell: Tell
) -> tuple[StageAnswers, ...]:
    """The answers to each task's questions. What the book holds is not asked again; what is asked is added to it."""
    known = book.known()
    for task in tasks:
        if unknown := [question for question in task.requests if question not in known]:
            given = _ask(task, unknown, HarnessModel(model(), _teller(tell, task.name)))
            with contextlib.suppress(StoreError):  # a store that cannot be written to can be asked all the same
                book.add(given)
            known |= {answer.question: answer for answer in given}
    return tuple(
        StageAnswers(digest(task.questions), task.name, tuple(known[question] for question in task.questions))
        for task in tasks
    )


def _teller(tell: Tell, name: str) -> Callable[[int, int], None]:
    return lambda step, steps: tell(Progress(f"asking {name}", step, steps))


def _ask(task: HarnessTask, questions: Sequence[str], model: HarnessModel) -> list[Answer]:
    """Run the requests of some questions, as the harness's own loop does."""
    kinds: dict[str, list[Any]] = defaultdict(list)
    for question in questions:
        for request in task.requests[question]:
            kinds[request.request_type] += [request] * request.repeats
    for kind, requests in kinds.items():
        for request, reply in zip(requests, getattr(model, kind)(requests), strict=True):
            request.resps.append(reply)
    task.task._instances = [request for question in questions for request in task.requests[question]]
    task.task.apply_filters()
    return [_answer(task, question, model) for question in questions]


def _answer(task: HarnessTask, question: str, model: HarnessModel) -> Answer:
    requests = task.requests[question]
    doc = requests[0].doc
    first = next(iter(requests[0].filtered_resps))  # of several ways to read a reply the task's first one counts
    read = [request.filtered_resps[first] for request in requests]
    score = task.task.process_results(doc, list(read)).get(task.metric)
    if not isinstance(score, (int, float, np.number, np.bool_)):
        raise PluginError(f"{task.name}: its {task.metric} is not a number for each question", "leave the task out")
    if task.task.OUTPUT_TYPE == "generate_until":
        return Answer(question, task.name, bool(score == 1), _said(read[0]), 0.0)
    # pairs without context, which only acc_mutual_info needs, stand behind the others
    count = len(requests) // 2 if "acc_mutual_info" in task.task.aggregation() else len(requests)
    pairs = [request.args for request in requests[:count]]
    likelihoods = [likelihood for likelihood, _ in read[:count]]
    gold = _place(_gold(task.task, doc), pairs) if count > 1 else 0
    chosen = pairs[int(np.argmax(likelihoods))]
    context_chosen = len({continuation for _, continuation in pairs}) < count
    text = chosen[not context_chosen] if count > 1 or read[0][1] else ""
    nll = 0.0 if gold is None else -likelihoods[gold] / model.lengths[pairs[gold]]
    return Answer(question, task.name, bool(score == 1), text.strip(), nll)


def _said(reply: Any) -> str:
    """The reply as text; a filter may leave several."""
    return str(reply[0] if isinstance(reply, (list, tuple)) and reply else reply)


def _place(gold: Any, pairs: Sequence[tuple[str, str]]) -> int | None:
    """The number of the right choice, which is given as a number, a text or a list of either; None if it is none."""
    first = gold[0] if isinstance(gold, list) and gold else gold
    if isinstance(first, str):
        texts = [continuation.strip() for _, continuation in pairs]
        first = texts.index(first.strip()) if first.strip() in texts else -1
    return int(first) if isinstance(first, int) and 0 <= first < len(pairs) else None
