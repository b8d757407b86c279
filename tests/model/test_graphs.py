"""Lines filled up and attended by one mask must give what groups give; on a GPU also when they are replayed."""

from __future__ import annotations

import pytest
import torch

from everlearn.model.adaptation import Adaptation
from everlearn.model.graphs import Graphs
from everlearn.model.packing import pack
from everlearn.train.losses import cross_entropy
from model.test_packing import rows_of


def gradients(model, batch):
    """The loss of a batch and what it pulls at, by name."""
    targets = batch.targets_N.to(model.device)
    cross_entropy(model.logits(batch), targets, torch.ones_like(targets, dtype=torch.float32)).backward()
    found = {name: weight.grad.to_dense().float() for name, weight in model.network.named_parameters()}
    model.network.zero_grad(set_to_none=True)
    return found


def recorded(model, batches, monkeypatch, fits):
    monkeypatch.setattr(Graphs, "fit", fits)
    return [gradients(model, batch) for batch in batches]


@pytest.mark.parametrize(
    "replayed",
    [False, pytest.param(True, marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"))],
)
def test_short_lines_pull_at_the_weights_as_groups_do(tiny, replayed, monkeypatch):
    tiny.network.float()
    tiny.adapt(Adaptation("full"))
    if not replayed:
        monkeypatch.setattr(Graphs, "_record", lambda self, run, line: run)
    batches = [pack(rows_of(seed, 12)) for seed in range(4)]
    assert len({batch.tokens for batch in batches}) > 1
    wanted = recorded(tiny, batches, monkeypatch, lambda *_: False)
    found = recorded(tiny, batches, monkeypatch, lambda *_: True)
    assert tiny._graphs._recorded, "lines of a length that comes again are recorded"
    for one, other in zip(found, wanted, strict=True):
        for name, gradient in other.items():
            assert torch.allclose(one[name], gradient, atol=2e-3, rtol=1e-3), name


def test_nothing_is_recorded_without_a_gpu_or_where_nothing_is_learnt(tiny):
    embeddings = torch.zeros(8, 64)
    assert not Graphs(1).fit(embeddings)
    if torch.cuda.is_available():
        assert Graphs(1).fit(embeddings.cuda()) and not Graphs(10**12).fit(embeddings.cuda())
        with torch.no_grad():
            assert not Graphs(1).fit(embeddings.cuda())
