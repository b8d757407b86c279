"""Cartridges begin as the stage's text, learn what its reader believes, with others in view, and are found again."""

from __future__ import annotations

import random

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods.cartridges import CUES, TAUGHT, Cartridges
from everlearn.methods.context_distill import note_of
from everlearn.methods.contract import Method
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import pack
from everlearn.model.prefix import prefixes, standing
from everlearn.records import Example, Message, Origin
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.loop import Step
from everlearn.train.meter import Meter
from everlearn.train.run import Run

from .conftest import QUICK, pairs, text

SMALL = {"tokens": 8, "learning_rate": 0.1, "trust": 1.0}
ONE, TWO = pairs("zorb", first="A"), pairs("What is plim", first="N")


def in_front(model: LanguageModel) -> int:
    """Keys that all rows see now besides their own."""
    heads = prefixes(model.network)[0].heads() if standing(prefixes(model.network)) else None
    return len(heads.keys_PGD) if heads else 0


def run_of(folder, seed: int = 0) -> Run:
    meter = Meter(1)
    return Run(seed, meter, Checkpoints(folder, meter, None))


def said(model: LanguageModel, examples: list[Example]) -> list[float]:
    return [one.nll for one in model.force([model.chat.example(example) for example in examples])]


def kept(memory: dict) -> list[dict[str, torch.Tensor]]:
    return [memory[name] for name in sorted(memory)]


@pytest.fixture
def taught(tiny, learn):
    """Two stages learnt."""
    memory = learn(tiny, "cartridges", ONE, **SMALL)
    return tiny, learn(tiny, "cartridges", TWO, memory, **SMALL)


def test_it_begins_as_what_the_stage_says(tiny, tmp_path):
    method = Cartridges(**SMALL)
    tiny.adapt(method.adaptation)
    method.prepare(tiny, ONE, {}, run_of(tmp_path))
    ids = tiny.tokenizer.encode(note_of(ONE[0]), add_special_tokens=False)[: method.tokens]
    assert all(torch.equal(tiny.masters[name], one) for name, one in tiny.read_cartridge(ids).items())
    short = Cartridges(**{**SMALL, "tokens": 8})
    short.prepare(tiny, [text("ab")], {}, run_of(tmp_path / "b"))
    again = tiny.read_cartridge(tiny.tokenizer.encode("abababab", add_special_tokens=False))
    assert all(torch.equal(tiny.masters[name], one) for name, one in again.items()), "a short text is said again"


def test_only_the_cartridge_moves_and_the_first_token_stays(tiny, learn, tiny_folder):
    base = LanguageModel.load(str(tiny_folder)).network.state_dict()
    tiny.adapt(Cartridges(**SMALL).adaptation)
    first = [prefix.first.keys_PGD.clone() for prefix in prefixes(tiny.network)]
    memory = learn(tiny, "cartridges", ONE, **SMALL)
    (one,) = kept(memory)
    begun = tiny.read_cartridge(tiny.tokenizer.encode(note_of(ONE[0]), add_special_tokens=False)[:8])
    assert all(float((one[name].float() - begun[name]).abs().max()) > 0.05 for name in begun)
    assert all(torch.equal(tiny.network.state_dict()[name], weight) for name, weight in base.items())
    now = [prefix.first.keys_PGD for prefix in prefixes(tiny.network)]
    assert all(torch.equal(*both) for both in zip(first, now, strict=True))
    assert in_front(tiny) == 0, "no prompt is answered with it unasked"


def test_a_prompt_is_answered_with_its_own_cartridge(taught):
    model, memory = taught
    bare = said(model, [*ONE, *TWO])
    Cartridges(**SMALL, together=1).serve(model, memory)
    routed = said(model, [*ONE, *TWO])
    model.serve(None)
    assert said(model, [*ONE, *TWO]) == bare, "the model is what it was"
    for number, examples in enumerate((ONE, TWO)):
        own = slice(number * len(ONE), (number + 1) * len(ONE))
        model.stand_beside([kept(memory)[number]])
        assert said(model, examples) == pytest.approx(routed[own], abs=0.01)
        model.stand_beside([kept(memory)[1 - number]])
        assert sum(routed[own]) < min(sum(bare[own]), sum(said(model, examples))) - 0.2


