"""What is to be learnt, a model's size and its measured speed in; time, memory and disk it will take out."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from everlearn.errors import ModelError
from everlearn.methods.contract import Gradient, Method, Mixture
from everlearn.model.adapter import carries_adapter
from everlearn.model.chat import Chat, Row
from everlearn.model.language_model import SCORE_TOKENS, LanguageModel
from everlearn.model.neurons import grown_size
from everlearn.model.packing import batches_by_size, pack
from everlearn.model.prefix import prefix_size
from everlearn.model.slots import slots_size
from everlearn.records import Example, Question
from everlearn.settings import values_of

FROZEN = 2
"""Bytes for a weight that does not change: bf16."""

CHANGING = 2 + 2 + 2 * 2 + 2
"""Bytes for a weight that changes: itself, the rest of its fp32 master, Adam's two moments and its gradient."""

COPY = 4
"""Bytes for each number of a copy of the masters: the mean of the last steps, or what they were before."""

ACTIVATION = 34
"""Bytes that the backward pass keeps for each token, layer and hidden unit (Korthikanti et al. 2205.05198, without
the attention matrix)."""

LOGIT = 12
"""Bytes for each target and vocabulary entry: logits and their gradient, and fp32 beside them where there is no kernel
for it."""

PROGRAM = 600_000_000
"""Bytes of Python with torch and transformers before a model is loaded."""

BACKWARD = 3
"""Forward and backward together take this many times a forward pass."""

BACKWARD_FROZEN = 2
"""The same where most weights are frozen, and so get no gradient of their own."""

SAMPLE_BATCHES = 16
"""Batches of which the tokens are counted one by one."""

SAMPLE_TOKENS = 2048
"""Tokens by which the speed is measured."""


class Size(NamedTuple):
    """How large a model is, read from its directory without loading it."""

    parameters: int
    changing: int
    """Weights that training changes: all, or an adapter's."""
    rows: int
    """Rows of all weight matrices, each of which a stored delta gives a scale."""
    hidden: int
    layers: int
    vocabulary: int
    copies: int = 0
    """Of the masters, that the method keeps while it trains."""


class Work(NamedTuple):
    """How much there is to learn."""

    examples: int
    tokens: int
    """In all examples, once through."""
    targets: int
    """Those of them that the loss falls on."""
    steps: int
    trained: int
    """Tokens that go forward and backward in all steps, with what the method adds; padding counts, and what the rows
    of a step start with counts once."""
    asked: int
    """Tokens that only go forward: exams."""

    @property
    def per_step(self) -> int:
        """Tokens in one step."""
        return math.ceil(self.trained / self.steps) if self.steps else 0

    @property
    def targets_per_step(self) -> int:
        """Those of them that the loss falls on, about."""
        return math.ceil(self.per_step * self.targets / self.tokens) if self.tokens else 0


class Estimate(NamedTuple):
    """What a run will take, roughly."""

    seconds: float
    memory: int
    """Bytes at the highest point."""
    disk: int
    """Bytes of weights that the commit adds to the store."""


def estimate(work: Work, size: Size, tokens_per_second: float) -> Estimate:
    """The estimate; `tokens_per_second` is the speed of a forward pass."""
    backward = BACKWARD if size.changing == size.parameters else BACKWARD_FROZEN
    seconds = (backward * work.trained + work.asked) / tokens_per_second
    states = work.per_step * size.hidden * size.layers * ACTIVATION
    memory = PROGRAM + standing_memory(size) + states + work.targets_per_step * size.vocabulary * LOGIT
    return Estimate(seconds, memory, _delta_bytes(size))


def standing_memory(size: Size) -> int:
    """Bytes that training takes for weights, masters, moments and gradients, whatever it learns."""
    frozen = 0 if size.changing == size.parameters else size.parameters
    return FROZEN * frozen + (CHANGING + COPY * size.copies) * size.changing


def require_memory(size: Size, free: int | None) -> None:
    """Refuse a run that cannot fit; `free` is in bytes, None where nobody can tell.

    Raises:
        ModelError: weights, masters, moments and gradients alone need more than is free.
    """
    needed = standing_memory(size)
    if free is None or needed <= free:
        return
    whole = size.changing == size.parameters
    raise ModelError(
        f"training {size.changing:,} weights needs {needed / 1e9:.3g} GB of memory, {free / 1e9:.3g} GB are free",
        "train new neurons or an adapter instead: --set weights=neurons, --set weights=lora"
        if whole
        else "take a smaller model, or let less change: --set neurons=64, --set rank=8 or --set slots=1024",
    )


