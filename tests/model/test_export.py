"""A taught model in, directories that PEFT and transformers load out."""

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from everlearn.errors import ModelError
from everlearn.model.adaptation import Adaptation
from everlearn.model.export import export_adapter, export_merged
from everlearn.model.fused import fuse
from everlearn.model.low_rank import quicken

IDS = torch.tensor([[0, 70, 80, 90, 1]])


@pytest.fixture
def with_adapter(tiny):
    tiny.adapt(Adaptation("lora", 4))
    return _moved(tiny)


@pytest.fixture
def with_neurons(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    return _moved(tiny)


@pytest.fixture
def with_full_weights(tiny):
    tiny.adapt(Adaptation("full"))
    return _moved(tiny)


def _moved(model):
    generator = torch.Generator().manual_seed(1)
    for name, master in model.masters.items():
        model.masters[name] = master + 0.05 * torch.randn(master.shape, generator=generator)
    return model


def logits(network):
    with torch.inference_mode():
        return network(input_ids=IDS).logits.float()


def test_full_weights_are_loaded_bit_by_bit(with_full_weights, tmp_path):
    export_merged(with_full_weights, tmp_path / "out")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert loaded.dtype == torch.bfloat16
    fuse(loaded)
    assert torch.equal(logits(loaded), logits(with_full_weights.network))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert tokenizer.chat_template == with_full_weights.tokenizer.chat_template


def test_an_adapter_is_merged_into_the_weights(with_adapter, tiny_folder, tmp_path):
    before = logits(with_adapter.network)
    export_merged(with_adapter, tmp_path / "out")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    base = AutoModelForCausalLM.from_pretrained(tiny_folder)
    assert loaded.dtype == torch.bfloat16
    moved = (logits(base) - before).abs().max()
    assert (logits(loaded) - before).abs().max() < 0.1 * moved
    assert torch.equal(logits(with_adapter.network), before)


def test_new_neurons_make_the_mlps_of_a_plain_model_wider(with_neurons, tmp_path):
    export_merged(with_neurons, tmp_path / "out")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert type(loaded.model.layers[1].mlp).__name__ == "LlamaMLP"
    assert loaded.config.intermediate_size == 128 + 6
    moved = logits(with_neurons.network)
    assert (logits(loaded) - moved).abs().max() < 0.02 * moved.abs().max()


def test_new_neurons_say_nothing_before_they_have_learnt(tiny):
    before = logits(tiny.network)
    tiny.adapt(Adaptation("neurons", 6))
    assert torch.equal(logits(tiny.network), before)


def test_peft_loads_the_adapter(with_adapter, tiny_folder, tmp_path):
    from peft import PeftModel

    export_adapter(with_adapter, tmp_path / "out")
    base = AutoModelForCausalLM.from_pretrained(tiny_folder)
    untouched = logits(base)
    loaded = PeftModel.from_pretrained(base, tmp_path / "out", autocast_adapter_dtype=False)
    fuse(loaded)
    quicken(loaded)
    assert torch.equal(logits(loaded), logits(with_adapter.network))
    assert not torch.equal(logits(loaded), untouched)


def test_full_weights_have_no_adapter(with_full_weights, tmp_path):
    with pytest.raises(ModelError, match="changes all weights, so there is no adapter") as refused:
        export_adapter(with_full_weights, tmp_path / "out")
    assert "everlearn export merged FOLDER" in refused.value.hint
    assert not (tmp_path / "out").exists()


def test_the_base_has_no_adapter(tiny, tmp_path):
    with pytest.raises(ModelError, match="this version is the base"):
        export_adapter(tiny, tmp_path / "out")


def test_a_folder_with_files_is_left_alone(tiny, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ModelError, match="is there already and not empty"):
        export_merged(tiny, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_fine(tiny, tmp_path):
    export_merged(tiny, tmp_path)
    assert (tmp_path / "model.safetensors").is_file()


def test_where_nothing_can_be_written_it_says_so(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="Not a directory") as refused:
        export_merged(tiny, tmp_path / "file" / "out")
    assert refused.value.hint
