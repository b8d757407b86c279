"""A plan in; the tokens, time, memory and disk that learning it will take out, with nothing trained or stored."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from everlearn import memory as memories
from everlearn.cli.terminal.output import pairs
from everlearn.data.places import counted
from everlearn.estimate import estimate, exam_tokens, forward_speed, work_of
from everlearn.examiner import SPARE, Suite, first_asked
from everlearn.lineage import Lineage
from everlearn.methods.contract import Gradient, Mixture
from everlearn.model.language_model import LanguageModel
from everlearn.records import Question, decode
from everlearn.report.words import duration, size
from everlearn.resources import free_memory
from everlearn.study.lesson import prepare_lesson
from everlearn.train.run import Progress

if TYPE_CHECKING:
    from rich.console import RenderableType

    from everlearn.cli.terminal.plan import Plan
    from everlearn.cli.terminal.progress import Tell
    from everlearn.store import Store

WITHOUT_MODEL = ("rules", "raw", "thesaurus")
"""Study strategies whose examples can be counted before the model has studied anything."""


@dataclass(frozen=True)
class Forecast:
    """What learning will take, roughly."""

    items: dict[str, int]
    """By kind: example, document, skill, correction."""
    examples: dict[str, int]
    """By the study strategy that wrote them; `given` where the data said it themselves."""
    not_counted: tuple[str, ...]
    """Study strategies whose examples the model itself will write."""
    method: str
    tokens: int
    """In all examples, once through."""
    targets: int
    """Those that the loss falls on."""
    steps: int
    trained: int
    """Tokens that go forward and backward in all steps."""
    asked: int
    """Tokens of the exams."""
    tokens_per_second: float
    """Of a forward pass, measured just now."""
    seconds: float
    memory: int
    memory_free: int | None
    disk: int


def forecast(plan: Plan, store: Store | None, seed: int, tell: Tell) -> Forecast:
    """Count what the plan comes to and measure the model's speed on it; the store is only read."""
    tell(Progress("loading the model", 0, 0))
    model = LanguageModel.load(plan.model)
    counted_strategies = [name for name in plan.study.split("+") if name in WITHOUT_MODEL]
    lineage = Lineage(store) if store and store.branches() else None
    earlier = lineage.examples("head") if lineage else []
    study = "+".join(counted_strategies) or WITHOUT_MODEL[0]
    lesson = prepare_lesson(plan.items, study, earlier, model, seed, lambda number, count: None)
    mixture = Mixture(lesson.examples)
    if isinstance(plan.method, Gradient):
        mixture = plan.method.examples(lesson.examples, _memory(store) if lineage else {})
    work = work_of(plan.method, mixture, plan.chat, _asked(plan, lineage))
    tell(Progress("measuring the speed", 0, 0))
    speed = forward_speed(model, lesson.examples)
    expected = estimate(work, plan.size, speed)
    return Forecast(
        items=dict(Counter(item.kind for item in plan.items)),
        examples=dict(Counter(example.origin.strategy or "given" for example in lesson.examples)),
        not_counted=tuple(name for name in plan.study.split("+") if name not in counted_strategies),
        method=plan.method_name,
        tokens=work.tokens,
        targets=work.targets,
        steps=work.steps,
        trained=work.trained,
        asked=work.asked,
        tokens_per_second=speed,
        seconds=expected.seconds,
        memory=expected.memory,
        memory_free=free_memory(),
        disk=expected.disk,
    )


def _memory(store: Store | None) -> dict[str, Any]:
    return memories.recall(store, store.commit("head").memory_objects) if store else {}


def _asked(plan: Plan, lineage: Lineage | None) -> int:
    """Tokens of all exams: the new questions before and after, the earlier ones and the general ones after.

    In a new store the base is asked first, and somewhat more than what becomes the suite.
    """
    new = 2 * exam_tokens(plan.chat, plan.questions)
    if lineage is None:
        return new + round((1 + 1 / SPARE) * exam_tokens(plan.chat, first_asked()))
    earlier = [question for _, stage in lineage.stages("head") for question in stage.questions]
    return new + exam_tokens(plan.chat, [*_suite(lineage), *earlier])


def _suite(lineage: Lineage) -> tuple[Question, ...]:
    base = lineage.store.commit(lineage.root())
    return decode(Suite, lineage.store.get(base.memory_objects["suite.json"])).questions


def page_of(found: Forecast) -> RenderableType:
    """The forecast for people."""
    items = ", ".join(counted(number, kind) for kind, number in found.items.items())
    made = ", ".join(f"{number:,} {strategy}" for strategy, number in found.examples.items())
    examples = f"{counted(sum(found.examples.values()), 'training example')} ({made})"
    rows: list[tuple[str, RenderableType]] = [("to learn", f"{items} → {examples}")]
    if found.not_counted:
        names = ", ".join(found.not_counted)
        rows.append(("", f"not counted: what the model itself will write ({names}) comes on top of all figures"))
    rows += [
        ("tokens", f"{found.tokens:,}, of which {found.targets:,} are learnt"),
        ("training", f"{found.method}: {counted(found.steps, 'step')}, {found.trained:,} tokens forward and backward"),
        ("exam", f"{found.asked:,} tokens"),
        ("time", f"about {duration(found.seconds)}, at {found.tokens_per_second:,.0f} tokens/s forward"),
        (
            "memory",
            f"about {size(found.memory)}" + (f" of {size(found.memory_free)} free" if found.memory_free else ""),
        ),
        ("disk", f"{size(found.disk)} of weights"),
        ("", "nothing was trained and nothing was stored"),
    ]
    return pairs(*rows)
