"""Methods joined by + train at once: every hook is heard, settings have one place each, and nonsense is refused."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import pytest
import torch

from everlearn import plugins, stacking
from everlearn.errors import SettingsError
from everlearn.memory import as_files, from_files
from everlearn.methods.contract import EARLIER, Gradient, Mixture
from everlearn.records import Example, Message, Question
from everlearn.settings import settings_of, with_values
from everlearn.stacking import method_called
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.loop import RUNNING
from everlearn.train.meter import Meter
from everlearn.train.run import Run

QUICK = {"epochs": 2, "least_steps": 1, "rows_per_step": 2, "learning_rate": 1e-3}


def row(word: str) -> Example:
    return Example((Message("user", f"{word}?"), Message("assistant", word, learn=True)))


@dataclass(frozen=True)
class Pull(Gradient):
    """Pulls all weights to zero and counts its steps."""

    strength: float = 0.5
    """how strong"""

    def prepare(self, model, examples, memory, run):
        return {**memory, RUNNING: {"steps": torch.zeros(1)}}

    def penalty(self, model, memory, step):
        return self.strength * sum((weight.float() ** 2).sum() for weight in model.weights().values())

    def weigh(self, nll_N, memory, step):
        return torch.full_like(nll_N, 2.0)

    def after_step(self, model, memory, step):
        memory[RUNNING]["steps"] += 1

    def finish(self, model, examples, memory, run):
        return {**memory, "count": int(memory[RUNNING]["steps"]) + memory.get("count", 0)}


@dataclass(frozen=True)
class Push(Gradient):
    """Throws all gradients away but one's."""

    strength: float = 3.0
    """how strong, too"""
    weights: str = "lora"

    def weigh(self, nll_N, memory, step):
        return torch.full_like(nll_N, 3.0)

    def project(self, model, gradients, memory, step):
        for name in list(gradients)[1:]:
            del gradients[name]

    def prompt(self, question, memory):
        return Question((Message("user", "said before"), *question.messages), question.gold)


@dataclass(frozen=True)
class Rival(Gradient):
    """Has earlier examples of its own."""

    claims: ClassVar = (EARLIER,)

    def examples(self, fresh, memory):
        return Mixture(fresh, [row("old")], 1)


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    known = {"pull": Pull, "push": Push, "rival": Rival}
    found = plugins.find
    monkeypatch.setattr(
        stacking.plugins, "find", lambda folder, name, kind: known.get(name) or found(folder, name, kind)
    )


def learn(name: str, model, tmp_path, memory=None, **settings):
    method = with_values(method_called(name), {**QUICK, **settings})
    meter = Meter(1)
    run = Run(0, meter, Checkpoints(tmp_path, meter, None))
    return method, method.learn(model, [row("a"), row("b")], memory or {}, run)


def test_a_single_name_is_the_plug_in_itself():
    assert method_called("replay") is plugins.find("methods", "replay", Gradient)


def test_settings_of_all_methods_are_given_once_and_likenamed_ones_bear_their_methods_name():
    kind = method_called("pull+push+replay")
    named = {setting.name: setting for setting in settings_of(kind)}
    assert {"pull_strength", "push_strength", "budget", "old_per_step", "learning_rate"} <= set(named)
    assert "strength" not in named
    assert named["pull_strength"].help == "how strong"
    assert named["weights"].default == "lora", "the one part that wants something else than usual has it"
    assert len(fields(kind)) == len(named)
    parts = with_values(kind, {"pull_strength": "7", "budget": 9, "learning_rate": 0.25}).parts
    assert (parts["pull"].strength, parts["push"].strength, parts["replay"].budget) == (7, 3, 9)
    assert {part.learning_rate for part in parts.values()} == {0.25}
    assert {part.weights for part in parts.values()} == {"lora"}


def test_every_part_has_its_say_and_its_own_memory(tiny, tmp_path):
    before = tiny.network.get_input_embeddings().weight.clone()
    method, memory = learn("pull+replay", tiny, tmp_path, strength=10.0)
    assert set(memory) == {"pull.count", "replay.examples"}
    assert memory["pull.count"] == 2
    assert memory["replay.examples"]
    after = tiny.network.get_input_embeddings().weight
    assert after.float().norm() < before.float().norm(), "the penalty is felt"
    _, again = learn("pull+replay", tiny, tmp_path, memory=from_files(as_files(memory)))
    assert again["pull.count"] == 4, "what was kept comes back to the part that kept it"
    assert method.examples([row("c")], {"parts": {"pull": {}, "replay": {"examples": [row("d")]}}}).old == [row("d")]
    assert method.examples([row("c")], again).old == again["replay.examples"], "a forecast asks before a stage begins"
    assert not method.examples([row("c")], {}).old


def test_weights_are_multiplied_and_projections_chained(tiny, tmp_path):
    method = with_values(method_called("pull+push"), {**QUICK, "weights": "full"})
    memory = {"parts": {"pull": {}, "push": {}}}
    assert method.weigh(torch.ones(2), memory, 0).tolist() == [6.0, 6.0]
    gradients = {name: torch.ones(1) for name in "abc"}
    method.project(tiny, gradients, memory, 0)
    assert list(gradients) == ["a"]


def test_what_is_carried_while_training_comes_back_to_its_part():
    method = with_values(method_called("pull+push"), {"weights": "full"})
    memory = {"parts": {"pull": {RUNNING: {"steps": torch.ones(1)}}, "push": {}}}
    kept = method.running(memory)
    assert list(kept) == ["pull.steps"]
    fresh = {"parts": {"pull": {}, "push": {}}}
    method.resume(fresh, kept)
    assert fresh["parts"]["pull"][RUNNING]["steps"] == 1


def test_questions_are_changed_only_where_a_part_does_so():
    question = Question((Message("user", "what?"),), ("this",))
    changed = with_values(method_called("pull+push"), {"weights": "full"})
    assert len(changed.prompt(question, {}).messages) == 2
    from everlearn.bench.prompting import prompts

    assert prompts(changed)
    assert not prompts(with_values(method_called("pull+replay"), {}))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("replay+rival", "replay and rival both decide which earlier examples come again"),
        ("pull+pull", "names a method twice"),
    ],
)
def test_nonsense_is_refused(name, said):
    with pytest.raises(SettingsError, match=said) as error:
        method_called(name)
    assert error.value.hint


def test_parts_that_want_different_weights_are_refused(monkeypatch):
    @dataclass(frozen=True)
    class Grown(Gradient):
        weights: str = "neurons"

    monkeypatch.setattr(stacking.plugins, "find", lambda folder, name, kind: {"push": Push, "grown": Grown}[name])
    with pytest.raises(SettingsError, match="push wants weights=lora, grown wants weights=neurons"):
        method_called("push+grown")


def test_what_a_correction_retires_leaves_the_memory_of_every_part():
    from everlearn.records import Example, Message
    from everlearn.teaching import _without

    old, other = (Example((Message("user", word), Message("assistant", "a", learn=True))) for word in ("old", "other"))
    memory = {"replay.examples": [old, other], "examples": [old], "ewc.importance": {}}
    assert _without(memory, [old]) == {"replay.examples": [other], "examples": [], "ewc.importance": {}}
