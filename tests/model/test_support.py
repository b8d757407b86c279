"""Only networks whose packed rows are what they are alone may be loaded; the others are refused with the reason."""

from __future__ import annotations

import pytest
import torch
import transformers
from test_packing import alone, rows_of

from everlearn.errors import ModelError
from everlearn.model.generation import continuations
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import pack

SIZES = {
    "vocab_size": 300,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}


def loaded(family: str, monkeypatch: pytest.MonkeyPatch, **more: object) -> LanguageModel:
    torch.manual_seed(0)
    monkeypatch.setattr("everlearn.model.language_model.Chat", lambda *_: None)
    sizes = {name: size for name, size in {**SIZES, **more}.items() if size is not None}
    config = getattr(transformers, f"{family}Config")(**sizes)
    network = getattr(transformers, f"{family}ForCausalLM")(config)
    return LanguageModel(network, None, family, "")


@pytest.mark.parametrize("family", ["Llama", "Mistral", "Qwen2", "Qwen3", "Phi3", "Gemma", "Olmo2"])
def test_packed_logits_equal_those_of_rows_alone(family, monkeypatch):
    model = loaded(family, monkeypatch, pad_token_id=0)
    rows = rows_of(1)
    batch = pack(rows)
    packed = model.logits(batch)
    for number, row in enumerate(rows):
        wanted = alone(model, row)
        assert (packed[batch.row_N == number] - wanted).abs().max() <= 1e-3 * wanted.abs().max()


@pytest.mark.parametrize("family", ["Llama", "Mistral", "Qwen2", "Qwen3", "Phi3", "Gemma", "Olmo2"])
def test_replies_in_a_batch_behind_a_shared_start_equal_those_alone(family, monkeypatch):
    network = loaded(family, monkeypatch, pad_token_id=0).network.float()
    prompts = [[5, 6, 7, number] + [8] * (number % 3) for number in range(10, 16)]
    wanted = []
    for prompt in prompts:
        ids = list(prompt)
        for _ in range(6):
            ids.append(int(network(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
        wanted.append(tuple(ids[len(prompt) :]))
    replies = continuations(network, prompts, 6, set(), 0.0, torch.Generator())
    assert [reply.ids for reply in replies] == wanted


def test_a_window_is_the_context(monkeypatch):
    assert loaded("Mistral", monkeypatch, sliding_window=100).context == 100
    assert loaded("Qwen2", monkeypatch, sliding_window=100, use_sliding_window=False).context == 256


@pytest.mark.parametrize(
    ("family", "more", "reason"),
    [
        ("Gemma2", {"head_dim": 12}, "caps the scores"),
        ("Mamba", {"state_size": 4, "max_position_embeddings": None}, "does not say how long"),
        ("Rwkv", {"rescale_every": 0}, "would not be what they are alone"),
        ("Lfm2", {"layer_types": ["conv", "full_attention"]}, "has layers of conv"),
    ],
)
def test_others_are_refused(family, more, reason, monkeypatch):
    with pytest.raises(ModelError, match=reason):
        loaded(family, monkeypatch, **more)
