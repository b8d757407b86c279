"""New neurons lie in the upper half, and start as copies that say nothing."""

from __future__ import annotations

import pytest
import torch
from test_packing import rows_of

from everlearn.errors import ModelError
from everlearn.model.adaptation import Adaptation
from everlearn.model.packing import pack


def test_they_lie_in_the_upper_half_and_alone_change(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    assert {name.split(".")[2] for name in tiny.masters} == {"1"}, "of two layers the second is the upper half"
    assert sum(master.numel() for master in tiny.masters.values()) == (3 * 6 + 1) * 64


def test_a_model_without_gated_mlps_is_refused_with_a_way_out(tiny):
    del tiny.network.model.layers[1].mlp.gate_proj
    with pytest.raises(ModelError) as refused:
        tiny.adapt(Adaptation("neurons", 6))
    assert "weights=lora" in refused.value.hint


def test_they_start_as_copies_that_say_nothing(tiny):
    batch = pack(rows_of(2))
    before = tiny.logits(batch)
    tiny.adapt(Adaptation("neurons", 300))  # more than the old ones
    assert torch.equal(tiny.logits(batch), before)
    mlp = tiny.network.model.layers[1].mlp
    assert torch.equal(mlp.grown_gate[0], mlp.mlp.gate_proj.weight[0])
    assert {name for name, weight in mlp.named_parameters() if weight.requires_grad} == {"grown_up", "grown_out"}
