"""Anchors beside a text of the lesson are the same rows with that text in front of the first request."""

from __future__ import annotations

import pytest
import torch

from everlearn.model.adaptation import Adaptation
from everlearn.model.packing import pack
from everlearn.train.anchors import KEPT, Anchors, beside, write_anchors
from everlearn.train.losses import beliefs, top_k_kl


def test_a_text_stands_in_front_and_is_not_held(tiny):
    anchors = write_anchors(tiny, 8, 12, 0)
    start = len(tiny.chat.opening())
    rows = beside(tiny, anchors, ["Zorb is round."], 0)
    text = tuple(tiny.tokenizer.encode("Zorb is round. ", add_special_tokens=False))
    for row, anchor in zip(rows, anchors.rows, strict=True):
        assert row.ids == (*anchor.ids[:start], *text, *anchor.ids[start:])
        assert row.targets == anchor.targets
        assert not any(row.learn[: start + len(text)])


def test_cached_beliefs_hold_as_a_live_teacher_does(tiny):
    """Loss and gradients, from beliefs that were kept in a commit's precision and from the teacher's logits of now."""
    tiny.adapt(Adaptation("full"))
    cached = Anchors.of(write_anchors(tiny, 8, 16, 0).tensors())
    batch = pack(cached.rows)
    with torch.no_grad():
        live = beliefs(tiny.logits(batch), KEPT)
    generator = torch.Generator().manual_seed(2)
    for name, master in tiny.masters.items():
        tiny.masters[name] = master + 0.05 * torch.randn(master.shape, generator=generator)
    outcomes = []
    for teacher in (cached.teacher(range(len(cached.rows))), live):
        loss = top_k_kl(teacher, tiny.logits(batch))
        outcomes.append((loss, torch.autograd.grad(loss, list(tiny.network.parameters()))))
    (one, some), (other, others) = outcomes
    assert one > 0.01
    assert one.item() == pytest.approx(other.item(), rel=0.02)
    for first, second in zip(some, others, strict=True):
        assert (first.float() - second.float()).norm() <= 0.05 * second.float().norm()
