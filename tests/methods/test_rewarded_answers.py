"""Rewards are what is right, and answers become likelier by how much better than their group they were."""

from __future__ import annotations

import statistics

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods._rewarded import Rewarded
from everlearn.methods._verifying import Verifier, overlap, task_of
from everlearn.methods.grpo import GRPO, advantages_of
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import pack
from everlearn.records import Example, Message
from everlearn.stacking import method_called
from everlearn.train.loop import Step
from everlearn.train.losses import cross_entropy, top_k_kl
from everlearn.train.meter import Meter
from everlearn.train.run import Run

from .conftest import pairs, say, text

# --- rewards -------------------------------------------------------------------------------------------


def test_a_task_is_the_last_taught_turn(tiny):
    turns = (Message("user", "a?"), Message("assistant", "B"), Message("user", "c?"), Message("assistant", "D", True))
    task = task_of(tiny, Example(turns))
    assert task.prompt == tiny.chat.prompt(turns[:3])
    assert task.answer == "D"
    assert task_of(tiny, text("zorb")) is None
    long = Example((Message("user", "a" * 600), Message("assistant", "B", learn=True)))
    assert task_of(tiny, long) is None, "there is no room to answer"


def test_only_what_is_right_and_has_ended_gets_the_whole_reward(tiny):
    task = task_of(tiny, Example((Message("user", "a?"), Message("assistant", "to be or not", learn=True))))
    for answer, finished, verifier, wanted in (
        ("To be  or NOT.", True, Verifier(), 1),
        ("to be or not", False, Verifier(), 0),
        ("he says to be or not", True, Verifier(), 0),
        ("he says to be or not", True, Verifier("contains"), 1),
        ("to be or what", True, Verifier(partial=0.5), 0.5 * 0.75),
        ("to be or not", False, Verifier(partial=0.5), 0.5),
    ):
        assert verifier.reward(tiny, task, say(tiny, task.prompt, answer, finished)) == pytest.approx(wanted)
    assert overlap("", "") == overlap("a", "b") == 0
    with pytest.raises(SettingsError, match="check is 'regex'"):
        Verifier("regex")
    with pytest.raises(SettingsError):
        Verifier(partial=1)


# --- grpo ----------------------------------------------------------------------------------------------


def test_equal_rewards_have_no_advantage():
    for scaled in (True, False):
        for rewards in ([0.1] * 3, [1.0] * 4, [0.0] * 2):
            assert advantages_of(rewards, scaled) == [0.0] * len(rewards)
    assert advantages_of([1, 0, 0, 1], False) == [0.5, -0.5, -0.5, 0.5]
    found = advantages_of([1, 0, 0, 0], True)
    assert sum(found) == pytest.approx(0)
    assert statistics.stdev(found) == pytest.approx(1, abs=1e-3)


def test_a_group_of_equal_rewards_moves_nothing(tiny, learn, answers):
    answers(lambda number: ["Q"] * 4)
    tiny.adapt(GRPO().adaptation)
    before = tiny.snapshot()
    assert learn(tiny, "grpo", pairs("one"), warm=0.0, samples=4) == {}
    assert all(torch.equal(tiny.masters[name], before[name]) for name in before)


def test_a_rewarded_answer_becomes_likelier_and_a_punished_one_rarer(tiny, learn, nats, answers):
    right, wrong = pairs("one", 1), pairs("one", 1, "Q")
    answers(lambda number: ["A", "Q", "Q", "A"])
    before = nats(tiny, right), nats(tiny, wrong)
    learn(tiny, "grpo", right, warm=0.0, samples=4)
    assert nats(tiny, right) < before[0] - 0.1
    assert nats(tiny, wrong) > before[1] + 0.1


def turn(model, method: Rewarded, step: Step, number: int = 0) -> Step:
    memory = method.prepare(model, [], {}, Run(0, Meter(1), None))
    list(method.held(memory, 1))
    return method.live(model, step, number, memory, Run(0, Meter(1), None))


def planned(model, told: list[Example], replayed: int = 0) -> Step:
    return Step(tuple(map(model.chat.example, told)), replayed, examples=tuple(told))


def loss(model, step: Step) -> torch.Tensor:
    batch = pack(step.rows)
    weights_N = torch.tensor(step.weights)[batch.row_N]
    ones_N = torch.ones(len(weights_N))
    return cross_entropy(model.logits(batch), batch.targets_N, ones_N, lambda _: weights_N)


