"""Examples in, a model fine-tuned on them alone out: the baseline that forgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from everlearn.methods.contract import Gradient


@dataclass(frozen=True)
class Finetune(Gradient):
    """Sequential fine-tuning on the new stage, nothing else."""

    family: ClassVar[str] = "references"
