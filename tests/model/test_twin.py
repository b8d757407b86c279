"""A teacher beside a student: the same weights at first, and nobody's training reaches the other."""

from __future__ import annotations

import pytest
import torch

from everlearn.model.adaptation import Adaptation
from everlearn.model.chat import Row

ROWS = [Row((0, 9, 8, 7, 60), (False,) * 4 + (True,))]


@pytest.mark.parametrize("kind", ["full", "neurons", "lora"])
def test_a_twin_says_the_same_until_one_of_the_two_moves(tiny, kind):
    tiny.adapt(Adaptation(kind, 4))
    for name, master in tiny.masters.items():
        tiny.masters[name] = master + 0.01
    twin = tiny.twin()
    assert twin.snapshot().keys() == tiny.snapshot().keys()
    assert all(torch.equal(twin.masters[name], master) for name, master in tiny.masters.items())
    said = tiny.force(ROWS)[0].nll
    assert twin.force(ROWS)[0].nll == said
    for name, master in tiny.masters.items():
        tiny.masters[name] = master + 0.1
    assert tiny.force(ROWS)[0].nll != said
    assert twin.force(ROWS)[0].nll == said
    twin.restore(tiny.snapshot())
    assert twin.force(ROWS)[0].nll == tiny.force(ROWS)[0].nll
    assert not any(weight.requires_grad for weight in twin.network.parameters())
