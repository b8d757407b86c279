"""What every method must do: learn, repeat itself, report its cost, and survive a stage of nothing or of one item."""

from __future__ import annotations

import pytest
import torch

from everlearn import examiner, plugins
from everlearn.learner import Learner
from everlearn.methods.contract import FAMILIES, Gradient, Method
from everlearn.records import Example, Message, Question
from everlearn.settings import settings_of
from sample_lessons import few_candidates

METHODS = plugins.names("methods")
SETTINGS = {"epochs": 4, "learning_rate": 1e-2, "rows_per_step": 4, "least_steps": 1, "weights": "full"}
CANNOT_SAY = (
    *("alphaedit", "cartridges", "freeze", "heads", "lora_bank", "lora_soup", "memit", "o_lora", "slao"),
    "sparse_memory",
)
"""What leaves the embedding frozen: a random model of two layers then cannot say the letters."""
SMALL_ANCHORS = {"strength": 0.1, "anchors": 8, "anchor_length": 12, "anchors_per_step": 2}


def pairs(word: str, count: int) -> list[Example]:
    """Examples that the tiny model can learn."""
    return [
        Example((Message("user", f"{word} {number}?"), Message("assistant", chr(65 + number), learn=True)))
        for number in range(count)
    ]


def questions(examples: list[Example]) -> list[Question]:
    return [Question(example.messages[:1], (example.messages[1].content,)) for example in examples]


def settings_for(name: str) -> dict:
    if name in {"memit", "alphaedit"}:  # these edit, and have no settings of training
        weak = {"hold": 0.01} if name == "memit" else {"ridge": 0.01, "unused": 0.9}
        return {"anchors": 8, "anchor_length": 12, "layers": 1, "depth": 1.0, "reach": 3.0, **weak}
    extra = SMALL_ANCHORS if name.startswith(("anchored", "kl_")) else {}
    if name == "token_mask":  # to random weights everything is unlikely
        extra = {"perplexity": 1e9}
    if name == "grpo":
        extra = {"samples": 4}
    if name == "anchored neurons":
        extra = {**extra, "weights": "neurons", "neurons": 8}
    if name == "sparse_memory":
        extra = {"weights": "memory", "slots": 256, "stage_slots": 64, "anchors": 8, "anchor_length": 12}
    if name in {"slao", "o_lora", "lora_soup", "lora_bank"}:
        extra = {"weights": "lora", "rank": 32}
    if name in {"lora_bank", "heads"}:
        extra = {**extra, "anchors": 8, "anchor_length": 12, "features": 64}
    if name == "cartridges":
        extra = {"weights": "cartridge", "tokens": 8, "learning_rate": 5e-2}
    if name in {"sdft", "sdpo", "context_distill"}:  # a random model makes nothing of what is in its prompt
        extra = {"warm": 0.9, "teacher": "ema"}
    return {**SETTINGS, **extra, **({"layers": 0} if name == "freeze" else {})}


def longer(settings: dict) -> dict:
    """The same with more passes, for what makes passes."""
    return {**settings, "epochs": 60} if "epochs" in settings else settings