def test_what_is_like_no_lesson_is_left_to_the_bare_model(taught):
    model, memory = taught
    method, seen = Cartridges(**SMALL), []
    strange = [tuple(range(200, 240)), tuple(range(100, 170))]
    prompts = [*strange, model.chat.example(ONE[0]).prompt]
    for group in method.routes(model, prompts, memory):
        seen.append((group, in_front(model) > 0))
    assert seen == [([0, 1], False), ([2], True)]
    assert in_front(model) == 0
    assert list(method.routes(model, prompts, {})) == [[0, 1, 2]]
    assert list(method.routes(model, [], memory)) == []


def test_all_are_seen_together_up_to_a_cap(taught):
    model, memory = taught
    prompts = [model.chat.example(example).prompt for example in (ONE[0], TWO[0])]
    for together, count in ((1, 9), (2, 17), (5, 17)):
        method = Cartridges(**SMALL, choice="all", together=together)
        assert [(group, in_front(model)) for group in method.routes(model, prompts, memory)] == [([0, 1], count)]
    for _ in Cartridges(**SMALL, choice="all", together=1).routes(model, prompts, memory):
        name = prefixes(model.network)[0].names[0]
        latest = kept(memory)[1][name]
        assert torch.equal(prefixes(model.network)[0].others[0].keys_PGD, latest), "the latest one"


@pytest.mark.parametrize("most", [0, 2])
def test_other_cartridges_are_in_view_while_one_is_trained(taught, learn, monkeypatch, most):
    model, memory = taught
    seen = []
    logits = model.logits
    monkeypatch.setattr(model, "logits", lambda batch: (logits(batch), seen.append(in_front(model)))[0])
    third = learn(model, "cartridges", pairs("third", 4), memory, **SMALL, distractors=most, least_steps=20)
    assert set(seen) == ({9} if not most else {9, 17, 25}), "its own, and none, one or both of the others"
    assert len(third) == 3
    assert all(third[name] is memory[name] for name in memory), "kept ones stay as they are"
    assert in_front(model) == 0


def test_which_are_in_view_depends_on_the_step_alone(taught, tmp_path):
    """So that a run that goes on after a crash sees the same."""
    model, memory = taught
    method, step = Cartridges(**SMALL), Step((model.chat.example(ONE[0]),), examples=(ONE[0],))
    memory = method.prepare(model, ONE, memory, run_of(tmp_path))

    def views(numbers: list[int]) -> dict[int, int]:
        found = {}
        for number in numbers:
            method.live(model, step, number, memory, run_of(tmp_path))
            found[number] = in_front(model)
        return found

    numbers = list(range(12))
    once = views(numbers)
    random.Random(0).shuffle(numbers)
    assert views(numbers) == once
    assert len(set(once.values())) > 1


def noted(word: str, answer: str, clause: str) -> Example:
    return Example(
        (Message("user", f"{word}?"), Message("assistant", answer, learn=True)), Origin("notes.md", 1, "", clause)
    )


