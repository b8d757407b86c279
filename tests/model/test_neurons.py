"""New neurons start silent, can be listened to, and stay silent where they are told to."""

from __future__ import annotations

import pytest
import torch
from test_packing import rows_of

from everlearn.errors import ModelError
from everlearn.model.language_model import Adaptation
from everlearn.model.packing import pack


def test_they_lie_in_the_upper_half_and_alone_change(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    assert {name.split(".")[2] for name in tiny.masters} == {"1"}, "of two layers the second is the upper half"
    assert sum(master.numel() for master in tiny.masters.values()) == 3 * 6 * 64


def test_a_model_without_gated_mlps_is_refused_with_a_way_out(tiny):
    del tiny.network.model.layers[1].mlp.gate_proj
    with pytest.raises(ModelError) as refused:
        tiny.adapt(Adaptation("neurons", 6))
    assert "weights=lora" in refused.value.hint


def test_they_are_as_loud_as_what_they_add_to_the_mlp(tiny):
    tiny.network.float()
    tiny.adapt(Adaptation("neurons", 6))
    rows = rows_of(2)
    tiny.overhear(rows)
    assert tiny.loudness(50, 0) == 0
    tiny.masters["model.layers.1.mlp.grown_out"].normal_(generator=torch.Generator().manual_seed(0))
    tiny.publish()
    heard = []
    mlp = tiny.network.model.layers[1].mlp
    batch = pack(rows)
    hooks = [
        mlp.mlp.register_forward_hook(lambda _, given, said: heard.append((given[0], said))),
    ]
    tiny.forget()
    tiny.logits(batch)
    hooks[0].remove()
    ((given, said),) = heard
    own = batch.own_tokens()
    wanted = mlp.new(given[own]).square().sum() / said[own].square().sum()
    tiny.overhear(rows)
    assert torch.allclose(tiny.loudness(20_000, 0), wanted, rtol=0.1)


def test_the_model_is_as_it_was_after_overhearing(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    tiny.masters["model.layers.1.mlp.grown_out"].fill_(0.1)
    tiny.publish()
    before = tiny.logits(pack(rows_of(2)))
    tiny.overhear(rows_of(3))
    tiny.forget()
    assert torch.equal(tiny.logits(pack(rows_of(2))), before)
    assert tiny.loudness(5, 0) is None


def test_other_adaptations_hear_nothing(tiny):
    tiny.adapt(Adaptation("lora", 4))
    tiny.overhear(rows_of(2))
    assert tiny.loudness(5, 0) is None
