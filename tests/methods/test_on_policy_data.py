"""Tokens weigh what their methods say, and only right answers of one's own are learnt."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods import self_sft
from everlearn.methods.self_sft import SelfSFT
from everlearn.methods.talr import TALR
from everlearn.methods.token_mask import TokenMask
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import pack
from everlearn.records import Example, Message
from everlearn.stacking import method_called
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.loop import Step
from everlearn.train.meter import Meter
from everlearn.train.run import Run

from .conftest import pairs, text


def given(example: Example) -> str:
    return example.messages[-1].content


# --- talr ----------------------------------------------------------------------------------------------


def test_an_unlikely_token_weighs_less_but_never_nothing():
    nll = torch.tensor([0.0, 6.0, 30.0])  # 12 on average
    wanted = [1.0, torch.tensor(-0.25).exp().item(), 0.3]
    assert TALR(temperature=2.0, floor=0.3).weigh(nll, {}, 0).tolist() == pytest.approx(wanted)
    # what is unlikely is so beside the others: the weights of a step are the same when all of it has become easier
    assert torch.allclose(TALR().weigh(nll / 100, {}, 0), TALR().weigh(nll, {}, 0))
    assert TALR().weigh(torch.zeros(3), {}, 0).tolist() == [1, 1, 1]
    with pytest.raises(SettingsError):
        TALR(temperature=0)
    with pytest.raises(SettingsError):
        TALR(floor=2)


def test_it_moves_less_on_what_surprises(tiny, learn, nats):
    strange = [Example((Message("user", "a?"), Message("assistant", "\u00e9\u00e9\u00e9", learn=True)))]
    learn(tiny, "finetune", pairs("one"), epochs=40)
    known, before = tiny.snapshot(), nats(tiny, strange)
    learn(tiny, "talr", [*pairs("one"), *strange], floor=0.0, temperature=0.2)
    slow = before - nats(tiny, strange)
    tiny.restore(known)
    learn(tiny, "finetune", [*pairs("one"), *strange])
    assert before - nats(tiny, strange) > 2 * slow


# --- token_mask ----------------------------------------------------------------------------------------


def test_what_is_learnt_is_what_was_likely(tiny, learn):
    learn(tiny, "finetune", [text("zorb zorb")], epochs=30)
    example = text("zorb zabb zorb")
    row = tiny.chat.example(example)
    method = TokenMask(perplexity=20.0)
    memory = method.prepare(tiny, [example], {}, Run(0, Meter(1), None))
    with torch.no_grad():
        p_NV = tiny.logits(pack([row])).float().softmax(-1)
    p = [float(p_NV[at, token]) for at, token in enumerate(row.ids[1:])]
    assert method.row(tiny, example, memory).learn == (False, *(each >= 1 / 20 for each in p))
    assert 0 < sum(method.row(tiny, example, memory).learn) < row.targets


def test_a_masked_token_has_no_gradient(tiny_folder, learn):
    """Two texts that differ in a masked token alone teach the same; without the mask they do not."""
    learnt = {}
    for method in ("token_mask", "finetune"):
        for last in "#@":
            model = LanguageModel.load(str(tiny_folder))
            learn(model, "finetune", [text("zorb zorb")], epochs=30)
            learn(model, method, [text(f"zorb zorb{last}")], **({"perplexity": 20.0} if method == "token_mask" else {}))
            learnt[method, last] = model.snapshot()
    for method, same in (("token_mask", True), ("finetune", False)):
        one, other = learnt[method, "#"], learnt[method, "@"]
        assert all(torch.equal(one[name], other[name]) for name in one) is same


def test_what_is_all_unlikely_is_left_out(tiny, learn):
    tiny.adapt(TokenMask().adaptation)
    before = tiny.snapshot()
    meter = Meter(1)
    assert learn(tiny, "token_mask", pairs("one"), meter=meter) == {}
    assert all(torch.equal(tiny.masters[name], before[name]) for name in before)
    assert meter.tokens["new"] == 0 < meter.tokens["study"]
    with pytest.raises(SettingsError):
        TokenMask(perplexity=1)


# --- self_sft ------------------------------------------------------------------------------------------


def watched(seen: list):
    class Watched(SelfSFT):
        def examples(self, fresh, memory):
            mixture = super().examples(fresh, memory)
            seen.extend(mixture.fresh)
            return mixture

    return Watched


@pytest.mark.parametrize("fall_back", [True, False])
def test_what_the_verifier_rejects_is_never_learnt(tiny, learn, answers, fall_back):
    said = {0: ["a.", "a.", "A", "Q"], 1: ["Q", "Q", "Q", "b"]}
    answers(lambda number: said.get(number, ["Q"] * 4), self_sft)
    seen: list = []
    told = [*pairs("one", 4), text("zorb")]
    assert learn(tiny, watched(seen), told, fall_back=fall_back, samples=4) == {}
    own = [given(example) for example in seen]
    assert own == (["a.", "b", "C", "D", "zorb"] if fall_back else ["a.", "b", "zorb"])


def test_a_right_answer_that_was_cut_off_is_rejected(tiny, learn, answers):
    answers(lambda number: ["a"], self_sft, finished=False)
    seen: list = []
    learn(tiny, watched(seen), pairs("one", 2), fall_back=False, samples=1)
    assert seen == []


def test_its_own_answers_survive_a_crash(tiny, tmp_path, answers):
    asked = answers(lambda number: ["a"], self_sft)
    meter = Meter(1)
    for _ in range(2):
        run = Run(0, meter, Checkpoints(tmp_path, meter))
        assert SelfSFT(samples=1).prepare(tiny, pairs("one", 2), {}, run)["written"] == dict(
            zip(pairs("one", 2), ["a", None], strict=True)
        )
    assert len(asked) == 1


def test_it_really_answers_itself(tiny, learn, nats):
    """On what the model knows, its own answers are the right ones, and it stays what it is."""
    learn(tiny, "finetune", pairs("one", 2), epochs=60)
    seen: list = []
    meter = Meter(1)
    learn(tiny, watched(seen), [*pairs("one", 2), *pairs("two", 2, "X")], meter=meter, fall_back=False)
    assert [given(example) for example in seen] == ["A", "B"]
    assert meter.tokens["generated"] > 0


# --- spaced_repetition ---------------------------------------------------------------------------------


def told(model, method, memory, step, costs):
    """The rows that a step keeps, when each target of theirs turns out to cost so much."""
    kept = method.live(model, step, 0, memory, None)
    method.weigh(torch.tensor([costs[row] for row in kept.rows for _ in range(row.targets)]), memory, 0)
    return kept


def spaced(**settings):
    return method_called("spaced_repetition")(known=0.5, **settings)


def test_a_known_row_sits_out_one_turn_and_is_then_asked_again(tiny):
    rows = tuple(tiny.chat.example(example) for example in pairs("one", 4))
    costs = dict(zip(rows, (0.1, 0.9, 0.1, 0.6), strict=True))
    step = Step(rows, replayed=1, examples=tuple(pairs("one", 4)))
    memory = {}
    assert told(tiny, spaced(), memory, step, costs) == step
    second = told(tiny, spaced(), memory, step, costs)
    assert second.rows == (rows[1], rows[3])
    assert second.replayed == 1 and second.examples == (pairs("one", 4)[1], pairs("one", 4)[3])
    assert told(tiny, spaced(), memory, step, costs) == step


def test_intervals_double_up_to_the_longest_and_begin_again(tiny):
    known, other = (tiny.chat.example(example) for example in pairs("one", 2))
    memory, turns = {}, []
    for turn in range(24):
        costs = {known: 0.9 if turn == 15 else 0.1, other: 0.9}
        if known in told(tiny, spaced(longest=4), memory, Step((known, other)), costs).rows:
            turns.append(turn)
    # sits out 1, 2, 4, 4 turns; unknown at 15, it is there at once, and sits out 1, then 2
    assert turns == [0, 2, 5, 10, 15, 16, 18, 21]


def test_a_row_is_known_only_if_each_of_its_targets_is(tiny):
    row, other = (tiny.chat.example(pairs(word, 1)[0]) for word in ("one", "two"))
    memory = {}
    spaced().live(tiny, Step((row, other)), 0, memory, None)
    spaced().weigh(torch.tensor([0.1] * (row.targets - 1) + [0.6] + [0.1] * other.targets), memory, 0)
    assert spaced().live(tiny, Step((row, other)), 1, memory, None).rows == (row,)


def test_a_step_of_known_rows_alone_is_made_all_the_same(tiny):
    step = Step(tuple(tiny.chat.example(example) for example in pairs("one", 2)))
    costs = dict.fromkeys(step.rows, 0.1)
    memory = {}
    told(tiny, spaced(), memory, step, costs)
    assert told(tiny, spaced(), memory, step, costs).rows == step.rows


def test_rows_wait_on_after_a_crash(tiny):
    step = Step(tuple(tiny.chat.example(example) for example in pairs("one", 4)))
    costs = dict(zip(step.rows, (0.1, 0.9, 0.1, 0.9), strict=True))
    memory, again = {}, {}
    for _ in range(3):
        told(tiny, spaced(), memory, step, costs)
    spaced().resume(again, spaced().running(memory))
    for _ in range(3):
        assert told(tiny, spaced(), again, step, costs) == told(tiny, spaced(), memory, step, costs)
    spaced().resume(again, {})
    assert told(tiny, spaced(), again, step, costs) == step


def test_what_sits_out_costs_nothing_and_nothing_is_kept(tiny, learn):
    counted = []
    for known in (4.0, 1e-9):
        meter = Meter(1)
        memory = learn(tiny, "spaced_repetition", pairs("one"), meter=meter, known=known, epochs=20)
        assert memory == {}
        counted.append(meter.tokens["new"])
    assert counted[0] < counted[1]
    for wrong in ({"known": 0.0}, {"known": 1.0, "longest": 0}):
        with pytest.raises(SettingsError, match=" is 0"):
            method_called("spaced_repetition")(**wrong)
    with pytest.raises(SettingsError, match="both decide"):
        method_called("spaced_repetition+sdft")
