"""A network of ours must say what transformers' network says, in each architecture that is known."""

from __future__ import annotations

import copy

import pytest
import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from everlearn.model.fused import KINDS, fuse

SIZES = {
    "vocab_size": 99,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 12,
}
FAMILIES = {
    "llama": (LlamaForCausalLM, LlamaConfig, 9),
    "mistral": (MistralForCausalLM, MistralConfig, 7),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config, 9),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config, 11),
}


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_same_is_said(name, dtype):
    kind, config, replaced = FAMILIES[name]
    torch.manual_seed(0)
    plain = kind(config(**SIZES)).to(dtype).eval()
    ours = copy.deepcopy(plain)
    fuse(ours)
    mine = [module for module in ours.modules() if type(module) in KINDS.values()]
    assert len(mine) == replaced, "norms, MLPs, and attention where it is known"
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in plain.named_parameters()]
    ids = torch.arange(3, 40)[None]
    wanted, found = plain(input_ids=ids).logits.float(), ours(input_ids=ids).logits.float()
    share = 1e-5 if dtype == torch.float32 else 0.03
    assert (found - wanted).abs().max() <= share * wanted.abs().max()


def test_an_unknown_activation_is_left_alone():
    plain = LlamaForCausalLM(LlamaConfig(**SIZES, hidden_act="gelu"))
    fuse(plain)
    assert type(plain.model.layers[0].mlp).__name__ == "LlamaMLP"
