"""A GGUF file of ours must become the directory that transformers makes of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from everlearn.errors import ModelError
from everlearn.model.conversion import PARTS, gguf_to_safetensors

HIDDEN, INNER, HEADS, GROUPS = 64, 96, 4, 2


@pytest.fixture
def gguf(tmp_path):
    """A two-layer Llama, quantised to blocks of 4 bits, with a small byte-level vocabulary."""
    writer = GGUFWriter(tmp_path / "small.gguf", "llama")
    writer.add_block_count(2)
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(GROUPS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = ["<unk>", "<s>", "</s>", *map(chr, range(33, 127)), "Ġ", "th", "Ġth", "Ġthe"]
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3, *[1] * (len(tokens) - 3)])
    writer.add_token_merges(["t h", "Ġ th", "Ġth e"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")
    source = np.random.default_rng(0)

    def put(name, *shape):
        values = source.standard_normal(shape).astype(np.float32)
        kind = GGMLQuantizationType.Q4_1 if len(shape) > 1 else GGMLQuantizationType.F32
        writer.add_tensor(name, quantize(values, kind) if len(shape) > 1 else values, raw_dtype=kind)

    put("token_embd.weight", len(tokens), HIDDEN)
    put("output_norm.weight", HIDDEN)
    for layer in range(2):
        for part, *shape in (
            ("attn_norm", HIDDEN),
            ("ffn_norm", HIDDEN),
            ("attn_q", HIDDEN, HIDDEN),
            ("attn_k", HIDDEN // HEADS * GROUPS, HIDDEN),
            ("attn_v", HIDDEN // HEADS * GROUPS, HIDDEN),
            ("attn_output", HIDDEN, HIDDEN),
            ("ffn_gate", INNER, HIDDEN),
            ("ffn_up", INNER, HIDDEN),
            ("ffn_down", HIDDEN, INNER),
        ):
            put(f"blk.{layer}.{part}.weight", *shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tmp_path / "small.gguf"


def test_weights_and_tokens_are_those_of_transformers(gguf, tmp_path):
    gguf_to_safetensors(gguf, tmp_path / "out")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="small.gguf", dtype=torch.float32)
    ours = load_file(tmp_path / "out" / "model.safetensors")
    wanted = {name: weight.bfloat16() for name, weight in theirs.state_dict().items() if name != "lm_head.weight"}
    assert set(ours) == set(wanted)
    assert all(torch.equal(ours[name], wanted[name]) for name in wanted)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    for name in ("rope_parameters", "rms_norm_eps", "tie_word_embeddings", "max_position_embeddings", "bos_token_id"):
        assert getattr(loaded.config, name) == getattr(theirs.config, name)
    text = "the thin </s>path, then 'the' other"
    mine, other = (
        AutoTokenizer.from_pretrained(tmp_path / "out"),
        AutoTokenizer.from_pretrained(tmp_path, gguf_file="small.gguf"),
    )
    assert mine.encode(text) == other.encode(text)
    assert (mine.eos_token, mine.pad_token, mine.chat_template) == (
        other.eos_token,
        other.pad_token,
        other.chat_template,
    )
    assert mine.decode(mine.encode(text)) == other.decode(other.encode(text))


def test_a_part_that_is_not_known_is_refused(gguf, tmp_path, monkeypatch):
    monkeypatch.delitem(PARTS, "ffn_up")
    with pytest.raises(ModelError, match=r"holds blk\.0\.ffn_up\.weight, which is not known"):
        gguf_to_safetensors(gguf, tmp_path / "out")


@pytest.mark.parametrize("content", [b"PK\3\4" + bytes(100), b"", b"GGUF", b"GGUF\1\0\0\0" + bytes(100)])
def test_what_is_no_gguf_is_refused(content, tmp_path):
    (tmp_path / "no.gguf").write_bytes(content)
    with pytest.raises(ModelError, match="is not a GGUF file"):
        gguf_to_safetensors(tmp_path / "no.gguf", tmp_path / "out")


def test_another_kind_of_model_is_refused(tmp_path):
    writer = GGUFWriter(tmp_path / "other.gguf", "gemma")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelError, match="holds a gemma"):
        gguf_to_safetensors(tmp_path / "other.gguf", tmp_path / "out")
