"""What replay methods keep, what comes again of it, and what that is good for."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.memory import as_files
from everlearn.methods import on_policy_replay, self_replay
from everlearn.methods.der import DER, RECALLED
from everlearn.methods.on_policy_replay import ANSWERED, OnPolicyReplay
from everlearn.methods.replay import Replay
from everlearn.methods.self_replay import PSEUDO, SelfReplay
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import pack
from everlearn.records import Example, Message, encode
from everlearn.stacking import method_called
from everlearn.train.anchors import Anchors, believe
from everlearn.train.buffer import shares_of
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.losses import top_k_kl
from everlearn.train.meter import Meter
from everlearn.train.run import Run

from .conftest import pairs, say

NEW = ["der", "on_policy_replay", "self_replay"]
TEXT = Example((Message("text", "zorb zorb", learn=True),))


@pytest.fixture
def run(tmp_path):
    meter = Meter(1)
    return Run(0, meter, Checkpoints(tmp_path / "run", meter, None))


def size(memory) -> int:
    return sum(map(len, as_files(memory).values()))


def test_the_hardest_are_what_cost_most_before_the_stage(tiny, learn, nats):
    learn(tiny, "finetune", pairs("one")[::2], epochs=30)
    costs = {example: nats(tiny, [example]) for example in pairs("one")}
    meter = Meter(1)
    memory = learn(tiny, "replay", pairs("one"), meter=meter, selection="hardest", epochs=30)
    assert set(memory) == {"0000.examples"} and meter.tokens["study"] > 0
    assert memory["0000.examples"] == sorted(costs, key=costs.__getitem__, reverse=True)
    assert memory["0000.examples"] != sorted(costs, key=lambda e: nats(tiny, [e]), reverse=True)


def test_the_unlearnt_are_what_costs_most_after_it(tiny_folder, learn, nats):
    model = LanguageModel.load(str(tiny_folder))
    memory = learn(model, "replay", pairs("one"), selection="unlearnt")
    costs = [nats(model, [example]) for example in memory["0000.examples"]]
    assert len(costs) == 8 and costs == sorted(costs, reverse=True)


def test_a_reservoir_asks_for_no_pass_and_keeps_one_sample_of_all_stages(tiny, learn):
    meter = Meter(1)
    memory = learn(tiny, "replay", pairs("one"), meter=meter)
    memory = learn(tiny, "replay", pairs("two"), memory, meter=meter)
    assert set(memory) == {"examples"} and len(memory["examples"]) == 16
    assert "study" not in meter.tokens


def test_stages_have_equal_shares_and_lose_the_least_hard_first(tiny, learn):
    settings = {"selection": "hardest", "budget": 8 * len(encode(pairs("one")[0])), "epochs": 1}
    memory = learn(tiny, "replay", pairs("one"), **settings)
    first = memory["0000.examples"]
    assert len(first) == 8
    memory = learn(tiny, "replay", pairs("two"), memory, **settings)
    assert memory["0000.examples"] == first[:4] and len(memory["0001.examples"]) == 4
    memory = learn(tiny, "replay", pairs("six"), memory, **{**settings, "selection": "reservoir"})
    assert set(memory) == {"examples"} and 6 <= len(memory["examples"]) <= 8


@pytest.mark.parametrize("selection", ["reservoir", "hardest", "unlearnt"])
def test_what_is_kept_comes_again(selection, tiny, learn):
    memory = learn(tiny, "replay", pairs("one"), selection=selection)
    mixture = Replay(selection=selection).examples(pairs("two"), memory)
    assert set(mixture.old) == set(pairs("one")) and mixture.old_per_step == 8


def test_beliefs_are_those_of_the_moment_when_a_stage_was_learnt_and_stay(tiny, learn):
    memory = learn(tiny, "der", pairs("one", 4))
    rows = [tiny.chat.example(example) for example in memory["examples"]]
    then = Anchors.of(memory["beliefs"])
    now = believe(tiny, rows)
    assert then.rows == now.rows
    for kept, believed in zip(then.teachers, now.teachers, strict=True):
        assert torch.equal(kept.ids_NK, believed.ids_NK)
        assert torch.allclose(kept.logprobs_NK, believed.logprobs_NK, atol=1e-2)
    later = learn(tiny, "der", pairs("two", 4), memory)
    kept = dict(zip(Anchors.of(later["beliefs"]).rows, Anchors.of(later["beliefs"]).teachers, strict=True))
    assert len(kept) == 8
    for row, teacher in zip(then.rows, then.teachers, strict=True):
        assert torch.equal(kept[row].logprobs_NK, teacher.logprobs_NK), "old beliefs are not renewed"


def test_its_bytes_stay_in_the_budget_beliefs_included(tiny, learn):
    memory = {}
    for word in ("one", "two", "six"):
        memory = learn(tiny, "der", [*pairs(word), TEXT], memory, budget=6000, epochs=1)
        assert 4000 < size(memory) < 6000 + 600, "but for the head of a file"
        assert len(Anchors.of(memory["beliefs"]).rows) == len(memory["examples"])


def test_what_is_retired_is_not_recalled(tiny, learn, run):
    memory = learn(tiny, "der", pairs("one", 4))
    gone = memory["examples"][1]
    memory = {**memory, "examples": [example for example in memory["examples"] if example != gone]}
    recalled = DER().prepare(tiny, [], memory, run)[RECALLED]
    assert len(recalled.rows) == 3 and tiny.chat.example(gone) not in recalled.rows


def test_the_loss_is_alpha_times_kl_and_beta_times_cross_entropy(tiny, learn, run):
    memory = learn(tiny, "der", pairs("one", 4))
    learn(tiny, "finetune", pairs("one", 4, first="P"), epochs=12, learning_rate=1e-2)
    method = DER(alpha=2.0, beta=0.25, old_per_step=2)
    memory = method.prepare(tiny, pairs("two"), memory, run)
    (step,) = method.all_held(memory, 1)
    beliefs, targets = step
    assert (beliefs.strength, targets.strength) == (2.0, 0.25)
    assert len(beliefs.rows) == len(targets.rows) == 2 and not set(beliefs.rows) & set(targets.rows)
    with torch.no_grad():
        batch = pack(targets.rows)
        logits_NV = tiny.logits(batch).float()
        wanted = torch.nn.functional.cross_entropy(logits_NV, batch.targets_N)
        assert top_k_kl(targets.teacher, logits_NV) == pytest.approx(float(wanted), rel=1e-3)
        assert top_k_kl(beliefs.teacher, tiny.logits(pack(beliefs.rows)).float()) > 0.05
    assert [len(held) for held in DER(beta=0).all_held(memory, 3)] == [1, 1, 1]
    assert list(DER().all_held({RECALLED: Anchors((), ())}, 2)) == [(), ()]


def test_beliefs_alone_and_targets_alone_keep_what_was_learnt(tiny, learn, nats):
    memory = learn(tiny, "der", pairs("one"), epochs=20)
    learnt, known = tiny.snapshot(), nats(tiny, pairs("one"))
    lost = []
    for settings in ({"alpha": 0.0, "beta": 0.0}, {"alpha": 10.0, "beta": 0.0}, {"alpha": 0.0, "beta": 1.0}):
        tiny.restore(learnt)
        learn(tiny, "der", pairs("two", first="P"), memory, epochs=6, **settings)
        lost.append(nats(tiny, pairs("one")) - known)
    assert lost[0] > 0 and max(lost[1:]) < 0.5 * lost[0]


def answered(method, model, memory, run):
    return {e.messages[0].content: e.messages[-1].content for e in method.prepare(model, [], memory, run)[ANSWERED]}


def test_its_own_best_answers_come_again_and_not_the_taught_ones(tiny, learn, run, answers):
    examples = [Example((Message("user", f"{n}?"), Message("assistant", "red blue", learn=True))) for n in range(4)]
    memory = {"0000.examples": examples}
    said = ["red", "Red blue", "green", "blue red"]
    answers(lambda number: [said[number]], module=on_policy_replay)
    assert answered(OnPolicyReplay(best=0.75), tiny, memory, run) == {"1?": "Red blue", "3?": "blue red", "0?": "red"}
    run.checkpoints.folder = run.checkpoints.folder / "again"
    assert answered(OnPolicyReplay(best=1.0), tiny, memory, run).keys() == {"0?", "1?", "3?"}, "green agrees in nothing"
    run.checkpoints.folder = run.checkpoints.folder / "again"
    assert list(answered(OnPolicyReplay(best=0.25), tiny, memory, run)) == ["1?"]


def test_confidence_is_the_mean_log_probability_of_an_answer(tiny, run, answers, nats):
    words = ["a", "zq", "9", "~~~"]
    memory = {"0000.examples": pairs("one", 4)}
    answers(lambda number: [words[number]], module=on_policy_replay)
    prompts = [tiny.chat.prompt(example.messages[:1]) for example in pairs("one", 4)]
    sure = [-tiny.force([say(tiny, prompt, word).row])[0].nll for prompt, word in zip(prompts, words, strict=True)]
    best = sorted(range(4), key=lambda number: -sure[number])[:2]
    found = answered(OnPolicyReplay(score="confidence"), tiny, memory, run)
    assert found == {f"one {number}?": words[number] for number in best}
    assert run.meter.tokens["study"] > 0


def test_every_stage_has_its_quota_and_texts_come_as_they_are(tiny, run, answers):
    memory = {"0000.examples": pairs("one", 4), "0001.examples": [*pairs("two", 2), TEXT]}
    answers(lambda number: [chr(ord("A") + number)] if number < 4 else [chr(ord("A") + number - 4)], on_policy_replay)
    made = OnPolicyReplay(best=0.5).prepare(tiny, [], memory, run)[ANSWERED]
    assert [e.messages[0].content.split()[0] for e in made if e != TEXT] == ["one", "one", "two"]
    assert made.count(TEXT) == 1


def test_an_answer_without_an_end_is_not_learnt(tiny, run, answers):
    answers(lambda number: ["A"], module=on_policy_replay, finished=False)
    assert OnPolicyReplay().prepare(tiny, [], {"0000.examples": pairs("one", 4)}, run)[ANSWERED] == []


def test_it_keeps_equal_shares_in_its_budget_and_answers_anew_in_every_stage(tiny, learn):
    memory, budget, generated = {}, 6 * len(encode(pairs("one")[0])), []
    for word in ("one", "two", "six"):
        meter = Meter(1)
        memory = learn(tiny, "on_policy_replay", pairs(word), memory, meter=meter, budget=budget, epochs=1)
        generated.append(meter.tokens["generated"])
        assert sum(len(encode(e)) for share in shares_of(memory) for e in share) <= budget
    assert [len(share) for share in shares_of(memory)] == [2, 2, 2]
    assert generated[0] == 0 and min(generated[1:]) > 0
    assert ANSWERED not in memory


def writing(monkeypatch, questions, answer):
    """Have questions and answers written; returns what was asked, with the weights at that time."""
    calls = []

    def sample(model, prompts, limits, seed, meter, *, temperature=1.0, each=1):
        first = not calls
        calls.append(([model.tokenizer.decode(prompt) for prompt in prompts], model.snapshot()))
        return [
            say(model, prompt, questions(number) if first else answer)._replace(prompt=number)
            for number, prompt in enumerate(prompts)
        ]

    monkeypatch.setattr(self_replay, "sample", sample)
    return calls


def test_the_start_model_writes_after_seeds_and_the_present_one_answers(tiny, learn, run, monkeypatch):
    learn(tiny, "finetune", pairs("one", 4))
    now, start = tiny.snapshot(), tiny.start()
    calls = writing(monkeypatch, lambda number: f"one {number % 5}?", "W")
    memory = {"0000.examples": pairs("one", 3), "0001.examples": [TEXT]}
    made = SelfReplay(written=4).prepare(tiny, [], memory, run)[PSEUDO]
    (asked, writer), (questions, answerer) = calls
    assert all(torch.equal(writer[name], start[name]) for name in start)
    assert all(torch.equal(answerer[name], now[name]) for name in now)
    assert all(torch.equal(tiny.masters[name], now[name]) for name in now)
    assert len(asked) == 3 * 4
    assert all(text.count("<|start|>user\none") == 2 and text.endswith("<|start|>user\n") for text in asked)
    assert len(questions) == 2, "what is a seed, or was written before, is not asked"
    assert {e.messages[0].content for e in made} == {"one 3?", "one 4?"}
    assert {e.messages[1] for e in made} == {Message("assistant", "W", learn=True)}
    assert {e.origin.strategy for e in made} == {"self_replay"}


def test_the_choice_is_varied_and_the_same_number_for_each_stage(tiny, run, monkeypatch):
    questions = ["aaaa?", "aaaa!", "aaaa.", "aaa?", "aaa!", "aaa.", "bbbb?", "cccc?", "aaaa"]
    writing(monkeypatch, questions.__getitem__, "W")
    memory = {"0000.examples": pairs("one", 3)}
    made = SelfReplay(written=3).prepare(tiny, [], memory, run)[PSEUDO]
    assert sorted({e.messages[0].content[0] for e in made}) == ["a", "b", "c"]
    run.checkpoints.folder = run.checkpoints.folder / "again"
    writing(monkeypatch, lambda number: f"{number}?", "W")
    memory = {"0000.examples": pairs("one", 3), "0001.examples": pairs("two", 3)}
    assert len(SelfReplay(written=6).prepare(tiny, [], memory, run)[PSEUDO]) == 6


def test_a_model_that_cannot_write_rehearses_its_seeds(tiny, learn, run, monkeypatch):
    writing(monkeypatch, lambda number: "", "")
    memory = SelfReplay().prepare(tiny, [], {"0000.examples": pairs("one", 3)}, run)
    assert memory[PSEUDO] == []
    assert SelfReplay().examples(pairs("two"), memory).old == pairs("one", 3)


def test_only_seeds_are_kept(tiny, learn):
    memory = {}
    for word in ("one", "two"):
        memory = learn(tiny, "self_replay", [*pairs(word), TEXT], memory, seeds=3, written=2, epochs=1)
    assert set(memory) == {"0000.examples", "0001.examples"}
    assert [len(share) for share in shares_of(memory)] == [3, 3]


@pytest.mark.parametrize("name", NEW)
def test_stages_of_texts_and_chats_and_nothing_are_survived(name, tiny, learn):
    memory = {}
    for examples in ([], [TEXT], pairs("one", 2), [], [TEXT, *pairs("two", 1)]):
        memory = learn(tiny, name, examples, memory, epochs=1)
    assert sum(len(share) for share in shares_of(memory)) == 4
    assert all(isinstance(data, bytes) for data in as_files(memory).values())


@pytest.mark.parametrize("name", NEW)
def test_it_stacks_with_a_penalty_and_not_with_another_replay(name, tiny, learn):
    memory = learn(tiny, f"{name}+ewc", pairs("one", 2), epochs=1)
    later = learn(tiny, f"{name}+ewc", pairs("two", 2), memory, epochs=1)
    assert set(memory) <= set(later) and "ewc.importance" in later
    with pytest.raises(SettingsError, match="which earlier examples"):
        method_called(f"replay+{name}")


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (Replay, {"selection": "best"}),
        (DER, {"alpha": -1.0}),
        (OnPolicyReplay, {"score": "vibe"}),
        (OnPolicyReplay, {"best": 0.0}),
        (SelfReplay, {"seeds": 0}),
        (SelfReplay, {"temperature": 0.0}),
    ],
)
def test_settings_that_make_no_sense_are_refused(kind, wrong):
    with pytest.raises(SettingsError):
        kind(**wrong)
