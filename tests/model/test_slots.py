"""Slots lie beside MLPs, change nothing until something is learnt in them, and are found by their keys."""

from __future__ import annotations

import math

import pytest
import torch
from test_packing import rows_of

from everlearn.errors import ModelError
from everlearn.estimate import size_of
from everlearn.methods.finetune import Finetune
from everlearn.model.adaptation import Adaptation
from everlearn.model.chat import Row
from everlearn.model.delta import decode_delta, encode_delta, layer_distances
from everlearn.model.export import export_merged
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import pack
from everlearn.model.slots import HEADS, READ, VALUES, SlottedMLP, memory_layers

SLOTS = 100
ROWS = [Row((0, 9, 8, 7, 60 + end), (False,) * 4 + (True,)) for end in range(4)]


def texts(count: int = 12) -> list[Row]:
    """Rows of random tokens."""
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(2, 250, (count, 20), generator=generator).tolist()
    return [Row(tuple(row), (False, *[True] * 19)) for row in ids]


@pytest.fixture
def slotted(tiny) -> LanguageModel:
    """The tiny model with empty slots."""
    tiny.adapt(Adaptation("memory", SLOTS))
    return tiny


@pytest.fixture
def filled(slotted) -> LanguageModel:
    """The same, with something in every third slot."""
    generator = torch.Generator().manual_seed(0)
    for name, master in slotted.masters.items():
        if name.endswith(VALUES):
            master[::3] = 0.001 * torch.randn(master[::3].shape, generator=generator)
            slotted.masters[name] = master
    return slotted


def values_of(model: LanguageModel) -> dict[str, torch.Tensor]:
    return {name: master for name, master in model.masters.items() if name.endswith(VALUES)}


def memory_of(model: LanguageModel) -> SlottedMLP:
    return next(module for module in model.network.modules() if isinstance(module, SlottedMLP))


def test_a_network_that_gets_slots_says_bit_by_bit_what_it_did(tiny):
    batch = pack(rows_of(2))
    before = tiny.logits(batch)
    tiny.adapt(Adaptation("memory", SLOTS))
    assert torch.equal(tiny.logits(batch), before)
    tiny.spread_queries(texts())
    assert torch.equal(tiny.logits(batch), before)
    assert tiny.parameters < 400_000, "slots are no work"


def test_they_lie_at_quarters_of_the_depth():
    assert memory_layers(24) == [6, 12, 18]
    assert memory_layers(4) == [1, 2, 3]
    assert memory_layers(2) == [0, 1]


def test_slots_alone_are_trained(slotted):
    slotted.logits(pack(ROWS)).sum().backward()
    assert {name.rsplit(".", 1)[1] for name, weight in slotted.weights().items() if weight.grad is not None} == {VALUES}
    assert {name.rsplit(".", 1)[1] for name in slotted.masters} == {
        VALUES, "slot_keys", "slot_queries", "slot_offsets"
    }  # fmt: skip


