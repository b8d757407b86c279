"""The records that travel through everlearn: plain frozen data in, canonical JSON and a sha256 digest out.

Every record is an immutable dataclass made of strings, numbers, tuples and other records, so that equal
records have equal digests on every machine.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

Record = TypeVar("Record")


@dataclass(frozen=True)
class Message:
    """One turn of a conversation; role `text` is raw text outside any chat format."""

    role: str
    content: str
    learn: bool = False
    """Whether the loss falls on this turn."""


@dataclass(frozen=True)
class Origin:
    """Where an item came from."""

    file: str = ""
    line: int = 0
    """1-based; 0 stands for the whole file."""
    strategy: str = ""
    """The study strategy that wrote the item; empty where the file itself says it."""
    clause: str = ""
    """The clause of a document that the item asks about, where it asks about one."""


@dataclass(frozen=True)
class Example:
    """A conversation to learn from: the turns marked `learn` are the targets."""

    messages: tuple[Message, ...]
    origin: Origin = Origin()
    kind: Literal["example"] = "example"


@dataclass(frozen=True)
class Document:
    """A text to study."""

    text: str
    title: str = ""
    origin: Origin = Origin()
    kind: Literal["document"] = "document"


@dataclass(frozen=True)
class Skill:
    """A folder with a SKILL.md: its name, when to use it, and the instructions themselves."""

    name: str
    description: str
    text: str
    origin: Origin = Origin()
    kind: Literal["skill"] = "skill"


@dataclass(frozen=True)
class Correction:
    """A question, the answer that is no longer right, and the answer that is."""

    question: str
    wrong: str
    right: str
    origin: Origin = Origin()
    kind: Literal["correction"] = "correction"


Item = Example | Document | Skill | Correction


@dataclass(frozen=True)
class Question:
    """One exam question: a conversation that ends with the user's turn, and the answers counted as right."""

    messages: tuple[Message, ...]
    gold: tuple[str, ...]
    """Accepted answers, the canonical one first; where `grade` names a check, its argument."""
    group: str = ""
    """The general skill or the label that scores are broken down by."""
    grade: str = "exact"
    """`exact`: teacher-forced exact match; any other name: a check in `grade` over a greedy generation."""
    origin: Origin = Origin()


@dataclass(frozen=True)
class Answer:
    """One recorded reply to one question; a crashed question is an answer with an `error`."""

    question: str
    """Digest of the question."""
    group: str
    correct: bool
    text: str
    """Greedy reply; under teacher forcing, the most likely token at each position of the gold answer."""
    gold_nll: float
    """Mean negative log-likelihood of the gold answer, in nats per token."""
    error: str = ""
    lead: float = 0.0
    """Teacher-forced: nats by which the weakest token of the answer leads every other token; below zero where the
    answer is not the most likely one."""


@dataclass(frozen=True)
class Stage:
    """The items that arrive together, and the questions that ask for them in other words."""

    items: tuple[Item, ...]
    questions: tuple[Question, ...] = ()
    name: str = ""
    source: str = ""
    date: str = ""
    """ISO 8601."""
    trust: str = "trusted"


@dataclass(frozen=True)
class Cost:
    """What a stage cost: tokens by kind, floating-point operations, seconds, and bytes."""

    tokens: dict[str, int] = field(default_factory=dict)
    """By kind: new, replayed, synthetic, teacher, generated, study, exam."""
    flops: float = 0.0
    seconds: float = 0.0
    peak_memory: int = 0
    """Bytes of resident memory at the highest point."""
    bytes_kept: int = 0
    """Bytes of weights delta and memory that the commit added to the store."""


@dataclass(frozen=True)
class Habits:
    """How far a model has moved from the base on text that the base itself wrote."""

    agreement: float
    """Share of positions whose most likely token is the base's."""
    kl: float
    """Mean KL(base ‖ model) in nats per token."""
    tokens: int


@dataclass(frozen=True)
class StageAnswers:
    """The answers to one stage's questions."""

    stage: str
    """Digest of the stage."""
    name: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Exam:
    """Everything that was asked of one commit."""

    general: tuple[Answer, ...]
    stages: tuple[StageAnswers, ...] = ()
    habits: Habits | None = None


@dataclass(frozen=True)
class Comparison:
    """One paired difference, in share of questions answered right."""

    name: str
    before: float
    after: float
    low: float
    """Lower end of the 95 % confidence interval of after − before."""
    high: float
    questions: int
    verdict: str
    """`pass`, `fail` or `not enough evidence`."""
    least: float = 0.0
    """What after − before must reach."""
    needed: int = 0
    """Questions it would take to tell, where there is not enough evidence."""


@dataclass(frozen=True)
class Verdict:
    """What the gate says of a commit."""

    accepted: bool
    reason: str
    comparisons: tuple[Comparison, ...] = ()


@dataclass(frozen=True)
class Commit:
    """One version of the model. Fields that end in `_object` are digests of objects in the store."""

    parent: str
    """Digest of the parent commit; empty for the base."""
    model: str
    """The model as it was asked for: alias, directory or hub id."""
    model_digest: str
    """sha256 over the base weights and the tokenizer."""
    method: str
    settings: dict[str, Any] = field(default_factory=dict)
    weights_object: str = ""
    """The weights delta to the base (safetensors); empty for the base itself."""
    memory_objects: dict[str, str] = field(default_factory=dict)
    """What the method keeps between stages: a name and an object each."""
    routed: bool = False
    """Whether its method chooses, prompt by prompt and out of its memory, the weights that answer."""
    stage_object: str = ""
    examples_object: str = ""
    """The training examples that study made of the stage, with their origin."""
    exam_object: str = ""
    cost: Cost = Cost()
    verdict: Verdict | None = None
    created: str = ""
    message: str = ""

    def objects(self) -> tuple[str, ...]:
        """Digests of all objects that this commit names."""
        named = (self.weights_object, self.stage_object, self.examples_object, self.exam_object)
        return tuple(digest for digest in (*named, *self.memory_objects.values()) if digest)


def now() -> str:
    """This moment, in UTC to the second, as ISO 8601: what `created` holds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def encode(record: object) -> bytes:
    """Canonical JSON of a record (or a list of records): sorted keys, no spaces, UTF-8."""
    return json.dumps(_plain(record), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def decode(kind: type[Record], data: bytes) -> Record:
    """The record of type `kind` that `encode` wrote.

    Raises:
        pydantic.ValidationError: a field is missing or has the wrong type.
    """
    return cast(Record, _adapter(cast(Any, kind)).validate_json(data))


def digest(record: object) -> str:
    """sha256 of the canonical JSON, in hex."""
    return hashlib.sha256(encode(record)).hexdigest()


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return value


@functools.cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter  # imported late: it costs more than everything else in this file

    return TypeAdapter(kind)
