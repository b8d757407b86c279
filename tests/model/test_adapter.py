"""An adapter lies where it was asked for, and its size is forecast rightly."""

from __future__ import annotations

import pytest

from everlearn.errors import ModelError
from everlearn.estimate import size_of
from everlearn.methods.finetune import Finetune
from everlearn.model.adapter import carries_adapter
from everlearn.model.language_model import Adaptation


def test_the_upper_layers_of_thirty_are_fifteen():
    names = [f"model.layers.{number}.mlp.up_proj" for number in range(30)]
    chosen = [number for number, name in enumerate(names) if carries_adapter(name, "upper", 30)]
    assert chosen == list(range(15, 30))


def test_the_upper_adapter_leaves_attention_alone(tiny):
    tiny.adapt(Adaptation("lora", 4, "upper"))
    assert tiny.masters
    assert all(".mlp." in name for name in tiny.masters)


@pytest.mark.parametrize("where", ["all", "upper"])
def test_the_forecast_counts_what_changes(tiny, tiny_folder, where):
    tiny.adapt(Adaptation("lora", 4, where))
    changing = sum(master.numel() for master in tiny.masters.values())
    assert size_of(tiny_folder, Finetune(weights="lora", rank=4, where=where)).changing == changing


def test_a_network_without_such_layers_is_refused_with_a_way_out(tiny):
    tiny.network.model.layers = tiny.network.model.layers[:0]
    with pytest.raises(ModelError) as refused:
        tiny.adapt(Adaptation("lora", 4, "upper"))
    assert "where=all" in refused.value.hint
