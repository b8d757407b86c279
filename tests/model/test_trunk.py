"""Starting from remembered states halfway must not change what comes out, nor what is learnt."""

from __future__ import annotations

import pytest
import torch
from test_packing import rows_of

from everlearn.model import trunk
from everlearn.model.adaptation import Adaptation
from everlearn.model.packing import pack


@pytest.fixture
def grown(tiny):
    """A tiny model with neurons that have something to say."""
    tiny.network.float()
    tiny.adapt(Adaptation("neurons", 6))
    generator = torch.Generator().manual_seed(1)
    for name, master in tiny.masters.items():
        tiny.masters[name] = master + 0.05 * torch.randn(master.shape, generator=generator)
    return tiny


def test_logits_are_the_same_from_halfway(grown):
    rows = rows_of(2)
    wanted = grown.logits(pack(rows))
    grown.remember(rows_of(5) + rows)
    seen = []
    hook = grown.network.model.layers[0].mlp.register_forward_hook(lambda *_: seen.append(1))
    found = grown.logits(pack(rows))
    assert torch.allclose(found, wanted, atol=1e-4)
    assert not seen, "the lower layers were computed again"
    grown.forget()
    assert torch.equal(grown.logits(pack(rows)), wanted)
    assert seen
    seen.clear()
    grown.force(rows, again=True)
    grown.forget()
    seen.clear()
    grown.force(rows, again=True)
    assert not seen, "what lasts was forgotten"
    hook.remove()


def test_gradients_are_the_same_from_halfway(grown):
    rows = rows_of(3)
    batch = pack(rows)
    weights = [weight for weight in grown.weights().values() if weight.requires_grad]
    assert len(weights) == 2

    def gradients():
        loss = torch.nn.functional.cross_entropy(grown.logits(batch), batch.targets_N)
        return torch.autograd.grad(loss, weights)

    wanted = gradients()
    grown.remember(rows)
    for one, other in zip(gradients(), wanted, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_rows_that_are_not_remembered_are_computed_in_whole(grown):
    grown.remember(rows_of(2))
    rows = rows_of(4)
    found = grown.logits(pack(rows))
    grown.forget()
    assert torch.equal(found, grown.logits(pack(rows)))


def test_too_many_rows_are_not_kept(grown, monkeypatch):
    monkeypatch.setattr(trunk, "LARGEST", 100)
    rows = rows_of(2)
    wanted = grown.logits(pack(rows))
    grown.remember(rows)
    assert torch.equal(grown.logits(pack(rows)), wanted)


def test_a_decoder_that_scales_its_embeddings_is_computed_in_whole(grown, monkeypatch):
    decoder = grown.network.model
    plain = type(decoder).forward

    def scaling(self, input_ids=None, inputs_embeds=None, **given):
        embedded = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        return plain(self, inputs_embeds=7 * embedded, **given)

    monkeypatch.setattr(type(decoder), "forward", scaling)
    rows = rows_of(2)
    wanted = grown.logits(pack(rows))
    grown.remember(rows)
    assert torch.equal(grown.logits(pack(rows)), wanted)
