"""Examples in, a model that learnt them in those slots of an added memory that they read and others do not out."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import Gradient, Memory
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.model.slots import Reads
from everlearn.records import Example
from everlearn.train.anchors import Anchors, by_start, write_anchors
from everlearn.train.run import Run

TEXTS, READERS = "texts", "readers"
"""Where it is in the memory how many texts were counted so far, and how many of them read each slot."""

CHOSEN, OWN = "chosen", "own"
"""Where the stage's slots, and how many of its rows read each, are in the memory while it is learnt."""


@dataclass(frozen=True)
class SparseMemory(Gradient):
    """Sparse memory finetuning (Lin et al. 2510.15103) of a model that had no memory (added as in 2605.03229): slots
    beside three MLPs, of which a stage trains those alone that its rows read often and other texts seldom do."""

    family: ClassVar[str] = "capacity growth"
    keeps: ClassVar[str] = "how many texts read each slot"
    cost: ClassVar[str] = "about 1×, reading each stage once, and writing once"
    only: ClassVar[bool] = True

    weights: str = "memory"
    """what may change: `memory` (slots that are looked up), nothing else"""
    learning_rate: float = 1e-3
    """highest learning rate of AdamW; what is read is scaled so that slots want about that of full weights"""
    stage_slots: int = 512
    """slots of each memory that a stage may change"""
    anchors: int = 256
    """texts that the start model writes by itself, once for the whole lineage, to see what it reads anyhow"""
    anchor_length: int = 48
    """tokens in each of these texts, at most"""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("stage_slots", 1), ("anchors", 8), ("anchor_length", 8)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} is {getattr(self, name)}", f"{name} must be at least {least}")

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """See which slots the stage reads, and choose."""
        if not examples:
            return memory
        memory = memory if TEXTS in memory else {**memory, **self._background(model, run)}
        rows = [self.row(model, example, memory) for example in examples]
        run.meter.read("study", sum(len(row.ids) for row in rows))
        found = model.reads(rows)
        readers = {name: each.to(model.device) for name, each in memory[READERS].items()}
        chosen = {name: choose(found[name], readers[name], memory[TEXTS], self.stage_slots) for name in found}
        return {**memory, CHOSEN: chosen, OWN: {name: reads.rows_S for name, reads in found.items()}}

    def _background(self, model: LanguageModel, run: Run) -> Memory:
        """Which slots the start model's own texts read, once its queries are spread over all by them."""

        def written() -> Anchors:
            write = functools.partial(write_anchors, model, self.anchors, self.anchor_length, run.seed, free_share=1)
            return by_start(model, write, run.meter)

        rows: Sequence[Row] = Anchors.of(run.checkpoints.tensors_once("anchors", lambda: written().tensors())).rows
        run.meter.read("study", 2 * sum(len(row.ids) for row in rows))
        model.spread_queries(rows)
        return {TEXTS: len(rows), READERS: {name: reads.rows_S.cpu() for name, reads in model.reads(rows).items()}}

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Leave nothing of what would move other slots: AdamW, whose moments of them stay zero, then does not."""
        for name, chosen_S in memory.get(CHOSEN, {}).items():
            if name in gradients:
                gradients[name] = gradients[name] * chosen_S[:, None]

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Count the stage among the texts that later ones must not disturb."""
        if OWN not in memory:
            return memory
        readers = {name: memory[READERS][name] + own_S.cpu() for name, own_S in memory[OWN].items()}
        return {TEXTS: memory[TEXTS] + len(examples), READERS: readers}


def choose(found: Reads, readers_S: torch.Tensor, texts: int, count: int) -> torch.Tensor:
    """chosen_S, true at those `count` slots that a stage reads most, relative to the other texts: of the highest
    TF-IDF, a slot's share of all reads times log((texts + 1) / (texts that read it + 1)); none that is not read."""
    score_S = found.reads_S / found.reads_S.sum() * torch.log((texts + 1) / (readers_S + 1))
    best = score_S.topk(min(count, len(score_S)))
    chosen_S = torch.zeros_like(score_S, dtype=torch.bool)
    chosen_S[best.indices[best.values > 0]] = True
    return chosen_S
