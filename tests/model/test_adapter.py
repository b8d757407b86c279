"""An adapter lies where it was asked for, its size is forecast rightly, and it grows without saying anything else."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import ModelError
from everlearn.estimate import size_of
from everlearn.methods.finetune import Finetune
from everlearn.model.adaptation import Adaptation
from everlearn.model.adapter import carries_adapter, part_of
from everlearn.model.chat import Row
from everlearn.model.delta import decode_delta, encode_delta, layer_distances
from everlearn.model.export import export_adapter
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import pack


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


# --- an adapter that grows -----------------------------------------------------------------------------

ROWS = [Row((0, 9, 8, 7 + number, 60 + number), (False,) * 3 + (True,) * 2) for number in range(3)]


def said(model) -> torch.Tensor:
    with torch.no_grad():
        return model.logits(pack(ROWS)).float()


def move(model, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    model.restore(
        {name: each + 0.05 * torch.randn(each.shape, generator=draw) for name, each in model.snapshot().items()}
    )


@pytest.mark.parametrize("where", ["all", "upper"])
def test_more_rows_say_nothing_yet_and_the_old_ones_what_they_said(tiny, where):
    tiny.adapt(Adaptation("lora", 4, where))
    move(tiny, 0)
    before, old = said(tiny), tiny.snapshot()
    tiny.resize(10)
    assert tiny.rank == 10
    assert torch.allclose(said(tiny), before, atol=0.02)  # bf16 sums other numbers of zeros
    now = tiny.snapshot()
    assert all(torch.equal(each, old[name]) for name, each in part_of(now, slice(4)).items())
    fresh = part_of(now, slice(4, None))
    assert all(bool(each.any()) is ("lora_A" in name) for name, each in fresh.items())
    assert max(float(each.abs().max()) for name, each in fresh.items() if "down" not in name) <= 1 / 8, "1 / sqrt(64)"
    tiny.resize(4)
    assert all(torch.equal(each, old[name]) for name, each in tiny.snapshot().items())


def test_growing_is_the_same_in_every_process(tiny_folder):
    grown = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        model = LanguageModel.load(str(tiny_folder))
        model.adapt(Adaptation("lora", 4))
        model.resize(8)
        grown.append(model.snapshot())
    assert all(torch.equal(each, grown[1][name]) for name, each in grown[0].items())


def test_versions_of_other_ranks_are_checked_out_in_any_order(tiny, tiny_folder):
    tiny.adapt(Adaptation("lora", 4))
    versions = []
    for rank in (4, 8, 12):
        tiny.resize(rank)
        move(tiny, rank)
        versions.append((encode_delta(tiny), tiny.snapshot(), said(tiny)))
    other = LanguageModel.load(str(tiny_folder))
    base = said(other)
    for number in (2, 0, 1, 2):
        data, masters, logits = versions[number]
        decode_delta(other, data)
        assert other.rank == 4 * (number + 1)
        assert all(torch.equal(each, masters[name]) for name, each in other.snapshot().items())
        assert torch.equal(said(other), logits)
        assert encode_delta(other) == data
    far = layer_distances(other, versions[0][0], versions[2][0])
    assert set(far) == {"layer 0", "layer 1"}
    assert all(distance > 0 for distance in far.values())
    other.restore(other.start())
    assert other.rank == 4, "where nothing was learnt there is nothing to grow"
    assert torch.allclose(said(other), base, atol=0.02)


def test_a_grown_adapter_is_exported_as_it_is(tiny, tiny_folder, tmp_path):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    tiny.adapt(Adaptation("lora", 4))
    tiny.resize(8)
    move(tiny, 3)
    export_adapter(tiny, tmp_path / "adapter")
    whole = AutoModelForCausalLM.from_pretrained(tiny_folder, dtype=torch.bfloat16)
    loaded = PeftModel.from_pretrained(whole, tmp_path / "adapter", autocast_adapter_dtype=False).eval()
    with torch.no_grad():
        theirs = torch.cat([loaded(torch.tensor([row.ids])).logits[0, 2:4].float() for row in ROWS])
    assert torch.allclose(said(tiny), theirs, atol=0.05)


def test_what_an_exam_has_brought_back_can_still_be_trained(tiny):
    tiny.adapt(Adaptation("lora", 4))
    masters = tiny.masters
    tiny.resize(8)
    wide = tiny.snapshot()
    with torch.inference_mode():
        tiny.restore(tiny.start())
        tiny.restore(wide)
    tiny.logits(pack(ROWS)).float().sum().backward()
    assert tiny.masters is masters, "an optimiser that was made before finds them"
    assert all(weight.grad is not None and len(weight) for weight in tiny.weights().values())
    assert {name: each.shape for name, each in masters.items()} == {n: w.shape for n, w in tiny.weights().items()}
