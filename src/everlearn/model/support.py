"""A network in, the reason why rows of texts cannot be packed for it out, where there is one.

Packed rows are told apart in attention alone, each token seeing all of its row. What is learnt from them is only right
for a network that mixes tokens nowhere else and never sees less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from everlearn.errors import ModelError
from everlearn.model.chat import Row
from everlearn.model.fused import Attention
from everlearn.model.packing import WORTH, Packed, pack

SAME = 0.05
"""How far a token's logits may lie from those in the row alone, relative to them: networks compute in bf16."""

START = WORTH + 2
"""Tokens that two of the compared rows share: enough for them to be computed once."""

LAYERS = {"full_attention", "sliding_attention"}
"""Kinds of layers that see what a layout says, within a window."""

HINT = "take a decoder with full or sliding-window attention, such as Llama, Mistral, Qwen2 or Qwen3"


@torch.no_grad()
def ensure_packable(network: Any, logits: Callable[[Packed], torch.Tensor]) -> None:
    """Compare packed rows, two of which start alike, with each alone; attention that is known to be ours is not tried.

    Raises:
        ModelError: packed rows would not be what they are alone.
    """
    config = network.config
    if getattr(config, "attn_logit_softcapping", None):
        raise ModelError(f"{config.model_type} caps the scores of attention, which is not supported", HINT)
    foreign = set(getattr(config, "layer_types", None) or ()) - LAYERS
    if foreign:
        raise ModelError(f"{config.model_type} has layers of {', '.join(sorted(foreign))}", HINT)
    if sum(type(module) is Attention for module in network.modules()) == config.num_hidden_layers:
        return
    ids = [number % config.vocab_size for number in range(3, 120)]
    start = ids[:START]
    rows = [_row(ids[80:], 0), *(_row([*start, *ids[begin : begin + 9]], START) for begin in (70, 85))]
    alone = torch.cat([network(input_ids=torch.tensor([row.ids], device=network.device)).logits[0] for row in rows])
    alone = alone[[learn for row in rows for learn in (*row.learn[1:], False)]]
    try:
        apart = logits(pack(rows)) - alone
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, TypeError, ValueError, AttributeError):  # it has no such parts, or they take no layout
        apart = torch.full_like(alone, torch.inf)
    if not (apart.norm(dim=-1) <= SAME * alone.norm(dim=-1)).all():
        raise ModelError(f"texts packed for a {config.model_type} would not be what they are alone", HINT)


def _row(ids: list[int], start: int) -> Row:
    """All but the start is to be predicted."""
    return Row(tuple(ids), tuple(at > 0 and at >= start for at in range(len(ids))))
