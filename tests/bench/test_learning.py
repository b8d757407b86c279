"""A stream, an arm and the tiny model in; weights and costs of each stage out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from everlearn.bench.arms import LEARNER, REFERENCES, phases
from everlearn.bench.learning import keep_weights, learn, method_for
from everlearn.bench.recording import read_learning
from everlearn.bench.stream import Plan, generate, without_boundaries
from everlearn.errors import PluginError
from everlearn.methods.contract import Method
from everlearn.model.language_model import LanguageModel
from everlearn.records import encode

from .conftest import HERE, LETTERS

QUICK = {"epochs": 2, "least_steps": 1, "learning_rate": 1e-3, "rows_per_step": 4}


def learnt(letters, arm, model, folder, **more):
    return learn(letters, arm, {**QUICK, **more}, model, folder, LEARNER if arm in REFERENCES else arm, run_seed=3)


def weights(folder, learnt_moment):
    return load_file(folder / learnt_moment.weights)


def whole(learning):
    return [moment for moment in learning.moments if moment.share == 1.0]


def test_every_stage_leaves_weights_and_its_cost(letters, tiny, tmp_path):
    learning = learnt(letters, "finetune", tiny, tmp_path)
    assert [moment.stage for moment in whole(learning)] == [1, 2, 3]
    assert read_learning(tmp_path) == learning
    assert all((tmp_path / moment.weights).is_file() for moment in learning.moments)
    one, *_ = whole(learning)
    tokens = sum(len(tiny.chat.example(example).ids) for example in letters.stages[0].examples)
    assert 0 < one.cost.tokens["new"] <= 2 * tokens  # what rows share is computed once
    assert one.cost.flops == 6 * tiny.parameters * one.cost.tokens["new"]
    assert one.bytes_kept > tiny.parameters  # a byte for each weight, and scales
    assert one.memory_bytes == 0
    assert learning.settings["epochs"] == 2


def test_points_within_lie_in_two_stages_and_before_their_ends(letters, tiny, tmp_path):
    learning = learnt(letters, "finetune", tiny, tmp_path, epochs=8)
    within = [(moment.stage, moment.share) for moment in learning.moments if moment.share < 1.0]
    assert within == [(1, 1 / 16), (1, 1 / 8), (1, 1 / 4), (1, 1 / 2), (2, 1 / 16), (2, 1 / 8), (2, 1 / 4), (2, 1 / 2)]
    order = [(moment.stage, moment.share) for moment in learning.moments]
    assert order == sorted(order)


def test_kept_weights_are_those_of_the_moment(letters, tiny, tmp_path):
    learning = learnt(letters, "finetune", tiny, tmp_path)
    last = weights(tmp_path, whole(learning)[-1])
    assert all(torch.equal(last[name], weight.cpu()) for name, weight in tiny.weights().items())
    assert any(not torch.equal(last[name], before) for name, before in weights(tmp_path, whole(learning)[0]).items())


def test_solo_starts_every_stage_from_the_base(letters, tiny, tiny_folder, tmp_path):
    solo = learnt(letters, "solo", tiny, tmp_path / "solo")
    assert [(moment.stage, moment.share) for moment in solo.moments] == [(1, 1.0), (2, 1.0), (3, 1.0)]
    alone = generate(Plan((LETTERS,), rounds=3, scale=0.4), seed=3)
    object.__setattr__(alone, "stages", alone.stages[2:])
    fresh = LanguageModel.load(str(tiny_folder))
    third = learnt(alone, "finetune", fresh, tmp_path / "third")
    expected = weights(tmp_path / "third", whole(third)[0])
    found = weights(tmp_path / "solo", solo.moments[2])
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_joint_sees_every_example_as_often_as_training_stage_by_stage(letters):
    (phase,) = phases("joint", letters)
    assert sorted(map(str, phase.examples)) == sorted(str(row) for stage in letters.stages for row in stage.examples)
    assert phase.stage == 3
    few = {"epochs": 1, "least_steps": 12, "rows_per_step": 4}  # 8 rows a stage: 2 steps, gone through 6 times
    assert method_for(letters, "joint", few, "joint").epochs == 6
    assert method_for(letters, "finetune", few, "finetune").epochs == 1


def test_joint_is_one_phase_at_the_end(letters, tiny, tmp_path):
    (moment,) = learnt(letters, "joint", tiny, tmp_path).moments
    assert (moment.stage, moment.share) == (3, 1.0)


def test_joint_training_by_another_name_is_the_same(letters, tiny_folder, tmp_path):
    models = [LanguageModel.load(str(tiny_folder)) for _ in range(2)]
    one = learn(letters, "joint", QUICK, models[0], tmp_path / "a", "joint", run_seed=3)
    other = learn(letters, "again", QUICK, models[1], tmp_path / "b", "joint", run_seed=3)
    assert (other.arm, other.settings) == ("again", one.settings)
    assert [(moment.stage, moment.share) for moment in other.moments] == [(3, 1.0)]
    first, second = weights(tmp_path / "a", one.moments[0]), weights(tmp_path / "b", other.moments[0])
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_pieces_bear_the_cost_of_all_that_was_learnt_since_the_last_moment(letters, tiny, tmp_path):
    pieces = without_boundaries(letters)
    assert pieces.ends == ((), (1,), (2,), (3,))
    whole_run = learnt(pieces, "finetune", tiny, tmp_path)
    assert [(moment.stage, moment.share) for moment in whole_run.moments] == [(1, 1.0), (2, 1.0), (3, 1.0)]
    first, second, _ = whole_run.moments
    assert first.cost.tokens["new"] == pytest.approx(2 * second.cost.tokens["new"], rel=0.1), "two pieces, then one"
    assert first.cost.bytes_kept == first.bytes_kept
    assert len(list(tmp_path.glob("*.safetensors"))) == 3


def test_two_stages_that_end_in_one_piece_have_one_model_and_one_cost(letters, tiny, tmp_path):
    pieces = replace(letters, ends=((), (1, 2), (3,)))
    one, other, last = learnt(pieces, "finetune", tiny, tmp_path).moments
    assert (one.stage, other.stage, last.stage) == (1, 2, 3)
    assert one.weights == other.weights != last.weights
    assert (one.bytes_kept, other.cost.flops) == (other.bytes_kept, 0)
    assert one.cost.flops > 0


def test_the_folder_that_a_method_may_write_to_tells_nothing_and_is_removed(letters, tiny, tmp_path, monkeypatch):
    folders = []
    monkeypatch.setattr(
        Hoarding, "learn", lambda self, model, examples, memory, run: folders.append(run.checkpoints.folder) or {}
    )
    monkeypatch.setattr("everlearn.bench.learning.method_for", lambda *given: Hoarding({}))
    monkeypatch.setattr("everlearn.bench.learning.values_of", lambda method: {})
    cell = tmp_path / "cells" / "hoarding" / "314159"
    learn(letters, "hoarding", {}, tiny, cell, "hoarding")
    assert len(set(folders)) == 3
    assert not any("314159" in str(folder) or "hoarding" in str(folder) or folder.exists() for folder in folders)


def test_references_that_learn_nothing_have_no_phases(letters):
    assert phases("base", letters) == phases("context", letters) == ()


def test_a_memory_of_the_whole_stream_is_labelled(letters, tiny, tmp_path):
    assert learnt(letters, "replay", tiny, tmp_path).labels == ("full replay",)


def test_a_small_memory_is_not(letters, tiny, tmp_path):
    learning = learnt(letters, "replay", tiny, tmp_path, budget=400)
    assert learning.labels == ()
    assert 0 < whole(learning)[-1].memory_bytes <= 400


class Hoarding(Method):
    """Keeps what it is told to, under any name."""

    def __init__(self, kept):
        self.kept = kept

    def learn(self, model, examples, memory, run):
        return self.kept


@pytest.mark.parametrize(
    ("share", "form", "label"),
    [
        (0.95, "text", "full replay"),
        (0.95, "tensors", "room for full replay"),
        (0.85, "text", None),
        (0.85, "tensors", None),
    ],
)
def test_a_memory_of_any_name_and_form_is_labelled_by_its_size(
    letters, tiny, tmp_path, monkeypatch, share, form, label
):
    raw = sum(len(encode(example)) for stage in letters.stages for example in stage.examples)
    size = int(share * raw)
    kept = {"notes": "x" * size} if form == "text" else {"state": {"bytes": torch.zeros(size, dtype=torch.uint8)}}
    monkeypatch.setattr("everlearn.bench.learning.method_for", lambda *given: Hoarding(kept))
    monkeypatch.setattr("everlearn.bench.learning.values_of", lambda method: {})
    labels = learnt(letters, "hoarding", tiny, tmp_path).labels
    assert [one for one in labels if "replay" in one] == ([label] if label else [])


def test_what_was_once_kept_counts_at_the_end_too(letters, tiny, tmp_path, monkeypatch):
    raw = sum(len(encode(example)) for stage in letters.stages for example in stage.examples)
    hoarding = Hoarding({})
    sizes = iter((0, raw, 0))
    monkeypatch.setattr(Hoarding, "learn", lambda *given: {"notes": "x" * next(sizes)})
    monkeypatch.setattr("everlearn.bench.learning.method_for", lambda *given: hoarding)
    monkeypatch.setattr("everlearn.bench.learning.values_of", lambda method: {})
    assert "full replay" in learnt(letters, "hoarding", tiny, tmp_path).labels


def test_a_method_gets_the_runs_seed_and_never_the_streams(letters, tiny, tmp_path, monkeypatch):
    seeds = []
    monkeypatch.setattr(Hoarding, "learn", lambda self, model, examples, memory, run: seeds.append(run.seed) or {})
    monkeypatch.setattr("everlearn.bench.learning.method_for", lambda *given: Hoarding({}))
    monkeypatch.setattr("everlearn.bench.learning.values_of", lambda method: {})
    learning = learn(letters, "hoarding", {}, tiny, tmp_path, "hoarding", run_seed=77)
    assert seeds == [77, 77, 77]
    assert learning.run_seed == 77
    assert learn(letters, "hoarding", {}, tiny, tmp_path, "hoarding").run_seed == 0 != letters.seed


def test_training_that_changes_nothing_is_labelled(letters, tiny, tmp_path):
    assert learnt(letters, "finetune", tiny, tmp_path, learning_rate=1e-12).labels == ("nothing trained",)


def test_an_adapter_is_kept_as_it_is_and_metered_as_frozen(letters, tiny, tmp_path):
    parameters = tiny.parameters
    learning = learnt(letters, "finetune", tiny, tmp_path, weights="lora", rank=2)
    assert learning.adaptation == ("lora", 2, "all")
    assert all("lora_" in name for name in weights(tmp_path, learning.moments[0]))
    for moment in whole(learning):
        assert moment.cost.flops == 4 * parameters * moment.cost.tokens["new"]


def test_the_same_seed_gives_the_same_weights(letters, tiny_folder, tmp_path):
    found = []
    for name in "ab":
        learning = learnt(letters, "replay", LanguageModel.load(str(tiny_folder)), tmp_path / name)
        found.append(weights(tmp_path / name, learning.moments[-1]))
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_a_method_may_be_a_file_and_an_unknown_one_is_named(letters, tiny, tmp_path):
    with pytest.raises(RuntimeError, match="this method is broken"):
        learn(letters, "mine", {}, tiny, tmp_path, str(HERE / "breaking.py"))
    with pytest.raises(PluginError, match="there is no method called 'finetunee'"):
        learn(letters, "finetunee", {}, tiny, tmp_path, "finetunee")


def test_kept_weights_say_whether_they_moved(tiny, tmp_path):
    from safetensors import safe_open

    from everlearn.model.adaptation import Adaptation

    tiny.adapt(Adaptation())
    keep_weights(tiny, tmp_path, "same")
    name = next(iter(tiny.masters))
    tiny.masters[name] = tiny.masters[name] + 1
    keep_weights(tiny, tmp_path, "moved")
    said = [safe_open(tmp_path / f"{file}.safetensors", "pt").metadata()["moved"] for file in ("same", "moved")]
    assert said == ["False", "True"]
