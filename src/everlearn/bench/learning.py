"""A stream, an arm and a model in; weights after each stage and what they cost out. No probe is near.

Everything is metered here, by tokens that went through the model and bytes that were kept; a method reports nothing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from everlearn import memory as memories
from everlearn.bench.arms import JOINT, LEARNER, SOLO, Phase, phases, role_of
from everlearn.bench.prompting import keep_memory, remembers
from everlearn.bench.recording import Learning, Learnt, this_process, total_of, write_learning
from everlearn.bench.stream import Stream
from everlearn.methods.contract import Gradient, Method
from everlearn.model.delta import encode_delta
from everlearn.model.language_model import LanguageModel
from everlearn.records import Cost, encode
from everlearn.settings import values_of, with_values
from everlearn.stacking import method_called
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Progress, Run

WITHIN = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Shares of a stage's steps after which the model is kept, in two of the stages: with its end, five log-spaced points.
"""

FULL_REPLAY = 0.9
"""A memory of such a share of the raw stream's bytes is labelled."""

REPLAY, ROOM = "full replay", "room for full replay"
"""Labels: text and plain data alone are of that size; they are only together with tensors, which may hold anything."""

STILL = 1e-8
"""Change of a weight that does not count: one that is exactly zero takes on any update, however small."""


def learn(
    stream: Stream,
    arm: str,
    settings: Mapping[str, Any],
    model: LanguageModel,
    folder: Path,
    method_name: str,
    run_seed: int = 0,
) -> Learning:
    """Learn a stream in one folder, where weights and costs are left; the model ends as the last of them.

    Args:
        method_name: a plug-in's name or path, or `joint`.
        run_seed: what the method gets for random numbers; never the stream's seed, which would tell what comes next.

    Raises:
        EverlearnError: an unknown method or setting, or a run that cannot go on.
    """
    begin = time.monotonic()
    method = method_for(stream, arm, settings, method_name)
    course = _Course(stream, role_of(arm, method_name), method, model, folder, run_seed)
    for phase in phases(course.arm, stream):
        course.take(phase)
    adaptation = model.adaptation
    learning = Learning(
        arm,
        stream.seed,
        values_of(method),
        (adaptation.kind, adaptation.size, adaptation.where),
        tuple(course.kept),
        course.labels(),
        this_process(),
        round(time.monotonic() - begin, 2),
        run_seed,
    )
    write_learning(folder, learning)
    return learning


def method_for(stream: Stream, arm: str, settings: Mapping[str, Any], method_name: str) -> Method:
    """The method as an arm uses it. Joint training sees every example as often as training stage by stage does: a small
    stage is gone through more often than `epochs` says, so that it gets its least number of steps.

    Raises:
        EverlearnError: an unknown method or setting.
    """
    joint = role_of(arm, method_name) == JOINT
    name = LEARNER if joint else method_name
    method: Method = with_values(method_called(name), dict(settings))
    if joint and isinstance(method, Gradient):
        return replace(method, epochs=max(method.passes(len(stage.examples)) for stage in stream.stages))
    return method


