"""A cartridge read from a text is that text in view; several stand side by side; one of zeros is none."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import ModelError
from everlearn.estimate import size_of
from everlearn.methods.cartridges import Cartridges
from everlearn.model import attention
from everlearn.model.adaptation import Adaptation
from everlearn.model.chat import Row
from everlearn.model.delta import decode_delta, encode_delta
from everlearn.model.export import export_merged
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import pack
from everlearn.model.prefix import prefixes, standing

TOKENS = 20


def drawn(count: int, seed: int = 0) -> tuple[int, ...]:
    """Random tokens."""
    return tuple(torch.randint(5, 250, (count,), generator=torch.Generator().manual_seed(seed)).tolist())


def lines() -> list[Row]:
    """Rows of several lengths, four of which start like another one."""
    starts = [drawn(60, seed) for seed in (8, 9)]
    bodies = [drawn(9, 1), drawn(30, 2), drawn(70, 3), *((*s, *drawn(n, n)) for s in starts for n in (9, 12))]
    return [Row(ids, (False,) * (len(ids) - 6) + (True,) * 6) for ids in bodies]


def in_view(model: LanguageModel, text: tuple[int, ...], row: Row) -> Row:
    """The row with a text in front, behind the token that begins all."""
    before = (*model.chat.first, *text)
    return Row((*before, *row.ids), (*[False] * len(before), *row.learn))


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one.detach().float() - other.detach().float()).norm() / other.detach().float().norm())


def make_attentive(network) -> None:
    """Random weights hardly look at what is in view."""
    for name, weight in network.named_parameters():
        if "self_attn" in name:
            weight.data *= 6


@pytest.fixture
def model(tiny) -> LanguageModel:
    """The tiny model with room for a cartridge."""
    make_attentive(tiny.network)
    tiny.adapt(Adaptation("cartridge", TOKENS))
    return tiny


def test_without_a_cartridge_it_says_bit_by_bit_what_it_did(tiny):
    before = tiny.logits(pack(lines())), tiny.generate([drawn(8)], 6)
    tiny.adapt(Adaptation("cartridge", TOKENS))
    assert torch.equal(tiny.logits(pack(lines())), before[0])
    assert tiny.generate([drawn(8)], 6) == before[1]
    assert standing(prefixes(tiny.network)) == 0


def test_a_cartridge_read_from_a_text_is_the_text_in_view(model):
    text, rows = drawn(TOKENS, 7), lines()
    bare = model.logits(pack(rows))
    wanted = model.logits(pack([in_view(model, text, row) for row in rows]))
    model.restore(model.read_cartridge(text))
    assert apart(model.logits(pack(rows)), wanted) < 0.01
    assert apart(bare, wanted) > 0.1, "what is in view matters"


@pytest.mark.parametrize("shared", [False, True])
def test_what_is_written_behind_it_is_written_behind_the_text(model, shared):
    text = drawn(TOKENS, 7)
    start = drawn(30, 8) if shared else ()
    prompts = [(*start, *drawn(4 + number, number)) for number in range(4)]
    wanted = model.generate([(*model.chat.first, *text, *prompt) for prompt in prompts], 8)
    model.restore(model.read_cartridge(text))
    assert model.generate(prompts, 8) == wanted


def test_several_are_concatenated_and_their_order_means_nothing(model):
    rows, kept = lines(), [model.read_cartridge(drawn(TOKENS, seed)) for seed in (1, 2, 3)]
    for prefix in prefixes(model.network):
        keys, values = prefix.names
        model.stand_beside(kept)
        standing([prefix])
        heads = prefix.heads()
        assert torch.equal(heads.keys_PGD[1:].float(), torch.cat([one[keys] for one in kept]))
        assert torch.equal(heads.values_PGD[1:].float(), torch.cat([one[values] for one in kept]))
    together = model.logits(pack(rows))
    model.stand_beside(kept[::-1])
    assert apart(model.logits(pack(rows)), together) < 0.01
    model.stand_beside(kept[1:])
    assert apart(model.logits(pack(rows)), together) > 0.03
    model.restore(kept[0])  # its own and two others are the three
    assert apart(model.logits(pack(rows)), together) < 0.01
    model.forget()
    model.restore(model.start())
    assert standing(prefixes(model.network)) == 0


def test_gradients_reach_the_cartridge_alone_and_are_those_of_plain_torch(model, monkeypatch):
    found = []
    for usable in (attention.usable, lambda *_: False):
        monkeypatch.setattr(attention, "usable", usable)
        model.restore(model.read_cartridge(drawn(TOKENS, 7)))
        model.stand_beside([model.start(), {n: m + 0.1 for n, m in model.start().items()}])
        model.logits(pack(lines())).float().logsumexp(-1).sum().backward()
        found.append(
            {name: weight.grad for name, weight in model.network.named_parameters() if weight.grad is not None}
        )
        model.network.zero_grad()
        model.stand_beside(())
    assert found[0].keys() == found[1].keys() == set(model.masters)
    assert all(apart(found[0][name], found[1][name]) < 0.03 for name in found[0])


def test_peft_makes_the_same_of_it(model):
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    model.restore(model.read_cartridge(drawn(TOKENS, 7)))
    row = lines()[2]
    said = model.logits(pack([row]))
    heads = [prefix.heads() for prefix in prefixes(model.network)]
    network = transformers.AutoModelForCausalLM.from_pretrained(model.name, dtype=torch.bfloat16)
    make_attentive(network)
    config = peft.CartridgeConfig(num_virtual_tokens=1 + TOKENS, num_frozen_tokens=1, task_type="CAUSAL_LM")
    theirs = peft.get_peft_model(network, config)
    flat = torch.cat([each.detach().flatten(1) for layer in heads for each in layer], 1)
    theirs.prompt_encoder["default"].load_prompt_embeddings(flat.float())
    ids = torch.tensor([row.ids])
    logits_TV = theirs(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
    assert apart(said, logits_TV[-7:-1]) < 0.02


def test_it_is_stored_and_its_size_known(model, tiny_folder):
    model.restore(model.read_cartridge(drawn(TOKENS, 7)))
    masters, said = model.snapshot(), model.logits(pack(lines()))
    data = encode_delta(model)
    model.restore(model.start())
    decode_delta(model, data)
    assert all(torch.equal(model.masters[name], masters[name]) for name in masters)
    assert torch.equal(model.logits(pack(lines())), said)
    assert size_of(tiny_folder, Cartridges(tokens=TOKENS)).changing == sum(one.numel() for one in masters.values())


def test_no_other_model_can_have_one(model, tmp_path):
    with pytest.raises(ModelError, match="a cartridge of 20 tokens"):
        export_merged(model, tmp_path / "out")


def test_pooled_states_are_those_of_a_row_alone(model):
    rows = lines()
    together = model.pooled([row.ids for row in rows])
    assert together.shape == (len(rows), 64)
    for row, state in zip(rows, together, strict=True):
        assert apart(model.pooled([row.ids])[0], state) < 0.01
