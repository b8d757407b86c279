"""Embeddings of a short line in, hidden states out, each pass launched as one: CUDA graphs for training on a GPU.

A GPU is done with a small model's layer before Python has asked for the next one. Lines are filled up to a few lengths;
the passes over each, forward and backward, are recorded when it comes for the second time, and replayed from then on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional

from everlearn.model.attention import Mask

GRAIN = 256
"""Lines are filled up to a multiple of so many tokens."""

LONGEST = 4096
"""Tokens of a line, at most: attention is computed for all pairs of them."""

WORK = 1e12
"""Products of weights and tokens up to which a GPU would wait for Python."""


class Line(NamedTuple):
    """A line of T tokens, as in Packed."""

    embeddings_TD: torch.Tensor
    positions_T: torch.Tensor
    until_T: torch.Tensor

    def filled(self, count: int) -> Line:
        """The same with so many tokens more, which see nobody else and are seen by nobody."""
        return Line(
            functional.pad(self.embeddings_TD, (0, 0, 0, count)),
            functional.pad(self.positions_T, (0, count)),
            functional.pad(self.until_T, (0, count), value=len(self.until_T) + count),
        )


class Graphs:
    """The recorded passes over the lines of one network, which has so many weights; none if they are not `usable`."""

    def __init__(self, weights: int, usable: bool = True) -> None:
        self.weights = weights
        self.usable = usable
        self._seen: Counter[Hashable] = Counter()
        self._recorded: dict[Hashable, Any] = {}
        self._pool: Any = None

    def fit(self, embeddings_TD: torch.Tensor) -> bool:
        """Whether a line is to be learnt from on a GPU, and is so short that this would wait."""
        tokens = len(embeddings_TD)
        short = tokens <= LONGEST and tokens * self.weights <= WORK
        return (
            self.usable
            and embeddings_TD.is_cuda
            and short
            and torch.is_grad_enabled()
            and not torch.is_inference_mode_enabled()
        )

    def decode(self, decoder: nn.Module, line: Line, kind: Hashable) -> torch.Tensor:
        """Last hidden states_TD; passes of different `kind` are different ones."""
        tokens = len(line.embeddings_TD)
        filled = line.filled(-tokens % GRAIN)
        key = len(filled.embeddings_TD), filled.embeddings_TD.requires_grad, kind
        self._seen[key] += 1
        run = _Pass(decoder).train(decoder.training)
        if key not in self._recorded and self._seen[key] > 1:
            self._recorded[key] = self._record(run, filled)
        last_TD: torch.Tensor = self._recorded.get(key, run)(*filled)
        return last_TD[:tokens]

    def _record(self, run: nn.Module, line: Line) -> Any:
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        sample = tuple(each.detach().clone().requires_grad_(each.requires_grad) for each in line)
        return torch.cuda.make_graphed_callables(run, sample, allow_unused_input=True, pool=self._pool)


class _Pass(nn.Module):
    """A decoder that takes tensors alone."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, embeddings_TD: torch.Tensor, positions_T: torch.Tensor, until_T: torch.Tensor) -> torch.Tensor:
        """Last hidden states_TD."""
        last_1TD: torch.Tensor = self.decoder(
            inputs_embeds=embeddings_TD[None],
            position_ids=positions_T[None],
            use_cache=False,
            layout=Mask.of(until_T),
        ).last_hidden_state
        return last_1TD[0]
