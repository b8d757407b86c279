"""Keys and values of rows that start alike: those of the shared start are kept and attended to once for all rows.

transformers' own cache repeats the start for every row and copies everything it holds for every token. This one hands
an attention of its own the rows' keys and values as views of buffers that grow in steps, and the shared ones beside
them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from everlearn.model.kernels.library import call, usable
from everlearn.model.prefix import Heads

SHARED = "everlearn_shared"
"""The name under which transformers knows this attention."""

GROWTH = 32
"""Tokens by which the buffers of the rows grow."""


class SharedCache:
    """What each layer remembers of a batch of rows; told of the shared start first, by a batch of one."""

    def __init__(self) -> None:
        self.layers: dict[int, _Layer] = {}
        self.shared = False
        """Whether the start has been read; from then on tokens belong to the rows."""
        self.padding_B: torch.Tensor | None = None
        """How many of each row's own places, counted from the first, hold no token."""

    def stand(self, layer: int, heads: Heads) -> None:
        """Let all rows, and the start that they share, see keys and values that are no token's."""
        keys, values = (each.transpose(0, 1).contiguous() for each in heads)
        self.layers.setdefault(layer, _Layer()).prefix = keys, values

    def update(
        self, key_BGTD: torch.Tensor, value_BGTD: torch.Tensor, layer: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take in new tokens; what a layer attends to, for `shared_attention` to read. transformers calls this."""
        kept = self.layers.setdefault(layer, _Layer())
        if not self.shared:
            return kept.begin(key_BGTD, value_BGTD)
        return kept.append(key_BGTD, value_BGTD, self.padding_B)

    def get_seq_length(self, layer: int = 0) -> int:
        """Tokens a row has behind it. transformers calls this."""
        return self.layers[layer].length if layer in self.layers else 0

    def select(self, rows: torch.Tensor) -> None:
        """Keep only some of the rows."""
        for layer in self.layers.values():
            layer.select(rows)
        if self.padding_B is not None:
            self.padding_B = self.padding_B[rows]


class _Seen(NamedTuple):
    """What attention needs to know of a layer besides the rows' keys and values; these carry it along."""

    prefix: tuple[torch.Tensor, torch.Tensor] | None
    """Shared keys and values_GPD."""
    buffers: tuple[torch.Tensor, torch.Tensor]
    """The rows' keys and values with room behind them."""
    padding_B: torch.Tensor | None


class _Layer:
    """One layer's keys and values."""

    def __init__(self) -> None:
        self.prefix: tuple[torch.Tensor, torch.Tensor] | None = None
        self.keys: torch.Tensor | None = None
        self.values: torch.Tensor | None = None
        self.own = 0

    @property
    def length(self) -> int:
        return self.own + (self.prefix[0].shape[1] if self.prefix else 0)

    def begin(self, key_BGTD: torch.Tensor, value_BGTD: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        before, start = self.prefix, (key_BGTD[0].contiguous(), value_BGTD[0].contiguous())
        self.prefix = start
        if before:
            self.prefix = torch.cat([before[0], start[0]], 1), torch.cat([before[1], start[1]], 1)
            key_BGTD.seen = _Seen(before, (key_BGTD, value_BGTD), None)  # type: ignore[attr-defined]
        return key_BGTD, value_BGTD

    def append(
        self, key_BGTD: torch.Tensor, value_BGTD: torch.Tensor, padding_B: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        begin, self.own = self.own, self.own + key_BGTD.shape[2]
        self.keys, self.values = self._room(self.keys, key_BGTD), self._room(self.values, value_BGTD)
        self.keys[:, :, begin : self.own] = key_BGTD
        self.values[:, :, begin : self.own] = value_BGTD
        keys, values = self.keys[:, :, : self.own], self.values[:, :, : self.own]
        keys.seen = _Seen(self.prefix, (self.keys, self.values), padding_B)  # type: ignore[attr-defined]
        return keys, values

    def _room(self, buffer: torch.Tensor | None, new_BGTD: torch.Tensor) -> torch.Tensor:
        """A buffer with room for the rows' tokens."""
        if buffer is not None and buffer.shape[2] >= self.own:
            return buffer
        batch, groups, _, width = new_BGTD.shape
        larger = new_BGTD.new_zeros(batch, groups, self.own + GROWTH, width)
        if buffer is not None:
            larger[:, :, : buffer.shape[2]] = buffer
        return larger

    def select(self, rows: torch.Tensor) -> None:
        if self.keys is not None and self.values is not None:
            self.keys, self.values = self.keys[rows], self.values[rows]


def shared_attention(
    module: Any,
    query_BHTD: torch.Tensor,
    key_BGSD: torch.Tensor,
    value_BGSD: torch.Tensor,
    bias_B1TS: torch.Tensor | None,
    scaling: float,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Softmax in fp32 over the shared keys, which all rows see, and the rows' own, which `bias` is for; returns BTHD.

    B rows, H query heads, G key heads, T queries, S keys of the rows, P keys shared, D channels.
    """
    B, H, T, D = query_BHTD.shape
    G, S = key_BGSD.shape[1:3]
    R = H // G
    seen: _Seen | None = getattr(key_BGSD, "seen", None)
    if seen and seen.padding_B is not None and T == 1 and usable(query_BHTD, *seen.buffers):
        return _newest(query_BHTD, seen, S, scaling), None
    prefix = seen.prefix if seen else None
    if prefix is None:  # the shared start itself, or prompts that share none
        said_BHTD = torch.nn.functional.scaled_dot_product_attention(
            query_BHTD, key_BGSD, value_BGSD, attn_mask=bias_B1TS, scale=scaling, enable_gqa=R > 1
        )
        return said_BHTD.transpose(1, 2), None
    query_BGQD = (query_BHTD * scaling).reshape(B, G, R * T, D)
    scores_BHTS = (query_BGQD @ key_BGSD.transpose(2, 3)).view(B, H, T, S)
    if bias_B1TS is not None:
        scores_BHTS = scores_BHTS + bias_B1TS
    shared_GPD, said_GPD = prefix
    P = shared_GPD.shape[1]
    together_GXD = query_BGQD.transpose(0, 1).reshape(G, B * R * T, D)
    before_BHTP = (together_GXD @ shared_GPD.transpose(1, 2)).view(G, B, R, T, P).transpose(0, 1).reshape(B, H, T, P)
    all_BHTX = torch.cat([before_BHTP, scores_BHTS], -1)
    shares_BHTX = torch.softmax(all_BHTX, -1, dtype=torch.float32).to(query_BHTD.dtype)
    of_prefix_BHTP, of_rows_BHTS = shares_BHTX.split([P, S], -1)
    weights_GXP = of_prefix_BHTP.reshape(B, G, R * T, P).transpose(0, 1).reshape(G, B * R * T, P)
    from_prefix_BGQD = (weights_GXP @ said_GPD).view(G, B, R * T, D).transpose(0, 1)
    mixed_BGQD = of_rows_BHTS.reshape(B, G, R * T, S) @ value_BGSD + from_prefix_BGQD
    return mixed_BGQD.view(B, H, T, D).transpose(1, 2), None


def _newest(query_BH1D: torch.Tensor, seen: _Seen, own: int, scaling: float) -> torch.Tensor:
    """What one new token of each row attends to, as B1HD."""
    B, H, _, D = query_BH1D.shape
    keys, values = seen.buffers
    start_keys, start_values = seen.prefix or (keys[:0], values[:0])
    mixed = torch.empty(B, 1, H, D, dtype=query_BH1D.dtype)
    sizes = B, H, keys.shape[1], D, start_keys.shape[1] if seen.prefix else 0, own, keys.shape[2]
    call(
        "attend_newest",
        query_BH1D.contiguous(),
        start_keys,
        start_values,
        keys,
        values,
        seen.padding_B,
        mixed,
        *sizes,
        scaling,
    )
    return mixed


def choose_shared_attention(network: Any) -> None:
    """Let the network attend through this file; it then wants four-dimensional additive masks."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register(SHARED, shared_attention)
    AttentionMaskInterface.register(SHARED, eager_mask)
    network.config._attn_implementation = SHARED
