"""Averages lie where they should between old and new weights; a slow copy follows, also under an adapter."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods.ema import EMA
from everlearn.methods.wise_ft import WiseFT
from everlearn.model.language_model import LanguageModel

from .conftest import pairs


def test_wise_ft_goes_a_share_of_the_way(tiny_folder, learn):
    whole, part = (LanguageModel.load(str(tiny_folder)) for _ in range(2))
    learn(whole, "finetune", pairs("one"))
    assert learn(part, "wise_ft", pairs("one"), share=0.25) == {}
    start = whole.start()
    for name, master in part.masters.items():
        assert torch.allclose(master, start[name] + 0.25 * (whole.masters[name] - start[name]), atol=1e-6)


@pytest.mark.parametrize("weights", ["full", "lora"])
def test_the_slow_copy_follows_and_is_kept(weights, tiny_folder, learn):
    fast, slow = (LanguageModel.load(str(tiny_folder)) for _ in range(2))
    learn(fast, "finetune", pairs("one"), weights=weights)
    assert learn(slow, "ema", pairs("one"), weights=weights, decay=0.9) == {}
    start = slow.start()
    moved = {name: float((slow.masters[name] - start[name]).norm()) for name in start}
    assert any(way > 0 for way in moved.values()), "a teacher that is never moved is none"
    whole = {name: float((fast.masters[name] - start[name]).norm()) for name in start}
    assert sum(moved.values()) < sum(whole.values())


def test_it_is_the_running_mean_of_all_steps(tiny, learn):
    seen = []

    class Watched(EMA):
        def after_step(self, model, memory, step):
            seen.append(model.masters[name].clone())
            super().after_step(model, memory, step)

    tiny.adapt(Watched().adaptation)
    name = next(iter(tiny.masters))
    mean = tiny.masters[name].clone()
    learn(tiny, Watched, pairs("one"), epochs=2, learning_rate=1e-2, decay=0.8)
    for fast in seen:
        mean = 0.8 * mean + 0.2 * fast
    assert len(seen) == 4
    assert torch.allclose(tiny.masters[name], mean, atol=1e-6)


def test_shares_beyond_the_way_are_refused():
    with pytest.raises(SettingsError):
        WiseFT(share=1.5)
    with pytest.raises(SettingsError):
        EMA(decay=1.0)
