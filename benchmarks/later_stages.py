"""Does stage 100 cost at most 1.1 times stage 5 with the default method?

    .venv/bin/python benchmarks/later_stages.py

16 chats a stage. The first four stages are learnt; the examples of those up to the 99th are only put into the memory,
as the method does it, for nothing else in it grows. Then stages 5 and 100 are learnt with the method's own settings in
turn, each from the memory it would find. What an exam costs is not in it: it asks the questions of all stages.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import torch
from contest import THREADS, options, ratio, tell
from findings import Finding, write
from items import short_chats

from everlearn.methods.anchored import Anchored
from everlearn.methods.contract import Memory
from everlearn.model.cache import DEFAULT_MODEL
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Message, Origin
from everlearn.train.buffer import within_budget
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Run

EARLY, LATE = 5, 100


def stage(number: int) -> list[Example]:
    """16 chats that no other stage has."""
    return [
        Example(
            (Message("user", chat.prompt), Message("assistant", chat.reply, True)),
            origin=Origin(f"stage{number}.jsonl", line),
        )
        for line, chat in enumerate(short_chats(16, number), 1)
    ]


def learn(model: LanguageModel, method: Anchored, number: int, memory: Memory) -> tuple[Memory, Meter]:
    """One stage; what is remembered behind it, and what it cost."""
    meter = Meter(model.parameters)
    with tempfile.TemporaryDirectory() as scratch:
        run = Run(0, meter, Checkpoints(Path(scratch), meter, every_seconds=1e9))
        return method.learn(model, stage(number), memory, run), meter


def main() -> None:
    """Fill the memory, take turns, write."""
    rounds = options().rounds
    torch.set_num_threads(THREADS)
    model = LanguageModel.load(DEFAULT_MODEL)
    memory: Memory = {}
    for number in range(1, EARLY):
        memory, meter = learn(model, Anchored(), number, memory)
        model.forget()
        tell(f"  stage {number}: {meter.cost().seconds:.0f} s")
    weights = model.snapshot()
    found = {EARLY: memory, LATE: memory}
    for number in range(EARLY, LATE):
        kept = within_budget(found[LATE]["examples"], stage(number), Anchored().budget, 0)
        found[LATE] = {**memory, "examples": kept}
    tell(f"  examples remembered: {', '.join(str(len(kept['examples'])) for kept in found.values())}")
    seconds: dict[int, list[float]] = {EARLY: [], LATE: []}
    tokens = {}
    for _ in range(rounds):
        for number, remembered in found.items():
            model.restore(weights)
            begin = time.perf_counter()
            _, meter = learn(model, Anchored(), number, remembered)
            seconds[number].append(time.perf_counter() - begin)
            tokens[number] = sum(meter.tokens.values())
            model.forget()
            tell(f"  stage {number}: {seconds[number][-1]:.1f} s, {tokens[number]:,} tokens")
    each = ratio(seconds[LATE], seconds[EARLY])
    finding = Finding(f"time of learning stage {LATE}, without its exam", f"stage {EARLY}", each, 1.1, True)
    write(
        "A later stage",
        [finding],
        {
            "tokens computed": {f"stage {number}": count for number, count in tokens.items()},
            "examples remembered": {f"stage {number}": len(kept["examples"]) for number, kept in found.items()},
        },
    )


if __name__ == "__main__":
    main()
