"""What share of a GPU's bf16 peak does training all weights of a model of 1B at 2,048 tokens reach? At least 0.45?

    .venv/bin/python benchmarks/training_large_shape.py

The weights are random, as no checkpoint is needed to see how fast they learn. Needs a GPU; without one nothing is
measured and the page says so.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from contest import MODEL, THREADS, Contestant, alternate, once, options, ratio, tell
from environments import OURS
from findings import Finding, write
from limit import LIMIT, products, rates, share
from random_weights import write_random
from transformers import LlamaConfig

from everlearn.model.cache import model_directory

SHAPE = {
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 49152,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": True,
}
"""Layers as those of Llama 3.2 1B, with the vocabulary of the default model's tokenizer."""

PEAKS = {
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "H200 NVL": 835e12,
    "H200": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
}
"""bf16 operations a second without sparsity, by the vendor's data sheets; the first name that fits is meant."""

ROWS = 16
WORDS = 1080
"""Of a document of about 2,000 tokens."""


def contestant(folder: str, rows: int, steps: int) -> Contestant:
    """Steps of so many documents each."""
    job = {"items": "documents", "count": 64, "words": WORDS, "model": folder, "threads": THREADS, "steps": steps}
    settings = {"weights": "full", "rows_per_step": rows, "epochs": 1000, "learning_rate": 1e-5}
    return Contestant("everlearn", "everlearn_training.py", OURS, {**job, "method": "finetune", "settings": settings})


def peak(device: str) -> float:
    """What the data sheet promises.

    Raises:
        SystemExit: of a GPU that is not in the list.
    """
    for name, promised in PEAKS.items():
        if name in device:
            return promised
    raise SystemExit(f"put the bf16 peak of {device} into PEAKS first")


def main() -> None:
    """Make the model, take turns with bare products, write."""
    if not torch.cuda.is_available():
        tell("there is no GPU here: the row stays open")
        return
    rounds = options().rounds
    device = torch.cuda.get_device_name()
    promised = peak(device)
    with tempfile.TemporaryDirectory() as scratch:
        write_random(model_directory(MODEL), LlamaConfig(**SHAPE), Path(scratch))
        us = contestant(scratch, ROWS, 4)
        first = once(us).more
        bare = products("full", first["tokens"], first["predictions"])
        turns = alternate([us, replace(bare, job={**bare.job, "model": scratch})], rounds)
    mine, theirs = turns.values()
    achieved = [turn.flops / turn.seconds for turn in mine]
    findings = [
        Finding("share of the GPU's bf16 peak", f"{device}, data sheet", ratio(achieved, [promised] * rounds), 0.45),
        Finding(LIMIT, "bare matrix products", share(mine, theirs), 0.7),
    ]
    notes: dict[str, object] = {
        "documents a step": ROWS,
        "tokens a document": round(first["tokens"] / ROWS),
        "10¹² operations a second, at best": rates(turns),
    }
    write("Training a 1B shape at 2k tokens on a GPU", findings, notes, model="1B shape, random weights")


if __name__ == "__main__":
    main()