def test_what_the_reader_believes_is_learnt_where_it_reads(tiny, tmp_path):
    """The teacher has the note in view; its beliefs at the answer take the place of the answer."""
    examples = [noted("one", "A", "one is A"), noted("two", "B", "two is B"), text("some text")]
    method = Cartridges(**{**SMALL, "trust": 0.0, "top": 300})
    tiny.adapt(method.adaptation)
    memory = method.prepare(tiny, examples, {}, run := run_of(tmp_path))
    assert len(memory[TAUGHT].numbers) == 2
    assert run.meter.tokens["teacher"] > 0
    rows = tuple(tiny.chat.example(example) for example in examples)
    step = method.live(tiny, Step(rows, examples=tuple(examples)), 0, memory, run)
    assert step.rows == rows[2:], "a text asks nothing, and is learnt as it is"
    (held,) = step.held
    assert held.rows == rows[:2]
    whole = sum(row.targets for row in rows)
    assert held.strength == pytest.approx(sum(row.targets for row in rows[:2]) / whole)
    assert step.weights == pytest.approx((rows[2].targets / whole,))
    tiny.restore(tiny.start())
    seen = tiny.chat.prompt((Message("user", "one is A\ntwo is B\none?"),))
    answer = rows[0].ids[len(rows[0].prompt) :]
    from everlearn.model.chat import Row

    read = tiny.logits(pack([Row((*seen, *answer), (False,) * len(seen) + (True,) * len(answer))])).float()
    count = rows[0].targets
    chances = torch.zeros_like(read).scatter_(1, held.teacher.ids_NK[:count], held.teacher.logprobs_NK[:count].exp())
    assert torch.allclose(chances, read.softmax(-1), atol=2e-4)


def test_what_it_cannot_read_is_learnt_as_given(tiny, tmp_path):
    examples = [noted("one", "A", "one is A")]
    rows = (tiny.chat.example(examples[0]),)
    for trust in (0.5, 1.0):  # random weights read nothing
        method = Cartridges(**{**SMALL, "trust": trust})
        tiny.adapt(method.adaptation)
        memory = method.prepare(tiny, examples, {}, run := run_of(tmp_path / str(trust)))
        step = Step(rows, examples=tuple(examples))
        assert method.live(tiny, step, 0, memory, run) == step
        assert bool(run.meter.tokens["teacher"]) == (trust < 1)


def test_rows_from_memory_are_not_asked_of_the_reader(tiny, tmp_path):
    examples = [noted("one", "A", "one is A"), noted("two", "B", "two is B")]
    method = Cartridges(**{**SMALL, "trust": 0.0})
    tiny.adapt(method.adaptation)
    memory = method.prepare(tiny, examples, {}, run := run_of(tmp_path))
    rows = tuple(tiny.chat.example(example) for example in examples)
    step = method.live(tiny, Step(rows, replayed=1, examples=tuple(examples)), 0, memory, run)
    assert (step.rows, step.replayed) == (rows[1:], 1)


def test_distillation_learns(tiny, learn):
    examples = [noted(word, answer, f"{word} is {answer}") for word, answer in (("one", "A"), ("two", "B"))]
    meter = Meter(1)
    memory = learn(tiny, "cartridges", examples, meter=meter, **{**SMALL, "trust": 0.0})
    assert meter.tokens["synthetic"] > 0
    assert meter.tokens["new"] == 0
    assert len(kept(memory)) == 1
    assert TAUGHT not in memory


def test_nothing_leaves_no_cartridge_and_much_leaves_so_many_cues(tiny, learn):
    assert learn(tiny, "cartridges", [], **SMALL) == {}
    memory = learn(tiny, "cartridges", ONE, **SMALL, cues=3)
    assert kept(memory)[0][CUES].shape == (3, 64)
    assert kept(learn(tiny, "cartridges", [text("some text")], **SMALL))[0][CUES].shape == (1, 64)


def test_it_refuses_what_makes_no_sense(tiny, learn):
    from everlearn.stacking import method_called

    for settings in ({"weights": "full"}, {"choice": "best"}, {"trust": 2.0}, {"together": 0}):
        with pytest.raises(SettingsError):
            Cartridges(**settings)
    with pytest.raises(SettingsError, match="both decide"):
        method_called("cartridges+sdft")
    with pytest.raises(SettingsError, match="no method has begun a cartridge"):
        learn(tiny, "finetune", ONE, weights="cartridge", tokens=8)
    stacked = method_called("replay+cartridges")
    assert stacked(**QUICK).weights == "cartridge"
    assert stacked.routes is not Method.routes
