"""What share of a GPU's bf16 peak does training all weights of a model of 1B at 2,048 tokens reach? At least 0.45?

    .venv/bin/python benchmarks/training_large_shape.py

The weights are random, as no checkpoint is needed to see how fast they learn. Needs a GPU; without one nothing is
measured and the page says so.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import torch
from contest import THREADS, Contestant, alternate, options, ratio, tell
from environments import OURS
from findings import Finding, write
from limit import products, rates, share
from transformers import AutoModelForCausalLM, LlamaConfig

from everlearn.model.cache import DEFAULT_MODEL, model_directory

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

PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12, "4090": 165e12}
"""bf16 operations a second without sparsity, by the vendor's data sheets."""

ROWS = 8
WORDS = 1080
"""Of a document of about 2,000 tokens."""


def random_model(folder: Path) -> None:
    """A directory with random weights of the shape, and the default model's tokenizer."""
    for path in model_directory(DEFAULT_MODEL).iterdir():
        if path.name.startswith(("tokenizer", "special_tokens", "chat_template")):
            shutil.copy(path, folder)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(LlamaConfig(**SHAPE), dtype=torch.bfloat16).save_pretrained(folder)


def peak(device: str) -> float:
    """What the data sheet promises."""
    return next(value for name, value in PEAKS.items() if name in device)


def main() -> None:
    """Make the model, take turns with bare products, write."""
    if not torch.cuda.is_available():
        tell("there is no GPU here: the row stays open")
        return
    rounds = options().rounds
    device = torch.cuda.get_device_name()
    with tempfile.TemporaryDirectory() as scratch:
        random_model(Path(scratch))
        job = {"items": "documents", "count": 64, "words": WORDS, "model": scratch, "threads": THREADS, "steps": 4}
        settings = {"weights": "full", "rows_per_step": ROWS, "epochs": 1000, "learning_rate": 1e-5}
        us = Contestant("everlearn", "everlearn_training.py", OURS, {**job, "method": "finetune", "settings": settings})
        bare = products("full", ROWS * 2048, ROWS * 2048)
        turns = alternate([us, Contestant(bare.name, bare.script, OURS, {**bare.job, "model": scratch})], rounds)
    mine, theirs = turns.values()
    achieved = [turn.flops / turn.seconds for turn in mine]
    findings = [
        Finding(
            f"share of the bf16 peak of {device}", "its data sheet", ratio(achieved, [peak(device)] * rounds), 0.45
        ),
        Finding("share of the limit", "bare matrix products", share(mine, theirs), 0.7),
    ]
    write(
        "Training a 1B shape at 2k tokens on a GPU",
        findings,
        {"tokens a step": round(mine[0].more["tokens"]), "10\u00b9\u00b2 operations a second, at best": rates(turns)},
    )


if __name__ == "__main__":
    main()