@pytest.fixture
def learner(tmp_path, tiny_folder, monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.setattr(examiner, "candidates", few_candidates)
    return Learner(tmp_path, model=str(tiny_folder))


def test_the_expected_methods_are_there():
    assert {"anchored", "finetune", "freeze", "joint", "replay"} <= set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_it_learns_and_reports_its_cost(learner, name):
    examples = pairs("one", 4)
    rows = [learner.model.chat.example(example) for example in examples]
    before = sum(outcome.nll for outcome in learner.model.force(rows))
    learnt = learner.learn_items(examples, questions(examples), name, longer(settings_for(name)))
    learner.checkout(learnt.digest)
    # what a random model attends to hardly moves what it says
    share = 0.96 if name == "cartridges" else 0.9
    assert sum(outcome.nll for outcome in learner.model.force(rows)) < share * before
    if name not in CANNOT_SAY:
        assert learnt.commit.verdict.comparisons[-1].after > learnt.commit.verdict.comparisons[-1].before
    assert learnt.commit.cost.tokens["new"] > 0
    assert learnt.commit.cost.flops > 0
    assert learnt.commit.cost.bytes_kept > 0


@pytest.mark.parametrize("name", [*METHODS, "anchored neurons", "replay+ewc"])
def test_it_repeats_itself_and_a_second_stage_starts_from_the_first_in_a_new_process(
    tmp_path, tiny_folder, monkeypatch, name
):
    """Learning two stages in one go, or again with a fresh learner between them, gives the same weights and memory."""
    torch.set_num_threads(1)
    monkeypatch.setattr(examiner, "candidates", few_candidates)
    made = []
    for folder, fresh in (("a", False), ("b", True)):
        (tmp_path / folder).mkdir()
        learner = Learner(tmp_path / folder, model=str(tiny_folder))
        first = learner.learn_items(pairs("one", 4), (), name.split()[0], settings_for(name))
        learner.store.advance(first.digest)
        if fresh:
            learner = Learner(tmp_path / folder)
        second = learner.learn_items(pairs("two", 4), (), name.split()[0], settings_for(name))
        assert second.commit.parent == first.digest
        made.append([(each.commit.weights_object, each.commit.memory_objects) for each in (first, second)])
    assert made[0] == made[1]


@pytest.mark.parametrize("name", [*METHODS, "anchored neurons", "replay+ewc"])
def test_it_survives_a_stage_of_nothing_and_of_one_item(learner, name):
    nothing = learner.learn_items([], (), name.split()[0], settings_for(name))
    assert not nothing.commit.verdict.accepted
    assert "nothing trained" in nothing.commit.verdict.reason
    learner.learn_items(pairs("one", 1), (), name.split()[0], settings_for(name))
    assert learner.store.verify() == []


@pytest.mark.parametrize("name", METHODS)
def test_each_is_described_and_each_setting_explained(name):
    method = plugins.find("methods", name, Method)
    assert method.family in FAMILIES
    assert method.keeps
    assert method.cost
    assert method.__doc__
    for setting in settings_of(method):
        assert setting.help, f"{name}.{setting.name} has no docstring"


def test_replay_keeps_within_its_budget(learner):
    examples = pairs("one", 20)
    learnt = learner.learn_items(examples, (), "replay", {**settings_for("replay"), "budget": 1000})
    kept = learnt.commit.memory_objects["examples.json"]
    assert 0 < learner.store.size(kept) <= 1100


def test_joint_sees_all_items_of_the_sequence(learner):
    first, second = pairs("one", 4), pairs("two", 4)
    for examples in (first, second):
        learnt = learner.learn_items(examples, (), "joint", settings_for("joint"))
        learner.store.advance(learnt.digest)
    from everlearn.memory import recall

    assert recall(learner.store, learnt.commit.memory_objects)["examples"] == first + second


def test_freeze_leaves_the_lower_layers_alone(learner):
    settings = {**settings_for("freeze"), "layers": 1}
    learner.learn_items(pairs("one", 4), (), "freeze", settings)
    start = learner.model.start()
    moved = {name for name, master in learner.model.masters.items() if not torch.equal(master, start[name])}
    assert moved
    assert not any("embed" in name or "layers.0." in name for name in moved)


def test_anchors_hold_the_model_to_its_habits(tiny_folder):
    """With the KL term the model stays nearer to its start than without, having seen the same examples."""
    from everlearn.model.language_model import LanguageModel
    from everlearn.train.anchors import Anchors, kl_to
    from everlearn.train.checkpoint import Checkpoints
    from everlearn.train.meter import Meter
    from everlearn.train.run import Run

    distances = []
    for strength in (0.001, 10.0):
        model = LanguageModel.load(str(tiny_folder))
        settings = {**settings_for("anchored"), "strength": strength, "average": False, "epochs": 8}
        method = plugins.find("methods", "anchored", Gradient)(**settings)
        meter = Meter(1)
        run = Run(0, meter, Checkpoints(tiny_folder / "none", meter, 1e9))
        run.checkpoints.save = lambda step, tensors: None
        memory = method.learn(model, pairs("one", 6), {}, run)
        anchors = Anchors.of(memory["anchors"])
        with torch.no_grad():
            distances.append(float(kl_to(model, anchors, range(len(anchors.rows)))))
    assert distances[1] < 0.5 * distances[0]


def test_texts_without_questions_count_as_learnt_when_they_become_likelier(learner):
    texts = [Example((Message("text", f"zorb {number} zorb", learn=True),)) for number in range(4)]
    learnt = learner.learn_items(texts, (), "finetune", {**settings_for("finetune"), "epochs": 20})
    assert learnt.commit.verdict.comparisons[-1].after == 1.0
    again = learner.learn_items(texts, (), "finetune", {**settings_for("finetune"), "learning_rate": 1e-12})
    assert "nothing trained" in again.commit.verdict.reason


def test_small_earlier_stages_are_recalled_as_often_as_large_ones(learner):
    from collections import Counter
    from dataclasses import replace
    from itertools import islice
    from random import Random

    from everlearn.methods.contract import _by_turns
    from everlearn.records import Origin

    old = [replace(pair, origin=Origin("large.md", 1)) for pair in pairs("large", 20)]
    old += [replace(pair, origin=Origin("small.md", 1)) for pair in pairs("small", 2)]
    recalled = [row for row, _ in islice(_by_turns(learner.model, old, Random(0)), 40)]
    texts = Counter(learner.model.tokenizer.decode(row.ids).count("small") > 0 for row in recalled)
    assert texts[True] == texts[False] == 20
    assert len(set(recalled)) == 22, "every row comes before any comes again"
