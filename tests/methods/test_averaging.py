"""Averages lie where they should between old and new weights; stages merge as their papers, and PEFT, say."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods.ema import EMA
from everlearn.methods.slao import SLAO, orthonormal
from everlearn.methods.ties import TIES
from everlearn.methods.wise_ft import WiseFT
from everlearn.model.language_model import LanguageModel
from everlearn.stacking import method_called
from everlearn.train.merging import elected, folded, thinned, trimmed

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


# --- ties and dare -------------------------------------------------------------------------------------


def drawn(seed: int) -> dict[str, torch.Tensor]:
    """What a stage may have changed."""
    draw = torch.Generator().manual_seed(seed)
    return {"a": torch.randn(7, 5, generator=draw), "b": 0.1 * torch.randn(9, generator=draw)}


def test_trimming_keeps_the_largest_changes_of_all_weights_together():
    change = trimmed(drawn(0), 0.25)
    sizes = torch.cat([each.flatten() for each in drawn(0).values()]).abs().sort(descending=True).values
    left = torch.cat([each.flatten() for each in change.values()])
    assert int((left != 0).sum()) == 11  # of 44
    assert torch.equal(left.abs().sort(descending=True).values[:11], sizes[:11])


@pytest.mark.parametrize("stages", [1, 2, 9])
def test_folded_changes_merge_as_all_of_them_at_once_do_by_peft(stages):
    from peft.utils.merge_utils import ties

    changes = [drawn(number)["a"] for number in range(stages)]
    kept = {}
    for change in changes:
        kept = folded(kept, trimmed({"a": change}, 0.4))
    ours = elected(kept, {"a": changes[0]})["a"]
    theirs = ties(changes, torch.ones(stages), 0.4)
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_many_stages_take_no_more_room_than_some():
    kept, sizes = {}, []
    for number in range(300):
        kept = folded(kept, drawn(number))
        sizes.append(sum(each.numel() * each.element_size() for each in kept.values()))
    assert sizes[-1] == sizes[100] == 44 * 2 * (1 + 4)
    assert int(kept["up.count:a"].max()) <= 255


def test_ties_serves_the_merged_and_trains_on_from_the_last_trained(tiny_folder, learn):
    plain, merged = (LanguageModel.load(str(tiny_folder)) for _ in range(2))
    memory = learn(merged, "ties", pairs("one"), density=0.3, scale=0.5)
    learn(plain, "finetune", pairs("one"))
    start = plain.start()
    first = {name: plain.masters[name] - start[name] for name in start}
    for name, change in trimmed(first, 0.3).items():
        assert torch.allclose(merged.masters[name], start[name] + 0.5 * change, atol=1e-6)
    served = merged.snapshot()
    begun = []

    class Watched(TIES):
        def prepare(self, model, examples, memory, run):
            memory = super().prepare(model, examples, memory, run)
            begun.append(model.snapshot())
            return memory

    learn(merged, Watched, pairs("two"), memory, density=0.3, scale=0.5)
    assert any(not torch.equal(begun[0][name], served[name]) for name in served)
    assert all(torch.allclose(begun[0][name], plain.masters[name], atol=1e-3) for name in served)


def test_dare_drops_as_peft_does():
    from peft.utils.merge_utils import dare_linear

    change = drawn(1)["a"]
    ours = thinned({"a": change}, 0.7, seed=5)["a"]
    with torch.random.fork_rng():
        torch.manual_seed(5)
        theirs = dare_linear([change], torch.ones(1), 0.3)
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert 0 < int((ours == 0).sum()) < 35


def test_dare_takes_back_another_share_in_every_stage(tiny_folder, learn):
    plain, thin = (LanguageModel.load(str(tiny_folder)) for _ in range(2))
    learn(plain, "finetune", pairs("one"))
    assert learn(thin, "dare", pairs("one"), drop=0.75) == {}
    start = plain.start()
    name = next(name for name in start if "q_proj" in name)
    whole, left = plain.masters[name] - start[name], thin.masters[name] - start[name]
    stays = left.abs() > 1e-9
    assert float(stays.float().mean()) == pytest.approx(0.25, abs=0.03)
    assert torch.allclose(left[stays], 4 * whole[stays], atol=1e-5)
    before = thin.snapshot()
    learn(thin, "dare", pairs("two"), drop=0.75)
    assert not torch.equal((thin.masters[name] - before[name]).abs() > 1e-9, stays)


# --- slao ----------------------------------------------------------------------------------------------


def test_rows_become_orthonormal_and_span_the_same():
    first_RD = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    rows_RD = orthonormal(first_RD)
    assert torch.allclose(rows_RD @ rows_RD.T, torch.eye(3), atol=1e-6)
    assert torch.allclose(first_RD @ rows_RD.T @ rows_RD, first_RD, atol=1e-5)
    assert torch.allclose(orthonormal(rows_RD), rows_RD, atol=1e-6), "what is orthonormal stays"
    with pytest.raises(SettingsError, match="8 inputs"):
        orthonormal(torch.zeros(9, 8))


def test_slao_merges_each_stage_with_less_weight_and_trains_on_from_the_last_trained(tiny, learn):
    begun, trained = [], []

    class Watched(SLAO):
        def prepare(self, model, examples, memory, run):
            memory = super().prepare(model, examples, memory, run)
            begun.append(model.snapshot())
            return memory

        def finish(self, model, examples, memory, run):
            trained.append(model.snapshot())
            return super().finish(model, examples, memory, run)

    served, memory = [], {}
    for word in ("one", "two", "three"):
        memory = learn(tiny, Watched, pairs(word), memory, learning_rate=1e-2)
        served.append(tiny.snapshot())
    first = next(name for name in tiny.masters if "lora_A" in name)
    second = first.replace("lora_A", "lora_B")
    assert torch.equal(served[0][second], trained[0][second])
    for stage in (1, 2):
        assert torch.equal(begun[stage][second], trained[stage - 1][second])
        assert torch.allclose(begun[stage][first], orthonormal(trained[stage - 1][first]), atol=1e-6)
        assert torch.equal(served[stage][first], trained[stage][first])
        way = (trained[stage][second] - served[stage - 1][second]) / (stage + 1) ** 0.5
        assert float(way.norm()) > 0
        assert torch.allclose(served[stage][second], served[stage - 1][second] + way, atol=1e-6)
    assert learn(tiny, "slao", [], memory) == memory
    assert all(torch.equal(tiny.masters[name], served[-1][name]) for name in served[-1])


def test_what_merges_all_stages_stands_alone():
    with pytest.raises(SettingsError, match="both decide"):
        method_called("ties+slao")
    with pytest.raises(SettingsError, match="weights is 'full'"):
        SLAO(weights="full")
