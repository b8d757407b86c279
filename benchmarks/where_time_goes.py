"""Where does the time of a training step and of a scoring pass go?

    .venv/bin/python benchmarks/where_time_goes.py

torch's profiler over the default model on the items of the other scripts, in shares of all that was profiled.
"""

from __future__ import annotations

import collections
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from contest import THREADS, options, tell
from findings import write
from items import documents, passage_chats, short_chats
from torch.profiler import profile

from everlearn.methods.finetune import Finetune
from everlearn.model.cache import DEFAULT_MODEL
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Message, Question
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Progress, Run

PARTS = {
    "products with weights": ("aten::mm", "aten::addmm", "aten::addmm_"),
    "products in attention": ("aten::bmm", "aten::baddbmm"),
    "the rest of attention": ("_Packed", "_PackedBackward"),
    "gates": ("_Gated", "_GatedBackward", "_GatedLinear", "_GatedLinearBackward"),
    "turning factors of weight gradients": ("_LinearBackward",),
    "norms": ("_Norm", "_NormBackward"),
    "rotary positions": ("_Rotation", "_RotationBackward"),
    "loss": ("_Chosen", "_ChosenBackward"),
    "copies, sums and zeros": (
        "aten::copy_",
        "aten::add",
        "aten::add_",
        "aten::fill_",
        "aten::zero_",
        "aten::cat",
        "_LookupBackward",
    ),
}
"""What the profiler calls what belongs to each part; the rest is torch's and Python's dispatch, and kernels that are
called without autograd."""

WARM, PROFILED = 3, 8
"""Steps before the profiler starts, and steps that it sees."""


def main() -> None:
    """Profile one thing after the other, write."""
    options()
    torch.set_num_threads(THREADS)
    chats = [chat(*each) for each in short_chats(512)]
    texts = [Example((Message("text", text, True),)) for text in documents(128, 275)]
    notes: dict[str, object] = {
        "a training step of 32 short chats, all weights": trained(chats, "full", 32),
        "a training step of 32 short chats, LoRA": trained(chats, "lora", 32),
        "a training step of 4 documents of 512 tokens, all weights": trained(texts, "full", 4),
        "128 short requests scored": scored(short_chats(128)),
        "48 requests about 3 passages scored": scored(passage_chats(3, 16, 200)),
    }
    write("Where the time goes", [], notes)


def chat(prompt: str, reply: str) -> Example:
    """An example of one exchange."""
    return Example((Message("user", prompt), Message("assistant", reply, True)))


def trained(examples: Sequence[Example], weights: str, rows: int) -> dict[str, str]:
    """Shares of some training steps."""
    model = LanguageModel.load(DEFAULT_MODEL)
    seen = profile()

    def watch(progress: Progress) -> None:
        if (progress.doing, progress.step) == ("learning", WARM):
            seen.start()
        elif (progress.doing, progress.step) == ("learning", WARM + PROFILED):
            seen.stop()

    method = Finetune(weights=weights, rank=16, rows_per_step=rows, epochs=1, learning_rate=1e-5)
    with tempfile.TemporaryDirectory() as scratch:
        meter = Meter(model.parameters)
        run = Run(0, meter, Checkpoints(Path(scratch), meter, every_seconds=1e9), watch)
        method.learn(model, examples[: rows * (WARM + PROFILED)], {}, run)
    return shares(seen)


def scored(chats: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Shares of some scoring passes."""
    model = LanguageModel.load(DEFAULT_MODEL)
    rows = [model.chat.answered(Question((Message("user", prompt),), (reply,)), reply) for prompt, reply in chats]
    for _ in range(WARM):
        model.force(rows)
    with profile() as seen:
        for _ in range(PROFILED):
            model.force(rows)
    return shares(seen)


def shares(seen: profile) -> dict[str, str]:
    """Of all time that was profiled, in percent; the largest first."""
    part_of = {name: part for part, names in PARTS.items() for name in names}
    taken: collections.Counter[str] = collections.Counter()
    for event in seen.key_averages():
        taken[part_of.get(event.key, "the rest")] += event.self_cpu_time_total
    told = {part: f"{time / taken.total():.0%}" for part, time in taken.most_common()}
    tell(f"  {told}")
    return told


if __name__ == "__main__":
    main()
