"""Edits solve the equations that they are defined by, make the model answer, and leave what they shall leave."""

from __future__ import annotations

import itertools

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods import _editing
from everlearn.methods._editing import Asked, look, mean_squares
from everlearn.methods.alphaedit import AlphaEdit, unused_directions
from everlearn.methods.memit import MEMIT
from everlearn.model.adaptation import Adaptation
from everlearn.model.packing import pack
from everlearn.records import Example, Message
from everlearn.stacking import method_called
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Run

from .conftest import pairs, text

SMALL = {"anchors": 8, "anchor_length": 12, "layers": 1, "depth": 1.0, "steps": 20}


@pytest.fixture
def edit(tmp_path):
    """Learn one stage by editing; returns the memory."""
    count = itertools.count()

    def stage(model, kind, examples, memory=None, meter=None, **settings):
        meter = meter or Meter(1)
        run = Run(0, meter, Checkpoints(tmp_path / f"stage-{next(count)}", meter, None))
        return kind(**{**SMALL, **settings}).learn(model, examples, memory or {}, run)

    return stage


@pytest.fixture
def run(tmp_path):
    meter = Meter(1)
    return Run(0, meter, Checkpoints(tmp_path / "none", meter, None))


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def begun(model, examples) -> float:
    """How many answers the model would begin rightly: what its random weights make of their ends is another thing."""
    rows = [model.chat.example(example) for example in examples]
    outcomes = model.force(rows)
    return sum(one.likely[0] == row.ids[len(row.prompt)] for one, row in zip(outcomes, rows, strict=True)) / len(rows)


def down(model, layer: int = 1) -> str:
    return next(name for name in model.linear_weights() if f"layers.{layer}.mlp.down" in name)


def test_memit_solves_its_least_squares():
    keys_ED, missing_EH, texts_ND = random(5, 6), random(5, 4, seed=1), random(50, 6, seed=2)
    squares = {"w": (texts_ND.T @ texts_ND / 50)}
    change_HD = MEMIT(hold=0.3).change("w", keys_ED, missing_EH, {"squares": squares})
    # edits as they are, and the mean of what changes elsewhere, written as rows of one system
    held_ND = (0.3 * 6 / 50) ** 0.5 * texts_ND
    wanted = torch.linalg.lstsq(torch.cat([keys_ED, held_ND]), torch.cat([missing_EH, torch.zeros(50, 4).double()]))
    assert torch.allclose(change_HD, wanted.solution.T, atol=1e-6)


def test_alphaedit_solves_its_least_squares_where_no_key_in_use_lies():
    keys_ED, missing_EH, earlier_ED = random(5, 8), random(5, 4, seed=1), random(7, 8, seed=3)
    texts_ND = random(50, 3, seed=2) @ random(3, 8, seed=4)  # in three of eight dimensions
    method = AlphaEdit(unused=0.001, ridge=0.5)
    memory = method.edited({"w": earlier_ED.float()}, method.kept({"w": (texts_ND.T @ texts_ND / 50).float()}))
    change_HD = method.change("w", keys_ED, missing_EH, memory)
    assert float((texts_ND @ change_HD.T).abs().max()) < 1e-5, "all that is in use stays"
    free_FD = memory["free"]["w"].double()
    assert free_FD.shape == (5, 8)
    within_EF, before_EF = keys_ED @ free_FD.T, earlier_ED @ free_FD.T
    ridge_FF = (0.5 * within_EF.square().sum(1).mean()).sqrt() * torch.eye(5).double()
    whole = torch.cat([within_EF, before_EF, ridge_FF])
    wanted = torch.linalg.lstsq(whole, torch.cat([missing_EH, torch.zeros(12, 4).double()])).solution.T @ free_FD
    assert torch.allclose(change_HD, wanted, atol=1e-5)


def test_directions_hold_no_more_than_their_share():
    square_DD = torch.diag(torch.tensor([1.0, 50.0, 4.0, 45.0]))
    free_FD = unused_directions(square_DD, 0.05)
    assert free_FD.abs().round().tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]
    assert len(unused_directions(square_DD, 0.049)) == 1
    assert len(unused_directions(torch.eye(3), 0.001)) == 1, "somewhere must be room"


@pytest.mark.parametrize(
    ("kind", "settings"),
    [(MEMIT, {"hold": 0.01}), (AlphaEdit, {"ridge": 0.01, "unused": 0.9})],
    ids=["memit", "alphaedit"],
)
def test_an_edit_makes_the_model_answer_by_one_matrix_alone(kind, settings, tiny, edit):
    meter = Meter(1)
    assert begun(tiny, pairs("one")) < 0.3
    edit(tiny, kind, pairs("one"), meter=meter, **settings)
    assert begun(tiny, pairs("one")) > 0.8
    start = tiny.start()
    assert {name for name in start if not torch.equal(start[name], tiny.masters[name])} == {down(tiny)}
    assert meter.tokens["new"] > 0
    assert meter.tokens["study"] > 0
    assert meter.tokens["generated"] > 0
    assert all(weight.requires_grad for weight in tiny.weights().values())


