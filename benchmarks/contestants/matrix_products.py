"""Sizes of a network and counts of tokens in, the bare matrix products that it needs for them out.

The products have the shapes and the type of those in training or scoring, with weights of their own for each layer,
as a network has them; nothing else is computed. Factors lie as they are multiplied fastest: those of weight gradients
are turned beforehand.
"""

from __future__ import annotations

import torch
from contestants.turns import JOB, Turns
from transformers import AutoConfig


def shapes() -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Outputs and inputs of the linear layers of one decoder layer, and of the head."""
    config = AutoConfig.from_pretrained(JOB["model"])
    hidden, inner = config.hidden_size, config.intermediate_size
    head = getattr(config, "head_dim", None) or hidden // config.num_attention_heads
    queries, keys = head * config.num_attention_heads, head * config.num_key_value_heads
    layer = [(queries, hidden), (keys, hidden), (keys, hidden), (hidden, queries)]
    layer += [(inner, hidden), (inner, hidden), (hidden, inner)]
    return layer * config.num_hidden_layers, (config.vocab_size, hidden)


def main() -> None:
    """Multiply until nobody waits for another turn."""
    torch.set_num_threads(JOB["threads"])
    turns = Turns()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    layers, head = shapes()
    tokens, predictions = int(JOB["tokens"]), int(JOB["predictions"])
    passes = [(torch.randn(out, into, device=device).bfloat16(), tokens) for out, into in layers]
    passes.append((torch.randn(head, device=device).bfloat16(), predictions))
    inputs = {(into, count): torch.randn(count, into, device=device).bfloat16() for (_, into), count in _sized(passes)}
    outputs = {(out, count): torch.randn(count, out, device=device).bfloat16() for (out, _), count in _sized(passes)}
    turned = {size: output.T.contiguous() for size, output in outputs.items()}
    rooms = {
        size: torch.empty(size, device=device, dtype=torch.bfloat16)
        for weight, count in passes
        for size in _results(weight, count)
    }
    each = {"reading": 1, "lora": 2, "full": 3}[JOB["kind"]]
    flops = 2 * each * sum(weight.numel() * count for weight, count in passes)
    while True:
        turns.wait()
        for weight, count in passes:
            out, into = weight.shape
            torch.mm(inputs[into, count], weight.T, out=rooms[count, out])
            if each > 1:
                torch.mm(outputs[out, count], weight, out=rooms[count, into])
            if each > 2:
                torch.mm(turned[out, count], inputs[into, count], out=rooms[out, into])
        turns.done(1, flops)


def _results(weight: torch.Tensor, count: int) -> list[tuple[int, int]]:
    """What the products of one layer make: room for it is used again, so that none has to be found."""
    out, into = weight.shape
    return [(count, out), (count, into), (out, into)]


def _sized(passes: list[tuple[torch.Tensor, int]]) -> list[tuple[torch.Size, int]]:
    return [(weight.shape, count) for weight, count in passes]


main()
