"""Heads of a packed line of tokens in, attended values out: each token sees its own segment and those above it.

Segments of about the same length are attended together, so that neither other rows' tokens nor padding are computed.
The gradient computes attention again instead of keeping it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from everlearn.model.kernels.library import call, usable
from everlearn.model.prefix import beside

PACKED = "everlearn_packed"
"""The name under which transformers knows this attention."""

QUERIES = 128
"""Queries of a long segment that are attended at the same time; keys behind them are left out."""

QUICK_TO_START = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"""All of torch's kernels but cuDNN's, which plans for a quarter of a second at each new shape (H200)."""


class Group(NamedTuple):
    """B segments of at most T tokens behind starts of P tokens; places in the line, -1 where a segment is shorter."""

    own_BT: torch.Tensor
    keys_BS: torch.Tensor
    """The starts' places, then the segments' own: S = P + T."""
    alike: bool = False
    """Whether all starts are the same tokens, so many that it pays to attend to them once for all segments."""

    @classmethod
    def of(cls, segments: Sequence[tuple[list[int], range]], alike: bool = False) -> Group:
        """Of segments, each given by the places of what it sees above itself and its own."""
        longest = max(len(own) for _, own in segments)
        own = [[*places, *[-1] * (longest - len(places))] for _, places in segments]
        keys = [[*seen, *places] for (seen, _), places in zip(segments, own, strict=True)]
        return cls(torch.tensor(own, dtype=torch.int32), torch.tensor(keys, dtype=torch.int32), alike)

    @property
    def start(self) -> int:
        """P, the tokens that all of a segment see."""
        return self.keys_BS.shape[1] - self.own_BT.shape[1]

    def behind(self, begin: int, count: int) -> Group:
        """The same, each segment also seeing `count` keys that stand from there on."""
        segments = len(self.own_BT)
        more_BP = torch.arange(begin, begin + count, dtype=torch.int32).expand(segments, -1)
        alike = segments > 1 and (self.alike or not self.start)
        return Group(self.own_BT, torch.cat([more_BP, self.keys_BS], 1), alike)

    def to(self, device: torch.device) -> Group:
        """The same on a device."""
        return Group(self.own_BT.to(device), self.keys_BS.to(device), self.alike)


class Mask(NamedTuple):
    """Who sees whom in a line of N tokens, all pairs of which are computed."""

    seen_NN: Any
    """True where a query (first) sees a key."""

    @classmethod
    def of(cls, until_N: torch.Tensor) -> Mask:
        """Where each token is seen by itself and by those behind it, up to a place."""
        place_N = torch.arange(len(until_N), device=until_N.device)
        return cls((place_N <= place_N[:, None]) & (place_N[:, None] < until_N))


class Rows(NamedTuple):
    """B segments that see nothing but themselves, one behind the other."""

    bounds_C: torch.Tensor
    """Where they begin and, at the last place, end: C = B + 1."""
    longest: int

    @classmethod
    def of(cls, ends: Sequence[int]) -> Rows:
        """Of segments that end there."""
        bounds = [0, *ends]
        return cls(torch.tensor(bounds, dtype=torch.int32), max((end - at for at, end in pairwise(bounds)), default=0))

    @staticmethod
    def can_attend(hidden: torch.Tensor) -> bool:
        """Whether flash attention computes with such numbers there."""
        return (
            hidden.dtype is torch.bfloat16
            and hidden.is_cuda
            and torch.version.cuda is not None
            and torch.cuda.get_device_capability(hidden.device) >= (8, 0)
        )

    def to(self, device: torch.device) -> Rows:
        """The same on a device."""
        return Rows(self.bounds_C.to(device), self.longest)


Layout = tuple[Group, ...] | Mask | Rows
"""Who sees whom in a line: each of its tokens is in one group, but for those that fill it up; on a GPU also one mask
for all, or rows without shared starts."""


def packed_attention(
    query_NHD: torch.Tensor, key_NGD: torch.Tensor, value_NGD: torch.Tensor, layout: Layout, scaling: float
) -> torch.Tensor:
    """Attended values mixed_NHD: N tokens, H query heads, G key heads, D channels; zero outside all groups. Keys that
    are no token's stand behind those of the line."""
    assert key_NGD.shape == value_NGD.shape and query_NHD.shape[2] == key_NGD.shape[2]
    if isinstance(layout, Mask):
        return _masked(query_NHD, key_NGD, value_NGD, layout, scaling)
    if isinstance(layout, Rows):
        return _in_rows(query_NHD, key_NGD, value_NGD, layout, scaling)
    if usable(query_NHD, key_NGD, value_NGD):
        heads = (heads.contiguous() for heads in (query_NHD, key_NGD, value_NGD))
        mixed_NHD: torch.Tensor = _Packed.apply(*heads, layout, scaling)
        return mixed_NHD
    N = len(query_NHD)
    mixed_NHD = query_NHD.new_zeros(N + 1, *query_NHD.shape[1:])  # what stands nowhere goes to the last place
    # from fp32, so that the gradients of a start that many segments see are summed in fp32
    wide_key_NGD, wide_value_NGD = key_NGD.float(), value_NGD.float()
    for group in layout:
        own, keys = group.own_BT.long(), group.keys_BS.long()
        T, S = own.shape[1], keys.shape[1]
        # a GPU has no fast attention with both a mask and heads that share keys
        each = 1 if S == T else query_NHD.shape[1] // key_NGD.shape[1]
        key_BHSD, value_BHSD = (
            heads_NGD[keys.clamp(min=0)].to(query_NHD.dtype).transpose(1, 2).repeat_interleave(each, 1)
            for heads_NGD in (wide_key_NGD, wide_value_NGD)
        )
        with sdpa_kernel(QUICK_TO_START):
            mixed_BHTD = functional.scaled_dot_product_attention(
                query_NHD[own.clamp(min=0)].transpose(1, 2),
                key_BHSD,
                value_BHSD,
                # a segment's padding stands behind its tokens, which therefore never see it
                attn_mask=None if S == T else torch.ones(T, S, dtype=torch.bool, device=own.device).tril(S - T),
                is_causal=S == T,
                scale=scaling,
                enable_gqa=S == T and query_NHD.shape[1] > key_NGD.shape[1],
            )
        mixed_NHD.index_put_((own.where(own >= 0, N),), mixed_BHTD.transpose(1, 2))
    return mixed_NHD[:N]


