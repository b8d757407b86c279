"""The newest token of each row must attend to the shared start and to its own row, with and without kernels."""

from __future__ import annotations

import pytest
import torch

from everlearn.model import shared_cache
from everlearn.model.shared_cache import SharedCache, shared_attention

ROWS, HEADS, GROUPS, WIDTH, START, STEPS = 5, 6, 2, 8, 4, 40


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).bfloat16()


def last_said(start: int, selected: list[int]) -> torch.Tensor:
    """What the last of some steps attends to, after rows have been dropped halfway."""
    cache = SharedCache()
    if start:
        cache.update(drawn(1, 1, GROUPS, start, WIDTH), drawn(2, 1, GROUPS, start, WIDTH), 0)
    cache.shared = True
    padding = torch.tensor([0, 1, 2, 0, 1])
    cache.padding_B = padding.int()
    alive = torch.arange(ROWS)
    for step in range(STEPS):
        if step == STEPS // 2:
            alive = torch.tensor(selected)
            cache.select(alive)
        new = [drawn(10 * step + kind, ROWS, GROUPS, 1, WIDTH)[alive] for kind in (3, 4)]
        keys, values = cache.update(*new, 0)
    query = drawn(9, ROWS, HEADS, 1, WIDTH)[alive]
    hidden = torch.arange(STEPS) < padding[alive][:, None]
    bias = torch.zeros(hidden.shape).masked_fill(hidden, torch.finfo(torch.bfloat16).min).bfloat16()
    return shared_attention(None, query, keys, values, bias[:, None, None], 0.4)[0]


@pytest.mark.parametrize("start", [0, START])
@pytest.mark.parametrize("selected", [list(range(ROWS)), [1, 2, 4]])
def test_the_newest_tokens_attend_as_in_plain_torch(start, selected, monkeypatch):
    found = last_said(start, selected)
    monkeypatch.setattr(shared_cache, "usable", lambda *_: False)
    wanted = last_said(start, selected)
    assert found.shape == wanted.shape == (len(selected), 1, HEADS, WIDTH)
    assert (found.float() - wanted.float()).abs().max() <= 0.02 * wanted.float().abs().max()
