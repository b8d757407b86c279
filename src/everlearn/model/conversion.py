"""A GGUF file in, a transformers directory (bf16 safetensors, tokenizer, config) out."""

from __future__ import annotations

from pathlib import Path

import torch


def gguf_to_safetensors(gguf: Path, folder: Path) -> None:
    """Dequantise `gguf` and save model and tokenizer to `folder`, which must not exist yet."""
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    network = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    network.bfloat16()
    # transformers refuses to save a dequantised model while it still carries its quantizer
    vars(network)["hf_quantizer"] = None
    vars(network.config).pop("quantization_config", None)
    network.config._name_or_path = ""
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
