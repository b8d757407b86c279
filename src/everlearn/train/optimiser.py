"""Masters and their gradients in, masters moved by one step out: AdamW for all of them, or Muon for the matrices.

Muon orthogonalises the momentum of each weight matrix (Jordan 2024; on LoRA in sequence: 2609.24678); tables of tokens,
the head and all that is no matrix are moved by AdamW beside it, as its author does. Its steps are scaled to the length
that AdamW's have, so that both want learning rates of one size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch.nn import Parameter

from everlearn.errors import TrainingError
from everlearn.model.kernels.adamw import Step, adamw, sum_of_squares
from everlearn.model.language_model import LanguageModel
from everlearn.model.layers import is_table

OPTIMISERS = ("adamw", "muon")


@dataclass(frozen=True)
class Optimisation:
    """How the masters are moved."""

    learning_rate: float
    weight_decay: float = 0.0
    clip: float = 1.0
    """Largest gradient norm."""
    tail: float = 0.0
    """Share of the steps, counted from the end, whose masters are averaged to the result; 0: the last ones are it."""
    opening: float = 1.0
    """Weight of an answer's first token in the loss, relative to each other one."""
    optimiser: str = "adamw"
    """One of OPTIMISERS."""


class Optimiser:
    """Moves masters by their gradients; its state can be kept and restored by name."""

    def __init__(self, model: LanguageModel, how: Optimisation) -> None:
        self.masters = model.masters
        self.how = how
        self.steps = 0
        self.moments: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        """Running means of each gradient and of its square, in the weights' type: of what AdamW moves."""
        self.momentum: dict[str, torch.Tensor] = {}
        """Running sums of each gradient, fp32: of what Muon moves."""

    def step(self, gradients: Mapping[str, torch.Tensor], rate: float, computed: torch.Tensor) -> float:
        """Move the masters that have a gradient; `rate` is a share of the highest learning rate.

        Returns the computed loss, for which a device is waited for here alone, once it has all gradients.

        Raises:
            TrainingError: the loss or a gradient is not a number.
        """
        self.steps += 1
        squares = sum_of_squares(list(gradients.values()), computed.device)
        loss, square = torch.stack([computed.double(), squares]).tolist()
        length = math.sqrt(square) if square >= 0 else square
        for what, value in (("loss", loss), ("gradient", length)):
            if not math.isfinite(value):
                raise TrainingError(
                    f"the {what} is {value} at step {self.steps}",
                    "nothing was committed; try a smaller learning_rate",
                )
        scale = min(1.0, self.how.clip / (length + 1e-6))
        matrices = {name: gradient for name, gradient in gradients.items() if self._is_matrix(name)}
        self._adamw({name: gradients[name] for name in gradients.keys() - matrices.keys()}, rate, scale)
        self._muon(matrices, rate, scale)
        return float(loss)

    def _is_matrix(self, name: str) -> bool:
        """Whether Muon moves it."""
        return self.how.optimiser == "muon" and self.masters.weight(name).dim() == 2 and not is_table(name)

    def _adamw(self, gradients: Mapping[str, torch.Tensor], rate: float, scale: float) -> None:
        for name in gradients.keys() - self.moments.keys():
            like = self.masters.weight(name)
            self.moments[name] = torch.zeros_like(like), torch.zeros_like(like)
        adamw(
            [self.masters.weight(name) for name in gradients],
            [self.masters.rests[name] for name in gradients],
            list(gradients.values()),
            [self.moments[name][0] for name in gradients],
            [self.moments[name][1] for name in gradients],
            Step(self.how.learning_rate * rate, self.how.weight_decay, self.steps, scale),
        )

    def _muon(self, gradients: Mapping[str, torch.Tensor], rate: float, scale: float) -> None:
        """One matrix after the other, by torch's own: what it needs in fp32 is there for one at a time."""
        for name, gradient in gradients.items():
            master = Parameter(self.masters[name])
            master.grad = gradient.float() * scale
            muon = torch.optim.Muon(
                [master],
                lr=self.how.learning_rate * rate,
                weight_decay=self.how.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
            if name in self.momentum:
                muon.state[master]["momentum_buffer"] = self.momentum[name]
            muon.step()
            self.momentum[name] = muon.state[master]["momentum_buffer"]
            self.masters[name] = master.data

    def state(self) -> dict[str, torch.Tensor]:
        """All moments by name."""
        kept: dict[str, torch.Tensor] = {}
        for name, (mean, square) in self.moments.items():
            kept |= {f"exp_avg:{name}": mean, f"exp_avg_sq:{name}": square}
        return kept | named("momentum", self.momentum)

    def restore(self, steps: int, kept: Mapping[str, torch.Tensor]) -> None:
        """Go on from the state kept after so many steps; there is none where training was over."""
        self.steps = steps
        squares = those("exp_avg_sq", kept)
        for name, mean in those("exp_avg", kept).items():
            device = self.masters.weight(name).device
            self.moments[name] = mean.to(device), squares[name].to(device)
        for name, momentum in those("momentum", kept).items():
            self.momentum[name] = momentum.to(self.masters.weight(name).device)


def named(kind: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors under names that begin with their kind."""
    return {f"{kind}:{name}": tensor for name, tensor in tensors.items()}


def those(kind: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of a kind, under their own names."""
    prefix = f"{kind}:"
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
