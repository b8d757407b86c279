"""What linear layers are given must be what those of a plain transformers network are given."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from everlearn.model.adaptation import Adaptation
from everlearn.model.chat import Row
from everlearn.model.packing import pack

START = tuple(range(10, 70))
ROWS = [Row((*START, *own), (False,) * 60 + (True,) * len(own)) for own in ((7, 8, 9, 4), (5, 6), (7, 200, 201))]


def plain_inputs(network: nn.Module, names: list[str], row: Row) -> dict[str, torch.Tensor]:
    given = {}
    hooks = [
        network.get_submodule(name.removesuffix(".weight")).register_forward_pre_hook(
            lambda _, arguments, name=name: given.update({name: arguments[0][0]})
        )
        for name in names
    ]
    network(input_ids=torch.tensor([row.read]))
    for hook in hooks:
        hook.remove()
    return given


@torch.no_grad()
@pytest.mark.parametrize("adaptation", [Adaptation("full"), Adaptation("lora", 4), Adaptation("lora", 4, "upper")])
def test_it_is_what_a_plain_network_gives(tiny, tiny_folder, adaptation):
    plain = AutoModelForCausalLM.from_pretrained(tiny_folder, dtype=torch.bfloat16)
    tiny.adapt(adaptation)
    if adaptation.kind == "lora":
        from peft import get_peft_model

        from everlearn.model.adapter import _config

        plain = get_peft_model(plain, _config(plain, adaptation.size, adaptation.where), autocast_adapter_dtype=False)
        torch.manual_seed(0)
        weights = tiny.weights()
        for name, weight in plain.named_parameters():
            if "lora_" in name:
                weights[name].copy_(torch.randn(weight.shape) / 8)
                weight.copy_(weights[name])
    tiny.remember(ROWS)  # where only the upper layers change the lower ones would not be computed again
    names = tiny.linear_weights()
    assert len(names) == {"full": 2 * 7, "lora": 2 * (2 * 7 if adaptation.where == "all" else 3)}[adaptation.kind]
    batch = pack(ROWS)
    found = tiny.linear_inputs(batch, names)
    assert set(found) == set(names)
    for row, places in zip(batch.rows, batch.places, strict=True):
        wanted = plain_inputs(plain, names, row)
        for name in names:
            mine = torch.cat([found[name][place.at : place.at + place.stop - place.start] for place in places])
            away = (mine.float() - wanted[name].float()).abs().max()
            assert away <= 0.03 * wanted[name].float().abs().max(), name


def test_listening_leaves_nothing_behind(tiny):
    tiny.adapt(Adaptation("full"))
    batch = pack(ROWS)
    before = tiny.logits(batch)
    tiny.linear_inputs(batch, tiny.linear_weights())
    assert not any(module._forward_pre_hooks for module in tiny.network.modules())
    assert torch.equal(tiny.logits(batch), before)