def _masked(
    query_NHD: torch.Tensor, key_NGD: torch.Tensor, value_NGD: torch.Tensor, mask: Mask, scaling: float
) -> torch.Tensor:
    each = query_NHD.shape[1] // key_NGD.shape[1]
    # a GPU has no fast attention with both a mask and heads that share keys
    key_NHD, value_NHD = (heads_NGD.repeat_interleave(each, 1) for heads_NGD in (key_NGD, value_NGD))
    query_1HND, key_1HND, value_1HND = (heads.transpose(0, 1)[None] for heads in (query_NHD, key_NHD, value_NHD))
    mixed_1HND = functional.scaled_dot_product_attention(
        query_1HND, key_1HND, value_1HND, attn_mask=mask.seen_NN, scale=scaling
    )
    return mixed_1HND[0].transpose(0, 1)


def _in_rows(
    query_NHD: torch.Tensor, key_NGD: torch.Tensor, value_NGD: torch.Tensor, rows: Rows, scaling: float
) -> torch.Tensor:
    heads = (each.to(value_NGD.dtype).contiguous() for each in (query_NHD, key_NGD, value_NGD))
    bounds, longest = rows
    # torch's name for it, varlen_attn, takes other arguments in each version
    mixed_NHD: torch.Tensor = torch.ops.aten._flash_attention_forward(
        *heads, bounds, bounds, longest, longest, 0.0, True, False, scale=scaling
    )[0]
    return mixed_NHD


class _Packed(torch.autograd.Function):
    """The same by matrix products over groups, and kernels for what stands between them.

    The gradient copies the keys of a start for each segment even where starts are alike: exams repeat long starts, few
    lessons do.
    """

    @staticmethod
    def forward(
        ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, layout: tuple[Group, ...], scaling: float
    ) -> torch.Tensor:
        ctx.save_for_backward(query, key, value)
        ctx.layout, ctx.scaling = layout, scaling
        mixed = _like(query, layout)
        for group in layout:
            if group.alike:
                _attend_behind(group, query, key, value, scaling, mixed)
                continue
            keys, values = _take(key, group.keys_BS), _take(value, group.keys_BS)
            for begin in range(0, group.own_BT.shape[1], QUERIES):
                tile = _Tile(group, begin, query, keys, scaling)
                _give(tile.shares @ tile.seen(values), tile.own, mixed)
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value = ctx.saved_tensors
        of_mixed = given[0].contiguous()
        of_query = _like(query, ctx.layout)
        of_key, of_value = (torch.zeros(key.shape, dtype=torch.float32) for _ in range(2))
        for group in ctx.layout:
            keys, values = _take(key, group.keys_BS), _take(value, group.keys_BS)
            for begin in range(0, group.own_BT.shape[1], QUERIES):
                tile = _Tile(group, begin, query, keys, ctx.scaling)
                of_tile = tile.fold(_take(of_mixed, tile.own))
                _add(tile.shares.mT @ of_tile, tile.keys, of_value)
                of_scores = of_tile @ tile.seen(values).mT
                call("softmax_backward", tile.shares, of_scores, *_rows(of_scores), ctx.scaling)
                _give(of_scores @ tile.seen(keys), tile.own, of_query)
                _add(of_scores.mT @ tile.queries, tile.keys, of_key)
        return of_query, of_key.to(key.dtype), of_value.to(value.dtype), None, None


