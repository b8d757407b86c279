"""Examples in, one more adapter in a bank out: each question is answered by that of the stage that it is like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from everlearn.methods._routed import Routed


@dataclass(frozen=True)
class LoRABank(Routed):
    """A LoRA adapter for each stage, trained alone from the start model, which itself never changes; a router that is
    told no stage (RanPAC, McDonnell et al. 2307.02251) chooses for each question one of them, or none."""

    keeps: ClassVar[str] = "an adapter for each stage, and sums that tell their questions apart"
    cost: ClassVar[str] = "1×, its questions read once, and writing once"
    only: ClassVar[bool] = True

    weights: str = "lora"
    """what may change: here always `lora` (a low-rank adapter)"""
    rank: int = 16
    """rank of each stage's adapter"""
    learning_rate: float = 2e-3
    """highest learning rate of AdamW"""
