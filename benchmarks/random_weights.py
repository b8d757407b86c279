"""A folder with a config and a tokenizer in, the same with random weights out, where no weights are to be had.

    .venv/bin/python benchmarks/random_weights.py FROM TO
    BENCHMARK_MODEL=TO .venv/bin/python benchmarks/training_short_chats.py

Speed does not depend on what the numbers are; what is generated, and how likely answers are, does.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig


def write_random(tokenizer: Path, config: PreTrainedConfig, folder: Path) -> None:
    """A model of a shape with the tokenizer of another folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in tokenizer.iterdir():
        if path.name.startswith(("tokenizer", "special_tokens", "chat_template")):
            shutil.copy(path, folder)
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)


if __name__ == "__main__":
    source, made = map(Path, sys.argv[1:3])
    write_random(source, AutoConfig.from_pretrained(source), made)
