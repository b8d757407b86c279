"""A stage moves the slots that it reads and others do not, and nothing else."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods import sparse_memory
from everlearn.methods.sparse_memory import READERS, TEXTS, SparseMemory, choose
from everlearn.model.language_model import LanguageModel
from everlearn.model.slots import VALUES, Reads
from everlearn.train.meter import Meter

from .conftest import pairs

SMALL = {"slots": 256, "stage_slots": 24, "anchors": 8, "anchor_length": 16}


@pytest.fixture
def chosen(monkeypatch):
    """The slots that stages choose, as they choose them: a list for each memory in turn."""
    made = []

    def watched(*given):
        made.append(choose(*given))
        return made[-1]

    monkeypatch.setattr(sparse_memory, "choose", watched)
    return made


def values_of(model: LanguageModel) -> list[torch.Tensor]:
    return [master for name, master in model.masters.items() if name.endswith(VALUES)]


def test_tf_idf_is_the_papers():
    reads_S = torch.tensor([40, 40, 20, 0])
    readers_S = torch.tensor([9, 0, 0, 0])
    # a tenth of 0.4 · log(10 / 10), of 0.4 · log 10 and of 0.2 · log 10; the last is not read
    assert choose(Reads(reads_S, reads_S), readers_S, 9, 1).tolist() == [False, True, False, False]
    assert choose(Reads(reads_S, reads_S), readers_S, 9, 4).tolist() == [False, True, True, False]


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_other_slots_stay_bit_by_bit(tiny, learn, chosen, optimiser):
    memory = learn(tiny, "sparse_memory", pairs("one"), **SMALL, optimiser=optimiser, learning_rate=1e-3)
    first = [master.clone() for master in values_of(tiny)]
    assert all(int(mask.sum()) == 24 for mask in chosen)
    assert all(bool(value[mask].any()) and not value[~mask].any() for value, mask in zip(first, chosen, strict=True))
    learn(tiny, "sparse_memory", pairs("QUITE ANOTHER"), memory, **SMALL, optimiser=optimiser, learning_rate=1e-3)
    for before, after, mask in zip(first, values_of(tiny), chosen[2:], strict=True):
        assert torch.equal(before[~mask], after[~mask])
        assert not torch.equal(before[mask], after[mask])


def test_keys_and_queries_stay_after_they_were_spread_once(tiny, learn):
    memory = learn(tiny, "sparse_memory", pairs("one"), **SMALL)
    before = tiny.snapshot()
    learn(tiny, "sparse_memory", pairs("two"), memory, **SMALL)
    assert all(torch.equal(before[name], master) for name, master in tiny.masters.items() if not name.endswith(VALUES))


def test_a_stage_reads_its_slots_and_stages_choose_others(tiny, learn, chosen):
    gently = {**SMALL, "learning_rate": 1e-5}  # what lower slots say moves what upper ones are asked
    memory = learn(tiny, "sparse_memory", pairs("one"), **gently)
    rows = tiny.reads([tiny.chat.example(example) for example in pairs("one")])
    for (name, own), mask in zip(rows.items(), chosen, strict=True):
        others_S = memory[READERS][name] - own.rows_S  # the start model's own texts
        assert own.reads_S[mask].sum() / own.reads_S.sum() > 2 * others_S[mask].sum() / others_S.sum()
    learn(tiny, "sparse_memory", pairs("QUITE ANOTHER"), memory, **gently)
    for first, second in zip(chosen[:2], chosen[2:], strict=True):
        assert int((first & second).sum()) < 24 / 2


def test_the_memory_is_how_many_texts_read_each_slot(tiny, learn):
    meter = Meter(1)
    memory = learn(tiny, "sparse_memory", pairs("one"), meter=meter, **SMALL)
    assert memory.keys() == {TEXTS, READERS}
    assert memory[TEXTS] == 8 + 8
    assert meter.tokens["study"] > 0
    assert meter.tokens["generated"] > 0
    again = learn(tiny, "sparse_memory", pairs("two", 3), memory, **SMALL)
    assert again[TEXTS] == 8 + 8 + 3
    for name, readers in memory[READERS].items():
        assert 0 <= int((again[READERS][name] - readers).min()) < int((again[READERS][name] - readers).max()) <= 3
    assert learn(tiny, "sparse_memory", [], again, **SMALL) == again


def test_it_stacks_and_learns_with_replay(tiny, learn, nats):
    before = nats(tiny, pairs("one"))
    memory = learn(tiny, "replay+sparse_memory", pairs("one"), **SMALL, epochs=20)
    assert nats(tiny, pairs("one")) < 0.95 * before
    assert {name.split(".")[0] for name in memory} == {"replay", "sparse_memory"}


def test_anything_but_slots_is_refused():
    with pytest.raises(SettingsError, match="weights is 'full'"):
        SparseMemory(weights="full")
    with pytest.raises(SettingsError, match="slots is 1000"):
        SparseMemory(slots=1000)
