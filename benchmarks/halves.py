"""Does it still pay to multiply by halves where oneDNN leaves one of two threads idle?

    .venv/bin/python benchmarks/halves.py

Products of the default model's shapes with 1,000 tokens: whole, by half the rows and by half the columns, in turns.
Where the best way is no longer faster than the whole, `kernels/product.py` can go.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from contest import THREADS, options, ratio, tell
from findings import Finding, write

from everlearn.model.kernels.product import by_columns, by_rows, leaves_a_thread_idle, product

SHAPES = {
    "outputs of the MLP": (1000, 1536, 576, True),
    "outputs of attention": (1000, 576, 576, True),
    "gradients of the MLP's inputs": (1000, 1536, 576, False),
    "gradients of attention's weights": (576, 1000, 576, False),
    "gates, which are left whole": (1000, 576, 1536, True),
    "outputs of the MLP for 2,000 tokens, which are left whole": (2000, 1536, 576, True),
}
"""Rows, inputs and columns of products, and whether the second factor is turned, as weights are in a forward pass."""

WAYS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "whole": torch.mm,
    "by rows": by_rows,
    "by columns": by_columns,
    "as everlearn does": product,
}
REPEATED = 5
"""Products of a shape and a way in a turn: short turns, as what disturbs shared cores comes and goes."""


def main() -> None:
    """Take turns and write."""
    rounds = options().rounds
    torch.set_num_threads(THREADS)
    draw = torch.Generator().manual_seed(0)
    findings, notes = [], {}
    for name, (rows, inputs, columns, turned) in SHAPES.items():
        left = torch.randn(rows, inputs, generator=draw).bfloat16()
        right = torch.randn(columns, inputs, generator=draw).bfloat16().T
        right = right if turned else right.contiguous()
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        for number in range(rounds + 1):
            for way, multiply in WAYS.items():
                begin = time.perf_counter()
                for _ in range(REPEATED):
                    multiply(left, right)
                if number:
                    seconds[way].append(time.perf_counter() - begin)
        flops = 2 * rows * inputs * columns * REPEATED
        rates = {way: round(flops / statistics.median(taken) / 1e9) for way, taken in seconds.items()}
        notes[f"{name}, {rows} × {inputs} × {columns}: 10⁹ operations a second"] = rates
        if leaves_a_thread_idle(rows, columns):
            gained = ratio(seconds["whole"], seconds["as everlearn does"])
            findings.append(Finding(f"speed of {name}", "whole products", gained, 1.2))
        tell(f"  {name}: {rates}")
    write("Products by halves", findings, dict(notes))


if __name__ == "__main__":
    main()
