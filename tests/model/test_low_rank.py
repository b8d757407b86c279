"""An adapter of ours must compute what PEFT's computes, gradients too."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from everlearn.model.low_rank import LowRankLinear, quicken


@pytest.mark.parametrize("bias", [False, True])
def test_values_and_gradients_are_those_of_peft(bias):
    torch.manual_seed(0)
    adapted = get_peft_model(
        nn.Sequential(nn.Linear(24, 40, bias=bias)), LoraConfig(r=4, lora_alpha=12, target_modules=["0"])
    )
    layer = adapted.base_model.model[0]
    nn.init.normal_(layer.lora_B["default"].weight)
    trained = [layer.lora_A["default"].weight, layer.lora_B["default"].weight]
    outcomes = []
    for _ in range(2):
        inputs = torch.randn(2, 5, 24, generator=torch.Generator().manual_seed(1)).requires_grad_()
        said = adapted(inputs)
        outcomes.append([said, *torch.autograd.grad(said.square().sum(), [inputs, *trained])])
        quicken(adapted)
    assert isinstance(layer, LowRankLinear)
    for one, other in zip(*outcomes, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("more", [{"use_dora": True}, {"lora_dropout": 0.5}, {"lora_bias": True}])
def test_an_adapter_with_more_to_it_stays_as_it_is(more):
    adapted = get_peft_model(nn.Sequential(nn.Linear(24, 40)), LoraConfig(r=4, target_modules=["0"], **more))
    quicken(adapted)
    assert not isinstance(adapted.base_model.model[0], LowRankLinear)


def test_two_adapters_stay_as_they_are():
    adapted = get_peft_model(nn.Sequential(nn.Linear(24, 40)), LoraConfig(r=4, target_modules=["0"]))
    adapted.add_adapter("other", LoraConfig(r=2, target_modules=["0"]))
    quicken(adapted)
    assert not isinstance(adapted.base_model.model[0], LowRankLinear)
