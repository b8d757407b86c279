"""Rows in, their hidden states halfway through the network out, each computed once.

Where only the upper layers change, what the lower ones make of a row is the same in every epoch and every step. It is
computed before training, in batches that depend on the rows alone, so that a resumed run sees the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from everlearn.model.chat import Row
from everlearn.model.packing import Packed, batches_by_size, pack

LARGEST = 2_000_000_000
"""Bytes of hidden states that are kept; for more rows nothing is."""

ROWS_TOKENS = 8192
"""Tokens in one forward pass of the lower layers."""

Run = Callable[[Packed, torch.Tensor | None], torch.Tensor]
"""A forward pass of the decoder on a batch: from its tokens, or from hidden states in the place of their embeddings."""


class Trunk:
    """The lower layers of a decoder, and what they made of the rows seen so far."""

    def __init__(self, layers: Sequence[Any], depth: int) -> None:
        self.lower = layers[:depth]
        self.upper = layers[depth:]
        self._states: dict[tuple[int, ...], torch.Tensor] = {}
        self._lasting: dict[tuple[int, ...], torch.Tensor] = {}
        self._trusted: bool | None = None

    @torch.no_grad()
    def remember(self, rows: Sequence[Row], width: int, run: Run, lasting: bool = False) -> None:
        """Compute the hidden states (of `width` channels) of all rows, unless they are too many to be kept.

        Those that are `lasting` are kept apart: training must not see whose states an exam has computed before, and in
        which batches, or a resumed run would not end in the same bits.
        """
        kept = self._lasting if lasting else self._states
        new = [row for row in {row.read: row for row in rows}.values() if row.read not in kept]
        bytes_each = width * 2  # bf16
        tokens = sum(len(row.read) for row in new) + sum(map(len, kept.values()))
        if not new or tokens * bytes_each > LARGEST:
            return
        if self._trusted is None:
            self._trusted = self._agrees(pack(new[:1]), run)
        if not self._trusted:
            return
        for group in batches_by_size(new, ROWS_TOKENS):
            chosen = [new[index] for index in group]
            batch = pack(chosen)
            hidden_TD = self._halfway(batch, run)
            for row, places in zip(chosen, batch.places, strict=True):
                pieces = [hidden_TD[place.at : place.at + place.stop - place.start] for place in places]
                kept[row.read] = torch.cat(pieces)

    def states(self, batch: Packed) -> torch.Tensor | None:
        """Hidden states_TD of a whole batch; None if a row of it is not remembered."""
        whole = [self._states.get(row.read, self._lasting.get(row.read)) for row in batch.rows]
        known = [states for states in whole if states is not None]
        if len(known) < len(whole):
            return None
        hidden_TD = known[0].new_zeros(batch.tokens, known[0].shape[-1])
        for states, places in zip(known, batch.places, strict=True):
            for place in places:
                piece = states[place.start : place.stop]
                hidden_TD[place.at : place.at + len(piece)] = piece
        return hidden_TD

    def clear(self) -> None:
        """Keep only what was to last."""
        self._states.clear()

    def onwards(self, batch: Packed, hidden_TD: torch.Tensor, run: Run) -> torch.Tensor:
        """What the upper layers make of the hidden states."""
        with _muted(self.lower):
            return run(batch, hidden_TD)

    def _agrees(self, batch: Packed, run: Run) -> bool:
        """Whether going on from halfway comes to the same: some decoders do more to embeddings than hand them on."""
        whole_1TD = run(batch, None)
        halves_1TD = self.onwards(batch, self._halfway(batch, run), run)
        return bool((halves_1TD - whole_1TD).abs().max() <= 0.01 * whole_1TD.abs().max())

    def _halfway(self, batch: Packed, run: Run) -> torch.Tensor:
        kept: list[torch.Tensor] = []
        hook = self.lower[-1].register_forward_hook(lambda layer, given, made: kept.append(made))
        try:
            with _muted(self.upper):
                run(batch, None)
        finally:
            hook.remove()
        return kept[0][0]


@contextmanager
def _muted(layers: Sequence[Any]) -> Iterator[None]:
    """Let layers hand on what they are given."""
    for layer in layers:
        layer.forward = lambda hidden, *_, **__: hidden
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward
