"""Queries, keys, values and an additive mask in, attended values out: plain attention for short lines on a CPU.

The fused attention of torch is slow there in its backward pass, and repeats keys and values for
each group of query heads. This one multiplies each key head with all queries of its group at once.
"""

from __future__ import annotations

from typing import Any

import torch

PLAIN = "everlearn_plain"
"""The name under which transformers knows this attention."""

LONGEST = 640
"""Keys up to which it is the faster one; beyond, it would hold too many scores in memory."""


def choose_attention(network: Any, keys: int) -> None:
    """Let the network use the faster attention for lines of so many keys."""
    on_cpu = next(network.parameters()).device.type == "cpu"
    plain = on_cpu and keys <= LONGEST and torch.is_grad_enabled()
    if plain:
        _register()
    network.config._attn_implementation = PLAIN if plain else "sdpa"


def plain_attention(
    module: Any,
    query_BHTD: torch.Tensor,
    key_BGSD: torch.Tensor,
    value_BGSD: torch.Tensor,
    bias_B1TS: torch.Tensor | None,
    scaling: float,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Softmax in fp32 (B lines, H query heads, G key heads, T queries, S keys, D channels); returns BTHD."""
    B, H, T, D = query_BHTD.shape
    G, S = key_BGSD.shape[1:3]
    query_BGQD = (query_BHTD * scaling).reshape(B, G, H // G * T, D)
    scores_BHTS = (query_BGQD @ key_BGSD.transpose(2, 3)).view(B, H, T, S)
    if bias_B1TS is not None:
        scores_BHTS = scores_BHTS + bias_B1TS
    shares_BHTS = torch.softmax(scores_BHTS, -1, dtype=torch.float32).to(query_BHTD.dtype)
    mixed_BGQD = shares_BHTS.view(B, G, H // G * T, S) @ value_BGSD
    return mixed_BGQD.view(B, H, T, D).transpose(1, 2), None


def _register() -> None:
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register(PLAIN, plain_attention)
    AttentionMaskInterface.register(PLAIN, eager_mask)
