"""Lessons one after the other are told apart as if all had come at once."""

from __future__ import annotations

import itertools

import torch

from everlearn.train.ridge import FIRST, Ridge

WIDTH = 48


def lesson(number: int, count: int = 40) -> torch.Tensor:
    """States that lie around a place of their own."""
    draw = torch.Generator().manual_seed(number)
    place_D = 3 * torch.randn(12, generator=draw)
    return place_D + torch.randn(count, 12, generator=draw)


def learnt(order) -> Ridge:
    router = Ridge.begun(lesson(0), WIDTH)
    for number in order:
        router = router.with_lesson(lesson(number, 10 * number))
    return router


def test_every_order_gives_the_same_weights():
    wanted = learnt((1, 2, 3)).weights(0.01)
    for order in itertools.permutations((1, 2, 3)):
        found = learnt(order).weights(0.01)
        assert torch.allclose(found[:, [0, *(1 + order.index(number) for number in (1, 2, 3))]], wanted, atol=1e-9)


def test_they_are_those_of_ridge_regression_on_all_at_once():
    router = learnt((1, 2, 3))
    states = [lesson(0), *(lesson(number, 10 * number) for number in (1, 2, 3))]
    even_ND = (torch.cat(states).double() - lesson(0).double().mean(0)) / lesson(0).double().std(0, correction=0)
    directions_DM = torch.randn(12, WIDTH, generator=torch.Generator().manual_seed(0)).double() / 12**0.5
    seen_NM = (even_ND @ directions_DM).clamp(min=0)
    wanted_NC = torch.block_diag(*(torch.ones(len(each), 1) for each in states)).double()
    weights = zip(states, (FIRST, 1, 1, 1), strict=True)
    weight_N = torch.cat([torch.full((len(each),), weight / len(each)) for each, weight in weights]).double()
    # least squares with a row of √λ for each weight: another way to the same numbers
    scale_N1 = weight_N.sqrt()[:, None]
    held = 0.01 * (weight_N[:, None] * seen_NM.square()).sum(0).mean()
    above = torch.cat([scale_N1 * seen_NM, held.sqrt() * torch.eye(WIDTH).double()])
    aims = torch.cat([scale_N1 * wanted_NC, torch.zeros(WIDTH, 4).double()])
    assert torch.allclose(router.weights(0.01), torch.linalg.lstsq(above, aims).solution, atol=1e-8)


def test_new_states_are_told_apart_and_so_they_are_after_they_were_kept():
    router = learnt((1, 2, 3))
    again = Ridge.of({name: each.clone() for name, each in router.tensors().items()})
    for number in range(4):
        draw = torch.Generator().manual_seed(100 + number)
        new_ND = lesson(number).mean(0) + torch.randn(50, 12, generator=draw)
        found = router.lessons(new_ND, 0.01)
        assert found.count(number) >= 48
        assert again.lessons(new_ND, 0.01) == found
    assert sum(each.numel() for each in router.tensors().values()) == WIDTH * (WIDTH + 1) // 2 + 4 * WIDTH + 24


def test_a_lesson_counts_the_same_however_often_it_is_told():
    one, other = (Ridge.begun(lesson(0), WIDTH) for _ in range(2))
    once, thrice = one.with_lesson(lesson(1)), other.with_lesson(lesson(1).repeat(3, 1))
    assert torch.allclose(once.weights(0.01), thrice.weights(0.01), atol=1e-9)
