"""Strings in, the small model as a classifier and the strings as tensors out: for frameworks of continual learning."""

from __future__ import annotations

import torch
from contestants.small_items import strings
from contestants.turns import JOB
from transformers import AutoModelForCausalLM, AutoTokenizer


class Classifier(torch.nn.Module):
    """A causal model whose logits at the last position name the class."""

    def __init__(self) -> None:
        super().__init__()
        self.network = AutoModelForCausalLM.from_pretrained(JOB["model"], dtype=getattr(torch, JOB["dtype"]))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits_BV of tokens_BT, which mammoth's buffer keeps as floats."""
        logits: torch.Tensor = (
            self.network(input_ids=ids.long(), use_cache=False, logits_to_keep=1).logits[:, -1].float()
        )
        return logits


def tensors() -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens_NT of all strings, the end of the turn included, and the token that is their class."""
    tokenizer = AutoTokenizer.from_pretrained(JOB["model"])
    pairs = strings(JOB["count"])
    ids = torch.tensor([tokenizer.encode(f"{text}<|end|>", add_special_tokens=False) for text, _ in pairs])
    labels = torch.tensor([tokenizer.encode(label, add_special_tokens=False)[0] for _, label in pairs])
    return ids, labels