def test_what_the_start_models_keys_lead_to_stays_after_alphaedit(tiny, edit, run, monkeypatch):
    """Keys of other prompts, in a space of few dimensions, are protected; edits elsewhere do not move them."""
    tiny.adapt(Adaptation("full"))
    others = [tiny.chat.example(example) for example in pairs("other", 4)]
    monkeypatch.setattr(AlphaEdit, "_squares", lambda self, model, names, run: mean_squares(model, others, names, run))
    name = down(tiny)
    keys_ED = look(tiny, others, name, "model.layers.1", run).keys_ED
    before = tiny.masters[name]
    edit(tiny, AlphaEdit, pairs("one"), unused=1e-7)
    change_HD = tiny.masters[name] - before
    assert float(change_HD.norm()) > 0
    assert float((keys_ED @ change_HD.T).abs().max()) < 1e-5


def test_earlier_edits_stay(tiny_folder, edit, nats):
    from everlearn.model.language_model import LanguageModel

    lost = []
    for remembers in (True, False):
        model = LanguageModel.load(str(tiny_folder))
        settings = {"ridge": 0.01, "unused": 0.9}
        memory = edit(model, AlphaEdit, pairs("one"), **settings)
        known = nats(model, pairs("one"))
        if not remembers:
            memory["earlier"] = {name: torch.zeros_like(each) for name, each in memory["earlier"].items()}
        edit(model, AlphaEdit, pairs("two", first="P"), memory, **settings)
        lost.append(nats(model, pairs("one")) - known)
    assert lost[0] < 0.5 * lost[1]


def test_the_state_sought_is_the_one_that_answers(tiny, run):
    """Put behind the layer at the end of the prompt, it does what the edit then brings about."""
    tiny.adapt(Adaptation("full"))
    rows = [tiny.chat.example(example) for example in pairs("one")]
    layer = "model.layers.1"
    method = MEMIT(**SMALL)
    asked = Asked.of(rows, tiny.device)
    _, before_EH = _editing.look_at(tiny, asked, [], layer, run)
    wanted_EH = method._wanted(tiny, rows, layer, run)
    away = (wanted_EH - before_EH).norm(dim=1) / before_EH.norm(dim=1)
    assert float(away.max()) <= method.reach + 1e-3
    with tiny.steered(layer, lambda states_TD: states_TD.index_copy(0, asked.end_E, wanted_EH.to(states_TD.dtype))):
        logits_NV = tiny.logits(asked.batch)
    right = logits_NV[asked.first_E].argmax(-1) == asked.batch.targets_N[asked.first_E]
    assert bool(right.all())
    apart = torch.stack([method._wanted(tiny, [row], layer, run)[0] for row in rows])
    assert torch.allclose(apart, wanted_EH, atol=0.05), "a row feels no other"


def test_prompts_that_start_alike_end_at_places_of_their_own(tiny):
    long = "x" * 80
    rows = [
        tiny.chat.example(Example((Message("user", long), Message("assistant", said, learn=True))))
        for said in ("A", "B", "CD")
    ]
    asked = Asked.of(rows, tiny.device)
    assert len(set(asked.end_E.tolist())) == 3
    ends = [row.prompt[-1] for row in rows]
    assert asked.batch.ids_T[asked.end_E].tolist() == ends
    assert asked.batch.targets_N[asked.first_E].tolist() == [row.ids[len(row.prompt)] for row in rows]
    assert asked.share_N.sum().item() == pytest.approx(3)
    plain = torch.nn.functional.cross_entropy(
        (logits_NV := tiny.logits(batch := pack(rows)).float()), batch.targets_N, reduction="none"
    )
    assert len(logits_NV) == len(asked.share_N) - 3
    means = torch.stack([plain[batch.row_N == index].mean() for index in range(3)])
    assert asked.surprise(tiny.logits(asked.batch)).item() == pytest.approx(means.sum().item(), rel=1e-2)


def test_what_is_missing_is_spread_evenly_over_layers(tiny, edit):
    missing = []

    class Watched(MEMIT):
        def change(self, name, keys_ED, missing_EH, memory):
            missing.append(float(missing_EH.norm()))
            return super().change(name, keys_ED, missing_EH, memory)

    edit(tiny, Watched, pairs("one"), layers=2, hold=1e-4)
    start = tiny.start()
    changed = {name for name in start if not torch.equal(start[name], tiny.masters[name])}
    assert changed == {down(tiny, 0), down(tiny, 1)}
    assert missing[1] == pytest.approx(missing[0], rel=0.5), "the upper layer finds half of it done"


def test_texts_are_not_edited_in_and_nothing_joins(tiny, edit):
    memory = edit(tiny, MEMIT, pairs("one", 2))
    before = tiny.snapshot()
    assert edit(tiny, MEMIT, [text("one two three")], memory) == memory
    assert all(torch.equal(tiny.masters[name], each) for name, each in before.items())
    with pytest.raises(SettingsError, match="does not train"):
        method_called("replay+memit")
    for wrong in ({"depth": 1.5}, {"steps": 0}, {"hold": -1}):
        with pytest.raises(SettingsError):
            MEMIT(**wrong)
    with pytest.raises(SettingsError):
        AlphaEdit(unused=0)