class _Tile:
    """Some queries of a group, X = B·G of them folded to Q = H/G·T, and how they share out what they see."""

    def __init__(self, group: Group, begin: int, query: torch.Tensor, keys: torch.Tensor, scaling: float) -> None:
        self.own = group.own_BT[:, begin : begin + QUERIES].contiguous()
        width = self.own.shape[1]
        self.end = group.start + begin + width
        self.keys = group.keys_BS[:, : self.end].contiguous()
        self.groups = keys.shape[1]
        self.queries = self.fold(_take(query, self.own))
        self.shares = self.queries @ self.seen(keys).mT
        rows, count = _rows(self.shares)
        call("causal_softmax", self.shares, rows, width, count, group.start + begin + 1, scaling)

    def fold(self, heads_BHTD: torch.Tensor) -> torch.Tensor:
        B, H, T, D = heads_BHTD.shape
        return heads_BHTD.view(B * self.groups, H // self.groups * T, D)

    def seen(self, keys_BGSD: torch.Tensor) -> torch.Tensor:
        """Keys or values up to the last that a query of the tile sees, as XSD."""
        return keys_BGSD[:, :, : self.end].flatten(0, 1)


def _attend_behind(
    group: Group, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, mixed: torch.Tensor
) -> None:
    """Attended values of segments whose starts are alike: the first one's keys are read once for all of them."""
    P, G, D = group.start, key.shape[1], key.shape[2]
    start_1P = group.keys_BS[:1, :P].contiguous()
    start_keys_GPD, start_values_GPD = _take(key, start_1P)[0], _take(value, start_1P)[0]
    keys_BGTD, values_BGTD = _take(key, group.own_BT), _take(value, group.own_BT)
    for begin in range(0, group.own_BT.shape[1], QUERIES):
        own_BW = group.own_BT[:, begin : begin + QUERIES].contiguous()
        B, W = own_BW.shape
        seen_keys_XSD, seen_values_XSD = (each[:, :, : begin + W].flatten(0, 1) for each in (keys_BGTD, values_BGTD))
        of_start_GQP = _take(query, own_BW.view(1, -1)).view(G, -1, D) @ start_keys_GPD.mT
        of_own_XQS = _take(query, own_BW).view(B * G, -1, D) @ seen_keys_XSD.mT
        sizes = B, query.shape[1], W, P, begin + W
        call("softmax_behind", of_start_GQP, of_own_XQS, *sizes, begin + 1, scaling)
        said = of_start_GQP @ start_values_GPD, of_own_XQS @ seen_values_XSD
        call("give_sums", *said, own_BW, mixed, B, W, query.shape[1], D)


def _like(heads_NHD: torch.Tensor, layout: tuple[Group, ...]) -> torch.Tensor:
    """Room for the heads of the line; zeros where nothing will be written, behind the last token of all groups."""
    made = torch.empty_like(heads_NHD)
    made[1 + max((int(group.own_BT.max()) for group in layout), default=-1) :] = 0
    return made


def _rows(scores: torch.Tensor) -> tuple[int, int]:
    return scores.shape[0] * scores.shape[1], scores.shape[2]


def _take(heads_NHD: torch.Tensor, places_BT: torch.Tensor) -> torch.Tensor:
    """Heads of the tokens at these places, as BHTD."""
    _, H, D = heads_NHD.shape
    B, T = places_BT.shape
    taken = heads_NHD.new_empty(B, H, T, D)
    call("take_heads", heads_NHD, places_BT, taken, B, T, H, D)
    return taken


def _give(made: torch.Tensor, places_BT: torch.Tensor, heads_NHD: torch.Tensor) -> None:
    """Put heads (BHTD, in any folding) back to where their tokens are."""
    call("give_heads", made, places_BT, heads_NHD, *places_BT.shape, *heads_NHD.shape[1:])


def _add(made: torch.Tensor, places_BS: torch.Tensor, heads_NGD: torch.Tensor) -> None:
    """Add heads (BGSD, in any folding) to those of their tokens."""
    call("add_heads", made.contiguous(), places_BS, heads_NGD, *places_BS.shape, *heads_NGD.shape[1:])


@contextmanager
def attending_packed(network: Any) -> Iterator[None]:
    """Let the network attend through this file; it must be given a `layout` then, and builds no mask."""
    from transformers import AttentionInterface

    AttentionInterface.register(PACKED, _for_transformers)  # without one for masks transformers makes none
    before = network.config._attn_implementation
    network.config._attn_implementation = PACKED
    try:
        yield
    finally:
        network.config._attn_implementation = before


def _for_transformers(
    module: Any,
    query_BHND: torch.Tensor,
    key_BGND: torch.Tensor,
    value_BGND: torch.Tensor,
    bias: torch.Tensor | None,
    scaling: float,
    layout: Layout,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    query, key, value = (heads[0].transpose(0, 1) for heads in (query_BHND, key_BGND, value_BGND))
    key, value = beside(module, key, value)
    return packed_attention(query, key, value, layout, scaling)[None], None