def size_of(folder: Path, method: Method) -> Size:
    """The size of the model in a directory, and of what a method changes of it."""
    shapes = _shapes(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = config.get("text_config", config)
    parameters = sum(math.prod(shape) for shape in shapes.values())
    changing = parameters
    layers = config["num_hidden_layers"]
    if isinstance(method, Gradient) and method.weights == "neurons":
        changing = grown_size(config["hidden_size"], layers, method.neurons)
    elif isinstance(method, Gradient) and method.weights == "memory":
        changing = slots_size(config["hidden_size"], layers, method.slots)
    elif isinstance(method, Gradient) and method.weights == "cartridge":
        heads = config["num_attention_heads"]
        width = config.get("head_dim") or config["hidden_size"] // heads
        changing = prefix_size(layers, config.get("num_key_value_heads", heads) * width, method.tokens)
    elif isinstance(method, Gradient) and method.weights == "lora":
        matrices = {name: shape for name, shape in shapes.items() if len(shape) == 2}
        chosen = [shape for name, shape in matrices.items() if carries_adapter(name, method.where, layers)]
        changing = sum(method.rank * (rows + columns) for rows, columns in chosen)
    rows = sum(shape[0] if len(shape) > 1 else 1 for shape in shapes.values())
    copies = sum(bool(values_of(method).get(name)) for name in ("tail", "average"))
    return Size(parameters, changing, rows, config["hidden_size"], layers, config["vocab_size"], copies)


def work_of(method: Method, mixture: Mixture, chat: Chat, asked: int) -> Work:
    """What a method makes of its examples; `asked` is the number of exam tokens."""
    fresh = [chat.example(example) for example in mixture.fresh]
    tokens = sum(len(row.ids) for row in fresh)
    targets = sum(row.targets for row in fresh)
    if not isinstance(method, Gradient) or not fresh:
        return Work(len(fresh), tokens, targets, 0, 0, asked)
    passes = method.passes(len(fresh))
    steps = passes * math.ceil(len(fresh) / method.rows_per_step)
    replayed = [chat.example(example) for example in mixture.old[: mixture.old_per_step]]
    trained = passes * _packed(fresh, method.rows_per_step) + steps * (_packed(replayed) + _anchored(method))
    return Work(len(fresh), tokens, targets, steps, trained, asked)


def exam_tokens(chat: Chat, questions: Sequence[Question]) -> int:
    """Tokens that a model computes when it is asked the questions once: what several start with counts once."""
    rows = [chat.answered(question, question.gold[0]) for question in questions]
    return sum(pack([rows[index] for index in group]).tokens for group in batches_by_size(rows, SCORE_TOKENS))


def forward_speed(model: LanguageModel, examples: Sequence[Example]) -> float:
    """Tokens per second of a forward pass, measured on some of the examples; a shared beginning counts once."""
    rows: list[Row] = []
    for example in examples:
        rows.append(model.chat.example(example))
        if sum(len(row.ids) for row in rows) > SAMPLE_TOKENS:
            break
    model.force(rows[:1])  # the first pass of all is slower
    begin = time.monotonic()
    model.force(rows)
    return _packed(rows) / (time.monotonic() - begin)


def _packed(rows: Sequence[Row], at_once: int = 0) -> int:
    """Tokens that are computed for the rows, `at_once` (all where it is 0) in one batch; of many, by a sample."""
    if not rows:
        return 0
    size = at_once or len(rows)
    batches = [rows[at : at + size] for at in range(0, len(rows), size)]
    sample = batches[:: math.ceil(len(batches) / SAMPLE_BATCHES)]
    share = sum(map(len, sample)) / len(rows)
    return round(sum(pack(batch).tokens for batch in sample) / share)


def _anchored(method: Method) -> int:
    """Tokens of self-written texts in each step, of a method that has them."""
    settings = values_of(method)
    if settings.get("weights") == "neurons":
        return 0  # these are kept by their scope
    return int(settings.get("anchors_per_step", 0) * settings.get("anchor_length", 0))


def _delta_bytes(size: Size) -> int:
    """An adapter is kept in fp32, as all slots are once they hold something; changed full weights in 8 bits, with one
    scale a row."""
    return 4 * size.changing if size.changing != size.parameters else size.parameters + 4 * size.rows


def _shapes(folder: Path) -> dict[str, list[int]]:
    """Shapes of all tensors, from the headers of the safetensors files."""
    shapes: dict[str, list[int]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as stream:
            header: dict[str, Any] = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        shapes.update({name: entry["shape"] for name, entry in header.items() if name != "__metadata__"})
    return shapes
