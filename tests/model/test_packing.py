"""Packed rows must behave as if each stood alone: the same logits, the same gradients, no look across."""

from __future__ import annotations

import itertools
import random

import pytest
import torch

from everlearn.model import packing
from everlearn.model.attention import Mask
from everlearn.model.chat import Row
from everlearn.model.packing import batches_by_size, pack
from everlearn.train.losses import cross_entropy


def rows_of(seed: int, count: int = 9) -> list[Row]:
    """Rows of different lengths; most start alike, some do not."""
    source = random.Random(seed)
    rows = []
    for number in range(count):
        start = [5] * 14 if number % 3 else [source.randrange(2, 250) for _ in range(3)]
        rest = [source.randrange(2, 250) for _ in range(source.randrange(2, 20))]
        learn = [False] * len(start) + [source.random() < 0.5 for _ in rest[:-1]] + [True]
        rows.append(Row((*start, *rest), tuple(learn)))
    return rows


def alone(model, row: Row) -> torch.Tensor:
    """Logits at the targets of one row, computed without packing."""
    logits = model.network(input_ids=torch.tensor([row.ids])).logits[0].float()
    return logits[[place - 1 for place, learn in enumerate(row.learn) if learn]]


@pytest.mark.parametrize("seed", range(4))
def test_packed_logits_equal_those_of_rows_alone(tiny, seed):
    tiny.network.float()
    rows = rows_of(seed)
    batch = pack(rows)
    packed = tiny.logits(batch)
    for number, row in enumerate(rows):
        assert torch.allclose(packed[batch.row_N == number], alone(tiny, row), atol=2e-4)


def test_packed_gradients_equal_the_sum_over_rows(tiny):
    tiny.network.float()
    rows = rows_of(7)
    batch = pack(rows)
    weights = [weight for weight in tiny.network.parameters() if weight.requires_grad]
    loss = torch.nn.functional.cross_entropy(tiny.logits(batch), batch.targets_N, reduction="sum")
    packed = torch.autograd.grad(loss, weights)
    separate = [torch.zeros_like(weight) for weight in weights]
    for row in rows:
        targets = torch.tensor([token for token, learn in zip(row.ids, row.learn, strict=True) if learn])
        loss = torch.nn.functional.cross_entropy(alone(tiny, row), targets, reduction="sum")
        for total, gradient in zip(separate, torch.autograd.grad(loss, weights), strict=True):
            total.add_(gradient)
    for one, other in zip(packed, separate, strict=True):
        assert torch.allclose(one, other, atol=2e-3, rtol=1e-3)


def test_every_target_is_asked_for_once():
    rows = rows_of(3)
    batch = pack(rows)
    for number, row in enumerate(rows):
        wanted = [token for token, learn in zip(row.ids, row.learn, strict=True) if learn]
        assert batch.targets_N[batch.row_N == number].tolist() == wanted
    assert batch.row_N.tolist() == sorted(batch.row_N.tolist())


def test_a_shared_start_is_packed_once():
    rows = [Row((7,) * 40 + (number,), (False,) * 40 + (True,)) for number in range(10, 20)]
    assert pack(rows).tokens < 2 * 50


def test_batches_hold_every_row_once():
    rows = rows_of(1, count=30)
    groups = batches_by_size(rows, 64)
    assert sorted(index for group in groups for index in group) == list(range(30))
    assert len(groups) > 1


def test_nothing_is_padded_but_the_end_of_the_line():
    rows = [Row((start,) * size, (False,) * (size - 1) + (True,)) for start, size in ((7, 59), (8, 20), (9, 30))]
    assert pack(rows).tokens == 112


def test_the_first_target_of_each_stretch_opens_an_answer():
    learn = (False, False, True, True, False, True, True, False, True)
    batch = pack([Row(tuple(range(2, 11)), learn), Row((5, 6, 7), (True, True, True))])
    assert batch.targets_N.tolist() == [4, 5, 7, 8, 10, 6, 7], "the first token of a row cannot be predicted"
    assert batch.opening_N.tolist() == [True, False, True, False, True, False, False]


def sharing() -> list[Row]:
    """Questions about two passages behind a common start: what is shared is a tree of two levels."""
    rows = []
    for passage in (20, 60):
        text = (5,) * 30 + tuple(range(passage, passage + 40))
        for number in range(6):
            rest = (100 + number, 90, 100 + passage + number, 1)
            rows.append(Row((*text, *rest), (False,) * (len(text) + 2) + (True, True)))
    return rows


def test_what_predicts_nothing_is_not_computed():
    learn = (False,) * 20 + (True,) + (False,) * 30
    batch = pack([Row(tuple(range(51)), learn)])
    assert batch.tokens == 32 and batch.predict_N.tolist() == [19]
    assert pack([Row(tuple(range(51)), (False,) * 51)]).tokens == 64, "without targets all of it is"


