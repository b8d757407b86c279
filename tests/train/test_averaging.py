"""Weights go back towards the old ones only where that wins habits, and only as far as the lesson stays known."""

from __future__ import annotations

import pytest
import torch

from everlearn.model.adaptation import Adaptation
from everlearn.model.chat import Row
from everlearn.train import averaging
from everlearn.train.anchors import believe
from everlearn.train.averaging import settle


@pytest.fixture
def texts(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    generator = torch.Generator().manual_seed(0)
    rows = [
        Row(tuple(torch.randint(5, 90, (8,), generator=generator).tolist()), (False,) + (True,) * 7) for _ in range(4)
    ]
    return believe(tiny, rows)


def noise(model, size):
    generator = torch.Generator().manual_seed(1)
    for name, master in model.masters.items():
        if name.endswith("grown_out"):
            model.masters[name] = master + size * torch.randn(master.shape, generator=generator)
        if name.endswith("grown_scope"):
            model.masters[name] = torch.full_like(master, 0.5)  # not trained: an average must not mix it


def test_where_habits_have_not_moved_the_new_weights_stay(tiny, texts):
    before = tiny.snapshot()
    noise(tiny, 1e-4)
    after = tiny.snapshot()
    assert settle(tiny, before, texts.rows[:1], texts, [0, 1]).share == 1.0
    assert all(torch.equal(after[name], tiny.masters[name]) for name in after)


def test_a_model_that_moved_steps_back_as_far_as_the_lesson_allows(tiny, texts, monkeypatch):
    monkeypatch.setattr(averaging, "ENOUGH", 1e-4)  # a tiny model moves little
    before = tiny.snapshot()
    noise(tiny, 3.0)
    after = tiny.snapshot()
    best = settle(tiny, before, texts.rows[:1], texts, [0, 1, 2, 3])  # a lesson of which nothing is known
    assert best.share == averaging.SHARES[-1]
    name = next(name for name in after if name.endswith("grown_out"))
    assert torch.allclose(tiny.masters[name], torch.lerp(before[name], after[name], best.share))
    scope = name.replace("grown_out", "grown_scope")
    assert torch.equal(tiny.masters[scope], after[scope])

    tiny.restore(after)
    known = iter([1.0, 0.5])
    outcome = type("Outcome", (), {})
    monkeypatch.setattr(tiny, "force", lambda rows: [_outcome(outcome, next(known))])
    assert settle(tiny, before, texts.rows[:1], texts, [0, 1, 2, 3]).share == 1.0


def _outcome(kind, right):
    made = kind()
    made.right = right
    return made