def watched_stages(count: int) -> set[int]:
    """Of so many stages, those within which a model is kept as well."""
    return {-(-count // 3), count - 1}


@dataclass
class _Course:
    """One arm on its way through a stream."""

    stream: Stream
    arm: str
    """Its role: `joint` by whatever name."""
    method: Method
    model: LanguageModel
    folder: Path
    run_seed: int
    memory: dict[str, Any] = field(default_factory=dict)
    kept: list[Learnt] = field(default_factory=list)
    paid: list[Cost] = field(default_factory=list)
    """Since the last stage that was complete."""

    def __post_init__(self) -> None:
        # before anything is added to it, so that every stage is metered alike
        self.parameters = self.model.parameters
        self.remembers = remembers(self.method)
        self.memory_folder = ""
        self.largest = self.largest_plain = 0

    def take(self, phase: Phase) -> None:
        """Learn one phase and keep what comes of it, where it completes a stage."""
        if phase.afresh:
            self.memory, self.memory_folder = {}, ""
            if self.model.masters:
                self.model.restore(self.model.start())
        meter = Meter(self.parameters)
        watch = _Watch(self, phase, meter)
        # not in the cell's own folder: its path tells the stream's seed
        with tempfile.TemporaryDirectory(prefix="everlearn-") as scratch:
            checkpoints = Checkpoints(Path(scratch), meter, every_seconds=None)  # a cell is learnt anew after a crash
            run = Run(self.run_seed, meter, checkpoints, watch.tell)
            try:
                self.memory = self.method.learn(self.model, phase.examples, self.memory, run)
            finally:
                self.model.forget()
        delta = encode_delta(self.model) if self.model.masters else b""
        memory_bytes = self._size()
        kept = len(delta) + memory_bytes
        self.paid.append(meter.cost(kept))
        if phase.stages:
            self._keep(phase, kept, memory_bytes)

    def _keep(self, phase: Phase, kept: int, memory_bytes: int) -> None:
        """The weights at the end of a phase as the moment of each stage that it completes; the first one bears what was
        paid since the last moment."""
        wanted = self.stream.asked == "always" or phase.stage == self.stream.count
        weights = keep_weights(self.model, self.folder, f"weights-{phase.stage}") if wanted else ""
        if self.remembers and wanted:
            self.memory_folder = keep_memory(self.folder, f"memory-{phase.stage}", self.memory)
        cost, self.paid = replace(total_of(self.paid), bytes_kept=kept), []
        for stage in phase.stages:
            self.kept.append(Learnt(stage, 1.0, weights, cost, kept, memory_bytes, self.memory_folder))
            cost = Cost(bytes_kept=kept)

    def _size(self) -> int:
        """Bytes of the memory; the largest that there were are kept, of all of it and of what is no tensor."""
        sizes = {name: len(data) for name, data in memories.as_files(self.memory).items()}
        plain = sum(size for name, size in sizes.items() if not name.endswith(".safetensors"))
        self.largest, self.largest_plain = max(self.largest, sum(sizes.values())), max(self.largest_plain, plain)
        return sum(sizes.values())

    def watched(self, stage: int) -> bool:
        """Whether the model is also kept within this stage: one in the first half of the stream, one near its end.

        Never where pieces come: the steps of a piece are no share of those of a stage."""
        if self.stream.asked == "end" or self.stream.ends:
            return False
        several = len(phases(self.arm, self.stream)) > 1
        return self.arm != SOLO and several and stage in watched_stages(self.stream.count)

    def labels(self) -> tuple[str, ...]:
        """What a reader of the scores must know of this cell."""
        found = []
        raw = sum(len(encode(example)) for stage in self.stream.stages for example in stage.examples)
        if self.arm != SOLO and self.largest >= FULL_REPLAY * raw:
            found.append(REPLAY if self.largest_plain >= FULL_REPLAY * raw else ROOM)
        moved = any(_moved(self.folder / learnt.weights) for learnt in self.kept if learnt.weights)
        if self.kept and not moved and not self.remembers:  # notes before a question change replies as well
            found.append("nothing trained")
        return tuple(found)


class _Watch:
    """Keeps weights at a few points within a stage, told of its steps by the training loop."""

    def __init__(self, course: _Course, phase: Phase, meter: Meter) -> None:
        self.course = course
        self.phase = phase
        self.meter = meter
        self.open = list(WITHIN) if course.watched(phase.stage) else []

    def tell(self, progress: Progress) -> None:
        """Keep the weights if a point has been reached; two points that fall on one step are one."""
        if progress.doing != "learning" or not self.open or progress.step >= progress.steps:
            return
        reached = [share for share in self.open if progress.step >= share * progress.steps]
        if reached:
            self.open = [share for share in self.open if share not in reached]
            name = f"weights-{self.phase.stage}-{progress.step}"
            weights = keep_weights(self.course.model, self.course.folder, name)
            share = progress.step / progress.steps
            # what is remembered now is not written before the stage ends: questions come with what was there before
            memory = self.course.memory_folder
            self.course.kept.append(Learnt(self.phase.stage, share, weights, self.meter.cost(), 0, 0, memory))


def keep_weights(model: LanguageModel, folder: Path, name: str) -> str:
    """Write the weights that may change, as the network computes with them; returns the file's name."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {key: weight.detach().cpu().contiguous() for key, weight in model.weights().items()}
    start = model.start()
    moved = any(_differs(tensors[key].float(), start[key].cpu()) for key in tensors)
    save_file(tensors, folder / f"{name}.safetensors", metadata={"moved": str(moved)})
    return f"{name}.safetensors"


def _differs(tensor: torch.Tensor, first: torch.Tensor) -> bool:
    """Whether a weight has moved, or grown."""
    return tensor.shape != first.shape or bool(((tensor - first).abs() > STILL).any())


def _moved(path: Path) -> bool:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return bool(file.metadata()["moved"] == "True")