def test_the_best_of_all_pairs_of_keys_are_found(slotted):
    memory = memory_of(slotted)
    hidden_ND = torch.randn(50, 64, generator=torch.Generator().manual_seed(1)).bfloat16()
    found = memory.look_up(hidden_ND)
    query = torch.nn.functional.linear(hidden_ND, memory.slot_queries, memory.slot_offsets).float()
    first, second = query.reshape(50, HEADS, 2, -1).unbind(2)
    keys = memory.slot_keys.float()
    side = math.isqrt(SLOTS)
    every = torch.stack(
        [
            (first * keys[:, 0, slot // side]).sum(-1) + (second * keys[:, 1, slot % side]).sum(-1)
            for slot in range(SLOTS)
        ],
        -1,
    )
    best = every.topk(READ, -1)
    assert torch.equal(found.slots_BTHK.sort(-1).values, best.indices.sort(-1).values)
    assert torch.allclose(found.weights_BTHK, best.values.softmax(-1), atol=1e-5)


def test_what_is_read_is_the_weighted_sum_of_its_slots_and_its_gradient_too(filled):
    memory = memory_of(filled)
    found = memory.look_up(torch.randn(40, 64, generator=torch.Generator().manual_seed(2)).bfloat16())
    once = memory.slot_values.detach().float().requires_grad_()
    wanted = 1024 * (found.weights_BTHK[..., None] * once[found.slots_BTHK]).sum((-3, -2))
    said = memory.read(found)
    assert torch.allclose(said.float(), wanted, rtol=0.05, atol=0.05)
    wanted.sum().backward()
    said.sum().backward()
    assert torch.allclose(memory.slot_values.grad.float(), once.grad, rtol=0.02, atol=1.0)


def test_packed_and_cached_texts_read_what_they_read_alone(filled):
    empty = LanguageModel.load(filled.name)
    rows = texts(4)
    together = filled.force(rows)
    for row, one in zip(rows, together, strict=True):
        alone = filled.force([row])[0].nll
        assert one.nll == pytest.approx(alone, rel=2e-3)
        assert abs(alone - empty.force([row])[0].nll) > 0.01, "slots say something"
    prompts = [row.ids[:12] for row in rows]
    for prompt, reply in zip(prompts, filled.generate(prompts, 4), strict=True):
        ids = [*prompt]
        for token in reply.ids:  # without a cache, up to where two tokens are about as likely
            best = filled.logits(pack([Row((*ids, 0), (False,) * len(ids) + (True,))]))[0].float().topk(2)
            if best.values[0] - best.values[1] < 0.02:
                break
            assert token == int(best.indices[0])
            ids.append(token)


def test_spread_queries_read_far_more_slots(tiny_folder):
    used = []
    for spread in (False, True):
        model = LanguageModel.load(str(tiny_folder))
        model.network.get_input_embeddings().weight.data += 0.1  # states of trained networks have much in common
        model.adapt(Adaptation("memory", 256))
        if spread:
            model.spread_queries(texts(30))
        reads = torch.stack([found.reads_S for found in model.reads(texts(30)).values()]).float()
        share = reads / reads.sum(-1, keepdim=True)
        used.append(float((share * share.clamp(min=1e-9).log()).sum(-1).neg().exp().mean()))
    assert used[1] > 200, "of 256 slots, so many as if they were read alike"
    assert used[1] > 1.5 * used[0]


def test_queries_stay_once_something_was_learnt(filled):
    before = filled.snapshot()
    filled.spread_queries(texts())
    assert all(torch.equal(filled.masters[name], master) for name, master in before.items())


def test_reads_are_counted_by_token_and_by_row(slotted):
    for found in slotted.reads([*ROWS, *texts(3)]).values():
        assert int(found.reads_S.sum()) == HEADS * READ * (4 * 4 + 3 * 19), "the last token of a row is not read"
        assert int(found.rows_S.max()) <= 7
        assert bool((found.rows_S <= found.reads_S).all())
    rows = [*ROWS, *texts(3)]  # the former share all that is read, which is computed once
    apart = [slotted.reads([row]) for row in rows]
    for name, found in slotted.reads(rows).items():
        wanted_S = torch.stack([one[name].reads_S for one in apart]).sum(0)
        assert int((found.reads_S - wanted_S).abs().sum()) <= 0.02 * int(wanted_S.sum()), "but for rounding"


def test_a_twin_and_a_copy_are_of_their_own(filled):
    twin, said = filled.twin(), filled.force(ROWS)[0].nll
    assert twin.force(ROWS)[0].nll == said
    for name, master in values_of(filled).items():
        filled.masters[name] = 3 * master
    assert filled.force(ROWS)[0].nll != said
    assert twin.force(ROWS)[0].nll == said


def test_a_commit_holds_the_slots_that_hold_something(filled, tiny_folder):
    data = encode_delta(filled)
    other = LanguageModel.load(str(tiny_folder))
    decode_delta(other, data)
    assert all(torch.equal(other.masters[name], master) for name, master in filled.masters.items())
    assert encode_delta(other) == data
    whole = sum(4 * master.numel() for master in filled.masters.values())
    assert len(data) < whole - 0.6 * sum(4 * master.numel() for master in values_of(filled).values())
    assert set(layer_distances(filled, b"", data)) == {"layer 0", "layer 1"}


def test_the_size_is_known_before_the_model_is_loaded(slotted, tiny_folder):
    size = size_of(tiny_folder, Finetune(weights="memory", slots=SLOTS))
    assert size.changing == sum(master.numel() for master in slotted.masters.values())


def test_a_plain_model_cannot_hold_them(slotted, tmp_path):
    with pytest.raises(ModelError, match="no model of transformers looks things up") as refused:
        export_merged(slotted, tmp_path / "out")
    assert "weights=lora" in refused.value.hint
    assert not (tmp_path / "out").exists()


def test_a_model_without_mlps_is_refused_with_a_way_out(tiny):
    del tiny.network.model.layers[1].mlp
    with pytest.raises(ModelError) as refused:
        tiny.adapt(Adaptation("memory", SLOTS))
    assert "weights=lora" in refused.value.hint
