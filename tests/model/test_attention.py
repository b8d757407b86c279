"""Attention over a packed line must equal attention over each row alone, by kernels and by plain torch."""

from __future__ import annotations

import pytest
import torch

from everlearn.model import attention
from everlearn.model.attention import Group, packed_attention
from everlearn.model.kernels.library import library

SEGMENTS = {
    "alone": [([], range(0, 9)), ([], range(9, 14))],
    "behind a start": [([], range(0, 5)), (list(range(5)), range(5, 9)), (list(range(5)), range(9, 16))],
    "behind two": [([], range(0, 3)), ([0, 1, 2], range(3, 6)), ([0, 1, 2, 3, 4, 5], range(6, 12))],
    "long": [([], range(0, 40)), (list(range(40)), range(40, 130))],
    "long and short": [
        ([], range(0, 40)),
        (list(range(40)), range(40, 130)),
        (list(range(40)), range(130, 141)),
        (list(range(40)), range(141, 186)),
    ],
}


def layout_of(segments, alike=False):
    """Segments behind starts of the same length make a group; here these starts are the same tokens."""
    lengths = sorted({len(seen) for seen, _ in segments})
    groups = [[segment for segment in segments if len(segment[0]) == length] for length in lengths]
    return tuple(Group.of(group, alike and length > 0) for group, length in zip(groups, lengths, strict=True))


def one_by_one(query, key, value, segments, scaling):
    """Token by token, in the plainest way."""
    mixed = torch.zeros_like(query)
    shared = query.shape[1] // key.shape[1]
    for seen, own in segments:
        for number, place in enumerate(own):
            visible = [*seen, *list(own)[: number + 1]]
            for head in range(query.shape[1]):
                scores = key[visible, head // shared] @ query[place, head] * scaling
                mixed[place, head] = scores.softmax(0) @ value[visible, head // shared]
    return mixed


def heads(count, number, seed, dtype):
    drawn = torch.randn(count, number, 8, generator=torch.Generator().manual_seed(seed))
    return drawn.to(dtype).requires_grad_()


@pytest.mark.parametrize(
    ("dtype", "kernels", "alike"),
    [
        (torch.float32, False, False),
        (torch.bfloat16, False, False),
        (torch.bfloat16, True, False),
        (torch.bfloat16, True, True),
    ],
)
@pytest.mark.parametrize("name", SEGMENTS)
def test_each_token_sees_its_own_and_what_is_above(name, dtype, kernels, alike, monkeypatch):
    if kernels and library() is None:
        pytest.skip("no C compiler: plain torch is used")
    if not kernels:
        monkeypatch.setattr(attention, "usable", lambda *_: False)
    monkeypatch.setattr(attention, "QUERIES", 32)
    segments = SEGMENTS[name]
    count = max(own.stop for _, own in segments) + 3  # some fill the line up
    given = heads(count, 6, 1, dtype), heads(count, 2, 2, dtype), heads(count, 2, 3, dtype)
    exact = [tensor.detach().float().requires_grad_() for tensor in given]
    found = packed_attention(*given, layout_of(segments, alike), 0.3)
    wanted = one_by_one(*exact, segments, 0.3)
    share = 1e-5 if dtype == torch.float32 else 0.02
    assert (found.float() - wanted).abs().max() <= share * wanted.abs().max()
    pull = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(5))
    gradients = torch.autograd.grad(found, given, pull.to(dtype))
    for one, other in zip(gradients, torch.autograd.grad(wanted, exact, pull), strict=True):
        assert (one.float() - other).abs().max() <= share * other.abs().max()
    assert not found[-3:].any()


@pytest.mark.parametrize("kernels", [False, True])
def test_what_many_segments_see_gets_the_sum_of_their_gradients(kernels, monkeypatch):
    """In bf16 the last of many small gradients would be lost."""
    if kernels and library() is None:
        pytest.skip("no C compiler: plain torch is used")
    if not kernels:
        monkeypatch.setattr(attention, "usable", lambda *_: False)
    segments = [([], range(0, 3)), *(([0, 1, 2], range(at, at + 2)) for at in range(3, 1203, 2))]
    given = heads(1203, 2, 1, torch.bfloat16), heads(1203, 2, 2, torch.bfloat16), heads(1203, 2, 3, torch.bfloat16)
    packed_attention(*given, layout_of(segments), 0.3).sum().backward()
    exact = [tensor.detach().float().requires_grad_() for tensor in given]
    one_by_one(*exact, segments, 0.3).sum().backward()
    for found, wanted in zip(given[1:], exact[1:], strict=True):
        assert (found.grad[:3].float() - wanted.grad[:3]).norm() <= 0.01 * wanted.grad[:3].norm()