def test_passages_are_computed_once_and_so_is_what_they_share():
    batch = pack(sharing())
    assert batch.tokens - (30 + 2 * 40 + 12 * 3) < packing.GRAIN
    assert sorted(group.start for group in batch.layout) == [0, 30, 70]


@pytest.mark.parametrize("long", [40, 128])
def test_scores_behind_shared_passages_equal_those_of_rows_alone(tiny, long, monkeypatch):
    monkeypatch.setattr(packing, "LONG", long)
    rows = sharing()
    starts = sorted((group.start, group.alike) for group in pack(rows).layout)
    apart = [(0, False), (30, False), (70, True), (70, True)]
    assert starts == (apart if long == 40 else [(0, False), (30, False), (70, False)])
    for together, row in zip(tiny.force(rows), rows, strict=True):
        (alone,) = tiny.force([row])
        assert together.likely == alone.likely
        assert together.nll == pytest.approx(alone.nll, abs=0.02)


@pytest.mark.parametrize("long", [40, 128])
@pytest.mark.parametrize("rows", [rows_of(7), sharing()])
def test_gradients_of_a_packed_line_in_bf16_are_those_of_rows_alone_in_fp32(tiny, rows, long, monkeypatch):
    monkeypatch.setattr(packing, "LONG", long)
    batch = pack(rows)
    weights = list(tiny.network.parameters())
    packed = torch.autograd.grad(
        cross_entropy(tiny.logits(batch), batch.targets_N, torch.ones(len(batch.targets_N))), weights
    )
    tiny.network.float()
    count = sum(row.targets for row in rows)
    separate = [torch.zeros_like(weight) for weight in weights]
    for row in rows:
        targets = torch.tensor([token for token, learn in zip(row.ids, row.learn, strict=True) if learn])
        loss = torch.nn.functional.cross_entropy(alone(tiny, row), targets, reduction="sum") / count
        for total, gradient in zip(separate, torch.autograd.grad(loss, weights), strict=True):
            total.add_(gradient)
    for one, other in zip(packed, separate, strict=True):
        assert (one.float() - other).norm() <= 0.05 * other.norm()


def test_a_row_that_may_share_nothing_keeps_no_others_from_sharing():
    start = tuple(range(10, 90))
    rows = [Row((*start, last, 5), (False,) * 81 + (True,)) for last in (1, 2, 3)]
    learnt = Row(rows[1].ids, (True,) * 82)
    assert pack([*rows, learnt]).tokens == pack(rows).tokens + 80  # all but its last target, and less to fill up


def test_a_long_chain_of_starts_is_packed():
    """Each row starts with all of the one before, deeper than functions may call themselves."""
    rows = [Row(tuple(range(size)), (False,) * (size - 1) + (True,)) for size in range(2, 1202)]
    batch = pack(rows)
    assert len(batch.targets_N) == len(rows)
    assert batch.tokens < 3 * len(rows)


def test_nothing_packs_to_nothing():
    assert pack([]).tokens == 0


def seen_through(layout, tokens: int) -> torch.Tensor:
    """Who sees whom by groups."""
    seen = torch.zeros(tokens, tokens, dtype=torch.bool)
    for group in layout:
        for own, keys in zip(group.own_BT.tolist(), group.keys_BS.tolist(), strict=True):
            for number, place in enumerate(own):
                if place >= 0:
                    seen[place, [key for key in keys[: group.start + number + 1] if key >= 0]] = True
    return seen


def test_rows_that_share_nothing_are_told_by_where_they_end():
    rows = [row for row in rows_of(5) if row.ids[0] != 5]
    batch = pack(rows)
    bounds = batch.alone.bounds_C.tolist()
    assert bounds[0] == 0 and bounds[-1] == batch.tokens
    assert batch.alone.longest == max(end - at for at, end in itertools.pairwise(bounds))
    seen = torch.zeros(batch.tokens, batch.tokens, dtype=torch.bool)
    for at, end in itertools.pairwise(bounds):
        seen[at:end, at:end] = torch.ones(end - at, end - at, dtype=torch.bool).tril()
    filled = sum(len(row.read) for row in rows)
    assert torch.equal(seen[:filled], seen_through(batch.layout, batch.tokens)[:filled])
    assert pack(rows_of(5, 30)).alone is None, "some of these share a start"


def test_one_mask_tells_what_groups_tell():
    batch = pack(rows_of(6, 30))
    filled = batch.tokens - 16
    by_mask = Mask.of(batch.until_T).seen_NN
    assert torch.equal(by_mask[:filled], seen_through(batch.layout, batch.tokens)[:filled])
