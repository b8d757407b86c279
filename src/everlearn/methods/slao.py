"""Examples in, one adapter that all stages' adapters are merged into, each with less weight than the last, out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import START, Gradient, Memory
from everlearn.model.adapter import SECOND
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.merging import MERGED
from everlearn.train.run import Run

TRAINED = "trained"
"""Where the second matrices B of the adapter last trained are kept; its first ones A are the model's own."""

STAGES = "stages"
"""Where it is kept how many stages have been merged."""

BEFORE = "before"
"""Where the merged B are in the memory while a stage is learnt."""


@dataclass(frozen=True)
class SLAO(Gradient):
    """SLAO (Qiao and Mahdavi 2512.23017): stage i trains a LoRA adapter from the last trained one, the rows of its A
    made orthonormal; the model answers with a merged one, A ← A trained, B ← B + (B trained − B) / √i."""

    family: ClassVar[str] = "averaging and merging"
    keeps: ClassVar[str] = "half of the adapter last trained"
    claims: ClassVar[tuple[str, ...]] = (START, MERGED)
    only: ClassVar[bool] = True

    weights: str = "lora"
    """what may change: here always `lora` (a low-rank adapter)"""
    learning_rate: float = 5e-4
    """highest learning rate of AdamW"""

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Go from the merged adapter to where the last trained one ended."""
        if not examples:
            return memory
        begun = model.snapshot()
        if TRAINED in memory:
            trained = {name: kept.to(begun[name]) for name, kept in memory[TRAINED].items()}
            model.restore({name: trained[name] if name in trained else orthonormal(begun[name]) for name in begun})
        return {**memory, BEFORE: {name: each for name, each in begun.items() if SECOND in name}}

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Merge what was trained."""
        if BEFORE not in memory:
            return memory
        trained = model.snapshot()
        stages = memory.get(STAGES, 0) + 1
        merged = {
            name: before + (trained[name] - before) / math.sqrt(stages) for name, before in memory[BEFORE].items()
        }
        model.restore({**trained, **merged})
        others = {name: value for name, value in memory.items() if name != BEFORE}
        return {**others, TRAINED: {name: trained[name].cpu() for name in merged}, STAGES: stages}


def orthonormal(first_RD: torch.Tensor) -> torch.Tensor:
    """R orthonormal rows that span what the R rows of an adapter's A span; its Gram-Schmidt basis, as QR's signs are
    free.

    Raises:
        SettingsError: there are more rows than dimensions.
    """
    rank, width = first_RD.shape
    if rank > width:
        raise SettingsError(f"rank is {rank}, and a layer has {width} inputs", f"set the rank to {width} or less")
    basis_DR, triangle_RR = torch.linalg.qr(first_RD.T)
    rows_RD: torch.Tensor = (basis_DR * torch.where(triangle_RR.diagonal() < 0, -1.0, 1.0)).T.contiguous()
    return rows_RD
