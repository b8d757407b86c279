"""Sizes of a network and counts of tokens in, the bare matrix products that it needs for them out.

The products have the shapes and the type of those in training or scoring, with weights of their own for each layer,
as a network has them; nothing else is computed. Factors lie as they are multiplied fastest: those of weight gradients
are turned beforehand. Each shape is multiplied whole, by half the rows or by half the columns, whichever was fastest
before the first turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import torch
from contestants.turns import JOB, Turns
from transformers import AutoConfig

from everlearn.model.kernels.product import by_columns, by_rows

Product = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
LEAST_SECONDS = 1.0
"""Of a turn: those of others take about as long, and what disturbs the machine should meet both alike."""


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
    turned = {output.T.shape: output.T.contiguous() for output in outputs.values()}
    each = {"reading": 1, "lora": 2, "full": 3}[JOB["kind"]]
    flops = 2 * each * sum(weight.numel() * count for weight, count in passes)
    pairs = []
    for weight, count in passes:
        read, said = inputs[weight.shape[1], count], outputs[weight.shape[0], count]
        pairs += [(read, weight.T), (said, weight), (turned[said.T.shape], read)][:each]
    products = [partial(way, left, right) for (left, right), way in zip(pairs, fastest(pairs), strict=True)]
    while True:
        turns.wait()
        begin, passed = time.perf_counter(), 0
        while time.perf_counter() - begin < LEAST_SECONDS:
            for multiply in products:
                multiply()
            passed += 1
        turns.done(passed, passed * flops)


def fastest(pairs: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> list[Product]:
    """For each pair the way that took least in one of five tries with factors of its shape."""
    found: dict[tuple[object, ...], Product] = {}
    rooms: dict[tuple[int, int], torch.Tensor] = {}

    def whole(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """Into room that is used again, so that none has to be found."""
        size = len(left), right.shape[1]
        if size not in rooms:
            rooms[size] = left.new_empty(size)
        return torch.mm(left, right, out=rooms[size])

    ways = []
    for left, right in pairs:
        shape = left.shape, right.shape, right.is_contiguous()
        if shape not in found:
            found[shape] = min((whole, by_rows, by_columns), key=lambda way: _seconds(partial(way, left, right)))
        ways.append(found[shape])
    return ways


def _seconds(multiply: Callable[[], object]) -> float:
    """The least of five."""
    taken = []
    for _ in range(5):
        begin = time.perf_counter()
        multiply()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def _sized(passes: list[tuple[torch.Tensor, int]]) -> list[tuple[torch.Size, int]]:
    return [(weight.shape, count) for weight, count in passes]


main()
