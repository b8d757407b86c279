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


@pytest.mark.parametrize("padding", [None, 7])
def test_gradients_of_a_token_that_is_looked_up_often_add_up(padding):
    """A thousand gradients of 0.01 beside one of 2 are 12; added up in bf16 they would be 2.x."""
    torch.manual_seed(0)
    table = torch.nn.Embedding(20, 4, padding_idx=padding)
    network = torch.nn.Sequential(table).bfloat16()
    fuse(network)
    ids = torch.cat([torch.full((1001,), 5), torch.tensor([3, 7, 7])])
    given = torch.full((len(ids), 4), 0.01)
    given[0] = 2
    network(ids).backward(given.bfloat16())
    found = table.weight.grad.to_dense()
    assert found[5].float().mean() == pytest.approx(12, rel=0.01)
    assert found[3].float().mean() == pytest.approx(0.01, rel=0.01)
    assert found[7].float().mean() == (0 if padding == 7 else pytest.approx(0.02, rel=0.01))
    assert not found[[0, 1, 2, 4, 6]].any()
