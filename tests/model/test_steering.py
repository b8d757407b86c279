"""What comes out of a layer is changed for as long as it is asked for, and no weight learns from that."""

from __future__ import annotations

import pytest
import torch

from everlearn.model.adaptation import Adaptation
from everlearn.model.chat import Row
from everlearn.model.packing import pack

BATCH = pack([Row((0, 9, 8, 7, 60), (False, False, False, True, True))])


def test_the_network_goes_on_from_what_is_made_of_the_output(tiny):
    tiny.adapt(Adaptation("full"))
    before_NV = tiny.logits(BATCH)
    added = torch.zeros(64, requires_grad=True)
    seen = []

    def steer(states_TD: torch.Tensor) -> torch.Tensor:
        seen.append(states_TD.shape)
        return states_TD + added.to(states_TD.dtype)

    with tiny.steered("model.layers.0", steer):
        logits_NV = tiny.logits(BATCH)
        assert torch.equal(logits_NV, before_NV)
        logits_NV.float().square().sum().backward()
    assert seen == [(16, 64)]
    assert float(added.grad.abs().sum()) > 0
    assert all(weight.grad is None and weight.requires_grad for weight in tiny.weights().values())
    with torch.no_grad(), tiny.steered("model.layers.1", torch.zeros_like):
        assert float(tiny.logits(BATCH).abs().max()) < 1e-6
    assert torch.equal(tiny.logits(BATCH), before_NV), "it ends"


def test_it_ends_when_something_fails(tiny):
    tiny.adapt(Adaptation("full"))
    before_NV = tiny.logits(BATCH)
    with pytest.raises(ZeroDivisionError), tiny.steered("model.layers.0", lambda states_TD: states_TD / (1 // 0)):
        tiny.logits(BATCH)
    assert torch.equal(tiny.logits(BATCH), before_NV)
    assert all(weight.requires_grad for weight in tiny.weights().values())
