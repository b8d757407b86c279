"""Examples in, a model fine-tuned on them whose layers go on saying the same of what earlier stages gave them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods._orthogonal import Changes, Orthogonal
from everlearn.methods.contract import Memory, rows_of
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.input_squares import all_of, squares
from everlearn.train.run import Run

INPUTS = "inputs"
"""Where directions_KD of layers' inputs are kept, by the names of the weights that are given them, joined by commas."""


@dataclass(frozen=True)
class GPM(Orthogonal):
    """Gradient projection memory (Saha et al. 2103.09762): each stage's inputs of a linear layer span a subspace, but
    for a little of their energy; no later stage changes what the layer makes of a vector in it, W ← W − ΔW M Mᵀ. All
    else (embeddings, head, norms, biases) learns in the first stage alone."""

    keeps: ClassVar[str] = "directions of what each layer was given"
    cost: ClassVar[str] = "about 1.5×, and reading some rows"

    energy: float = 0.97
    """share of a layer's mean squared input that the directions kept must hold: the more, the less is forgotten, and
    the less room is left to learn in"""
    samples: int = 64
    """rows of each stage whose inputs are looked at"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.energy <= 1:
            raise SettingsError(f"energy is {self.energy}", "give a share above 0, up to 1")
        if self.weights == "neurons":
            raise SettingsError(
                "gpm guards the inputs of linear layers, and new neurons are none", "set weights to `full` or `lora`"
            )

    def rule(self, model: LanguageModel, memory: Memory) -> dict[str, torch.Tensor] | None:
        """directions_DK of each linear layer's earlier inputs, orthonormal: rounding has made them nearly so."""
        if INPUTS not in memory:
            return None
        made = {
            names: torch.linalg.qr(kept_KD.to(model.device).float().T)[0] for names, kept_KD in memory[INPUTS].items()
        }
        return {name: basis_DK for names, basis_DK in made.items() for name in names.split(",")}

    def allowed(self, changes: Mapping[str, torch.Tensor], rule: dict[str, torch.Tensor]) -> Changes:
        """Layers change off their earlier inputs; all else not at all."""
        return {
            name: change - (change @ rule[name]) @ rule[name].T if name in rule else torch.zeros_like(change)
            for name, change in changes.items()
        }

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Add the directions in which this stage's inputs lie and the earlier ones' do not."""
        memory = super().finish(model, examples, memory, run)
        if not examples:
            return memory
        kept = memory.get(INPUTS, {})
        grown = {}
        rows = rows_of(model, examples, self.samples, run.seed)
        for names, square_DD in squares(model, rows, model.linear_weights(), all_of, run.meter).sums.items():
            known_KD = kept.get(names, torch.zeros(0, len(square_DD), dtype=torch.bfloat16))
            new_KD = further_directions(square_DD.double(), known_KD.to(square_DD.device).double(), self.energy)
            grown[names] = torch.cat([known_KD, new_KD.bfloat16().cpu()])
        return {**memory, INPUTS: grown}


def further_directions(square_DD: torch.Tensor, known_KD: torch.Tensor, energy: float) -> torch.Tensor:
    """The fewest orthonormal directions_JD, off the known ones, that hold with them a share of all energy (eq. 9)."""
    basis_DK = torch.linalg.qr(known_KD.T)[0]
    off_DD = torch.eye(len(square_DD)).to(square_DD) - basis_DK @ basis_DK.T
    values_D, vectors_DD = torch.linalg.eigh(off_DD @ square_DD @ off_DD)
    values_D, vectors_DD = values_D.flip(0).clamp(min=0), vectors_DD.flip(1)
    missing = energy * square_DD.trace() - (square_DD.trace() - values_D.sum())
    count = int((values_D.cumsum(0) - values_D < missing).sum())  # those before which it is not yet enough
    further_JD: torch.Tensor = vectors_DD[:, : min(count, len(values_D) - len(known_KD))].T
    return further_JD
