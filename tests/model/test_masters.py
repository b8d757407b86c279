"""fp32 masters are kept in the network's own weights and 16 further bits, without loss."""

from __future__ import annotations

import pytest
import torch

from everlearn.model.adaptation import Adaptation
from everlearn.model.masters import Masters, joined, split

NUMBERS = [0.0, -0.0, 1.0, -1.0, 1 + 2**-8, -1 - 2**-8, 1 + 3 * 2**-8, 1e-30, -3e38, 1e-41, float("inf"), -float("inf")]
"""Among them such as lie in the middle between two bf16 numbers, one below the normal range, and the largest."""


def test_weight_and_rest_are_exactly_the_master():
    drawn = torch.randn(100_000, generator=torch.Generator().manual_seed(0)) * 1e-2
    master = torch.cat([drawn, torch.tensor(NUMBERS), torch.tensor([float("nan")])])
    weight, rest = split(master)
    back = joined(weight, rest)
    assert torch.equal(back.view(torch.int32), master.view(torch.int32))
    tie = rest == -0x8000
    assert torch.equal(weight[~tie][:-1], master.bfloat16()[~tie][:-1]), "but for ties it is rounded as torch does"
    assert weight[-1].isnan()


def test_what_is_set_is_in_the_network():
    weight = torch.nn.Parameter(torch.ones(2, 3).bfloat16())
    masters = Masters({"one": weight})
    masters["one"] = torch.full((2, 3), 1.001)
    assert torch.equal(masters["one"], torch.full((2, 3), 1.001)) and (weight == 1).all()
    masters["one"].fill_(9)
    assert (masters["one"] == 1.001).all(), "what is looked up is a copy"
    masters["one"] = torch.full((3, 2), 1.5).T
    assert (weight == 1.5).all()
    with pytest.raises(KeyError):
        masters["two"] = torch.zeros(1)
    with pytest.raises(TypeError):
        del masters["one"]


def test_a_state_is_what_is_kept_and_can_be_set_again():
    masters, others = (Masters({"one": torch.zeros(5).bfloat16()}) for _ in range(2))
    masters["one"] = torch.randn(5)
    others.load({**masters.state(), "something else": torch.zeros(1)})
    assert torch.equal(others["one"], masters["one"])


def test_weights_of_32_bits_are_their_own_masters():
    weight = torch.zeros(3)
    masters = Masters({"one": weight})
    masters["one"] = torch.tensor([0.1, 0.2, 0.3])
    assert torch.equal(masters["one"], weight) and weight[1] == 0.2
    masters["one"].fill_(1)
    assert weight[1] == 0.2


@pytest.mark.parametrize("kind", ["full", "neurons", "lora"])
def test_masters_take_two_bytes_a_weight_beside_the_network(tiny, kind):
    tiny.adapt(Adaptation(kind, 4))
    state = tiny.masters.state()
    own = {weight.data_ptr() for weight in tiny.weights().values()}
    beside = [tensor for tensor in state.values() if tensor.data_ptr() not in own]
    assert sum(tensor.nbytes for tensor in beside) == 2 * sum(master.numel() for master in tiny.masters.values())