def test_answers_without_advantage_are_not_computed_but_count(tiny, answers):
    """The loss is as if all answers were there, those without advantage with a weight of 0."""
    answers(lambda number: ["A", "Q" * 3] if number == 0 else ["Q", "QQ"])
    told = [*pairs("one", 2), text("zorb"), *pairs("old", 1)]
    step = turn(tiny, GRPO(warm=0.0, samples=2), planned(tiny, told, replayed=1))
    right, wrong = (say(tiny, task_of(tiny, told[0]).prompt, answer).row for answer in ("A", "QQQ"))
    idle = [say(tiny, task_of(tiny, told[1]).prompt, answer).row for answer in ("Q", "QQ")]
    assert step.rows == (tiny.chat.example(told[2]), right, wrong, tiny.chat.example(told[3]))
    assert step.examples == (told[2], told[0], told[0], told[3])
    assert step.weights[1] > 0 > step.weights[2]
    one = advantages_of([1, 0], True)
    whole = Step((*step.rows[:3], *idle, step.rows[3]), weights=(1.0, *one, 0.0, 0.0, 1.0))
    assert float(loss(tiny, step).detach()) == pytest.approx(float(loss(tiny, whole).detach()), rel=1e-3)


def test_the_first_steps_learn_the_given_answers(tiny, answers):
    answers(lambda number: ["Q", "A"])
    told = planned(tiny, pairs("one", 2))
    memory: dict = {}
    method = GRPO(warm=0.25, samples=2)
    list(method.held(memory, 8))
    run = Run(0, Meter(1), None)
    assert [method.live(tiny, told, number, memory, run) == told for number in range(4)] == [True, True, False, False]


def test_texts_are_learnt_as_they_are(tiny):
    told = planned(tiny, [text("zorb")])
    assert turn(tiny, GRPO(warm=0.0), told) is told


def test_it_is_held_to_what_it_was_on_its_own_answers(tiny_folder, learn, nats, answers):
    answers(lambda number: ["A", "Q"])
    gained = []
    for strength in (0.0, 50.0):
        model = LanguageModel.load(str(tiny_folder))
        before = nats(model, pairs("one", 1))
        meter = Meter(1)
        assert learn(model, "grpo", pairs("one", 1), meter=meter, warm=0.0, samples=2, strength=strength) == {}
        assert (meter.tokens["teacher"] > 0) == (strength > 0)
        gained.append(before - nats(model, pairs("one", 1)))
    assert 0 < gained[1] < 0.7 * gained[0]


def test_the_divergence_goes_from_the_model_to_what_it_was(tiny, learn):
    """Of the tokens that the model holds likely: over 20 of 258 it is a little less than over all."""
    method = GRPO(strength=1.0)
    memory = method.prepare(tiny, [], {}, Run(0, Meter(1), None))
    learn(tiny, "finetune", pairs("one"), epochs=30)
    rows = [tiny.chat.example(example) for example in pairs("one", 3)]
    (held,) = method.near(tiny, rows, memory, Run(0, Meter(1), None))
    with torch.no_grad():
        now_NV, was_NV = (model.logits(pack(rows)).float().log_softmax(-1) for model in (tiny, memory["reference"]))
        found = top_k_kl(held.teacher, tiny.logits(pack(rows)), held.alpha)
    exact = (now_NV.exp() * (now_NV - was_NV)).sum(-1).mean()
    other = (was_NV.exp() * (was_NV - now_NV)).sum(-1).mean()
    assert abs(found - exact) < 0.2 * abs(other - exact)
    assert found <= exact + 1e-3


def test_it_learns_from_its_own_answers(tiny, learn, nats):
    """Nothing is faked: what it half knows it comes to know by being rewarded."""
    told = pairs("one", 2)
    while nats(tiny, told) > 2:
        learn(tiny, "finetune", told, epochs=1)
    before = nats(tiny, told)
    meter = Meter(1)
    learn(tiny, "grpo", told, meter=meter, warm=0.0, epochs=16)
    assert nats(tiny, told) < 0.8 * before
    assert meter.tokens["generated"] > 0


def test_it_recalls_earlier_examples_as_they_were(tiny, learn, nats):
    settings = {"samples": 2, "warm": 0.0, "old_per_step": 4}
    memory = learn(tiny, "replay+grpo", pairs("one"), **settings)
    meter = Meter(1)
    before = nats(tiny, pairs("one"))
    again = learn(tiny, "replay+grpo", pairs("two"), memory, meter, **settings)
    assert nats(tiny, pairs("one")) < before
    assert meter.tokens["replayed"] > 0
    assert set(again) == {"replay.examples"}


def test_what_makes_no_sense_is_refused():
    with pytest.raises(SettingsError, match="what a step is made of"):
        method_called("grpo+reinforce")
    for settings in ({"samples": 1}, {"strength": -1}, {"warm": 2}, {"check": "regex"}, {"partial": 1.0}):
        with pytest.raises(SettingsError):
            GRPO(**settings)
