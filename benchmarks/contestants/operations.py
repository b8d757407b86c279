"""A network and counts of tokens in, floating-point operations of its matrix products with weights out.

Attention, norms, losses and optimisers are not counted: they are what stands between a program and the machine's limit.
"""

from __future__ import annotations

from typing import Any


def reading(network: Any, tokens: float, predictions: float) -> float:
    """Forward only: two operations for each weight and token; the output head is applied to some tokens alone."""
    head = network.get_output_embeddings().weight.numel()
    return 2 * (_body(network) * tokens + head * predictions)


def learning(network: Any, tokens: float, predictions: float, full: bool) -> float:
    """Forward, gradients of what is handed on, and gradients of the weights where all of them are trained."""
    return (3 if full else 2) * reading(network, tokens, predictions)


def _body(network: Any) -> int:
    """Weights of the linear layers of the decoder, adapters left out."""
    return sum(
        weight.numel()
        for name, weight in network.named_parameters()
        if weight.dim() == 2 and ".layers." in name and "lora_" not in name
    )
