"""Teachers see what models do not, are moved as they should be, and models go where teachers are."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods import _self_distillation, sdpo
from everlearn.methods._own_steps import WARM
from everlearn.methods._self_distillation import TEACHER
from everlearn.methods._verifying import SPARE
from everlearn.methods.context_distill import ContextDistill, notes_of
from everlearn.methods.sdft import SDFT
from everlearn.methods.sdpo import SDPO
from everlearn.records import Example, Message, Origin
from everlearn.stacking import method_called
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.loop import Step
from everlearn.train.losses import Teacher
from everlearn.train.meter import Meter
from everlearn.train.run import Run
from everlearn.train.sampling import draw_of, sample

from .conftest import pairs

WANTED = Message("assistant", "Q", learn=True)
METHODS = {"sdft": SDFT, "sdpo": SDPO, "context_distill": ContextDistill}


@pytest.fixture
def run(tmp_path):
    meter = Meter(1)
    return Run(0, meter, Checkpoints(tmp_path / "run", meter, None))


def begun(method, model, examples, run):
    """What a method has in its memory while it learns, and its first step as planned."""
    model.adapt(method.adaptation)
    memory = method.prepare(model, examples, {}, run)
    assert list(method.held(memory, 4)) == [None] * 4
    rows = tuple(model.chat.example(example) for example in examples)
    return memory, Step(rows, examples=tuple(examples))


def watched(kind, seen):
    """The method, which shows its teacher's and the model's weights after every step."""

    class Watched(kind):
        def after_step(self, model, memory, step):
            super().after_step(model, memory, step)
            seen.append((memory[TEACHER].snapshot(), model.snapshot()))

    return Watched


@pytest.mark.parametrize("weights", ["full", "lora"])
def test_a_slow_teacher_follows_at_its_rate_and_is_let_go(weights, tiny, learn):
    seen = []
    tiny.adapt(SDFT(weights=weights).adaptation)
    slow = tiny.snapshot()
    memory = learn(
        tiny, watched(SDFT, seen), pairs("one"), weights=weights, teacher="ema", rate=0.25, epochs=2, warm=0.5
    )
    assert memory == {}
    assert len(seen) == 4
    for teacher, model in seen:
        for name in slow:
            slow[name] = slow[name].lerp(model[name], 0.25)
            assert torch.allclose(teacher[name], slow[name], atol=1e-6)
    start = tiny.start()
    assert any(not torch.equal(seen[-1][0][name], start[name]) for name in start), "a teacher that never moves is none"
    assert any(not torch.equal(seen[-1][0][name], seen[-1][1][name]) for name in start)


@pytest.mark.parametrize("weights", ["full", "lora"])
def test_a_frozen_teacher_stays_the_start_model_in_every_stage_and_a_live_one_is_the_model(weights, tiny, learn):
    tiny.adapt(SDFT(weights=weights).adaptation)
    start = tiny.start()
    for teacher, words in (("frozen", "one"), ("frozen", "two"), ("live", "three")):
        seen = []
        learn(tiny, watched(SDFT, seen), pairs(words), weights=weights, teacher=teacher, epochs=1, warm=0.5)
        assert len(seen) == 2
        assert any(not torch.equal(seen[-1][1][name], start[name]) for name in start)
        for taught, model in seen:
            there = start if teacher == "frozen" else model
            assert all(torch.equal(taught[name], there[name]) for name in there)


def test_a_slow_teacher_survives_a_crash(tiny, run):
    method = SDFT(teacher="ema", rate=0.5)
    memory, _ = begun(method, tiny, pairs("one"), run)
    name = next(iter(tiny.masters))
    begin = tiny.masters[name]
    tiny.masters[name] = begin + 1.0
    method.after_step(tiny, memory, 0)
    kept = method.running(memory)
    tiny.masters[name] = begin
    again = method.prepare(tiny, pairs("one"), {}, run)
    method.resume(again, kept)
    assert torch.allclose(again[TEACHER].masters[name], begin + 0.5)
    assert torch.allclose(tiny.masters[name], begin), "the teacher is another model"
    assert SDFT().running({TEACHER: tiny}) == {}


@pytest.mark.parametrize("name", METHODS)
def test_the_teacher_sees_the_answer_and_the_model_does_not(name, tiny, run, monkeypatch):
    asked = []

    def listen(student, teacher, pairs, *others):
        asked.extend(pairs)
        return judged(student, teacher, pairs, *others)

    judged = _self_distillation.judged
    monkeypatch.setattr(_self_distillation, "judged", listen)
    method = METHODS[name]()
    examples = [Example((Message("user", "who {answer}?"), Message("assistant", "Zorb {question} 7", learn=True)))]
    memory, planned = begun(method, tiny, examples, run)
    step = method.live(tiny, planned, 0, memory, run)
    assert step.rows == () and step.examples == ()
    assert step.held[0].rows == tuple(pair.student for pair in asked)
    assert step.held[0].strength == 1.0 and step.held[0].alpha == method.alpha
    for pair in asked:
        prompts = [tiny.tokenizer.decode(row.prompt) for row in pair]
        assert [text.count("Zorb {question} 7") for text in prompts] == [0, 1]
        assert all("who {answer}?" in text for text in prompts)
        assert pair.student.prompt == tiny.chat.prompt(examples[0].messages[:1])
        assert pair.student.ids[len(pair.student.prompt) :] == pair.teacher.ids[len(pair.teacher.prompt) :]


@pytest.mark.parametrize("name", METHODS)
def test_what_the_model_learns_from_is_its_own_and_new_in_every_step(name, tiny, run):
    method = METHODS[name]()
    examples = pairs("one", 4)
    memory, planned = begun(method, tiny, examples, run)
    first, again, later = (method.live(tiny, planned, number, memory, run).held[0].rows for number in (0, 0, 1))
    assert first == again != later
    prompts = [tiny.chat.prompt(example.messages[:1]) for example in examples]
    each = 2 if name == "sdpo" else 1
    limits = [1 + SPARE] * 4
    assert first == tuple(said.row for said in sample(tiny, prompts, limits, draw_of(0, 0), Meter(1), each=each))


@pytest.mark.parametrize("name", METHODS)
def test_the_model_goes_where_the_teacher_is(name, tiny, learn, nats, monkeypatch):
    wanted = [dataclasses.replace(one, messages=(one.messages[0], WANTED)) for one in pairs("one", 4)]
    (token,) = tiny.tokenizer.encode(WANTED.content, add_special_tokens=False)

    def believe(student, teacher, pairs, *others):
        """First the wanted letter, then the end of the turn."""
        counts = [pair.student.targets for pair in pairs]
        ids = [torch.tensor([[token], *[[tiny.chat.end]] * (count - 1)]) for count in counts]
        return [Teacher(each, torch.full(each.shape, 0.98).log()) for each in ids]

    monkeypatch.setattr(_self_distillation, "judged", believe)
    before = nats(tiny, wanted)
    learn(tiny, name, pairs("one", 4), epochs=12, learning_rate=1e-2)
    assert nats(tiny, wanted) < 0.5 * before


@pytest.mark.parametrize("teacher", ["frozen", "live"])
def test_the_teacher_gets_no_gradient(teacher, tiny, run):
    method = SDFT(teacher=teacher)
    memory, planned = begun(method, tiny, pairs("one"), run)
    step = method.live(tiny, planned, 0, memory, run)
    assert not step.held[0].teacher.logprobs_NK.requires_grad
    if teacher != "live":
        assert not any(weight.requires_grad for weight in memory[TEACHER].network.parameters())
    assert all(weight.grad is None for weight in tiny.network.parameters())


def test_texts_and_earlier_examples_are_learnt_as_they_are_and_every_token_counts_alike(tiny, run):
    method = SDFT()
    text = Example((Message("text", "zorb zorb", learn=True),))
    examples = [*pairs("one", 2), text, *pairs("old", 1)]
    memory, planned = begun(method, tiny, examples, run)
    step = method.live(tiny, planned._replace(replayed=1, weights=(1.0, 1.0, 1.0, 0.5)), 0, memory, run)
    assert step.examples == tuple(examples[2:]) and step.rows == planned.rows[2:] and step.replayed == 1
    plain, taught = (sum(row.targets for row in rows) for rows in (step.rows, step.held[0].rows))
    assert step.held[0].strength == pytest.approx(taught / (plain + taught))
    assert step.weights == pytest.approx((plain / (plain + taught), 0.5 * plain / (plain + taught)))


def test_warm_steps_and_what_leaves_no_room_are_learnt_by_cross_entropy(tiny, run):
    method = SDFT(warm=0.5)
    long = Example((Message("user", "a" * 300), Message("assistant", "b" * 100, learn=True)))
    memory, planned = begun(method, tiny, [*pairs("one", 1), long], run)
    assert memory[WARM] == 2
    assert method.live(tiny, planned, 1, memory, run) is planned
    assert method.live(tiny, planned, 2, memory, run).examples == (long,)


def test_first_tokens_are_left_out(tiny, run):
    method = SDFT(skip=2)
    memory, planned = begun(method, tiny, pairs("one"), run)
    full = SDFT()
    for row, whole in zip(
        *(each.live(tiny, planned, 0, memory, run).held[0].rows for each in (method, full)), strict=True
    ):
        assert row.ids == whole.ids and row.targets == max(1, whole.targets - 2)


def test_a_try_is_told_of_a_right_one_beside_it_or_else_what_is_right(tiny, run, answers):
    method = SDPO(samples=2)
    memory, planned = begun(method, tiny, pairs("one", 4, first="W"), run)
    told = {0: ["W", "no"], 1: ["no", "nay"], 2: ["Y", "Y"], 3: ["Z"]}
    answers(told.__getitem__, module=sdpo)
    asked = list(method.asked(tiny, planned, memory).values())
    found = method.pairs(tiny, asked, memory, 0, run)
    texts = [tuple(tiny.tokenizer.decode(row.ids) for row in pair) for pair in found]
    said = [student.split("assistant\n")[-1].removesuffix("<|end|>") for student, _ in texts]
    assert said == ["no", "no", "nay", "Y", "Y"], "what is right, and alone so, teaches nothing"
    solutions = ["Correct solution:\n\nW" in texts[0][1], *("Correct solution:\n\nY" in texts[at][1] for at in (3, 4))]
    assert all(solutions)
    assert all("feedback" in texts[at][1] and "right answer is: X" in texts[at][1] for at in (1, 2))
    untold = SDPO(samples=2, feedback=False).pairs(tiny, asked, memory, 0, run)
    assert len(untold) == 3


def test_a_step_about_which_there_is_nothing_to_say_moves_nothing(tiny, learn, answers):
    answers(lambda number: ["Q"], module=sdpo)
    tiny.adapt(SDPO().adaptation)
    start = tiny.snapshot()
    learn(tiny, "sdpo", [dataclasses.replace(one, messages=(one.messages[0], WANTED)) for one in pairs("one", 4)])
    assert all(torch.equal(start[name], tiny.masters[name]) for name in start)


def test_notes_are_those_of_the_same_file_that_stand_around():
    origins = [Origin("a.md", 1, "rules", clause) for clause in ("p", "q", "q", "r", "s")]
    examples = [
        Example((Message("user", f"{number}?"), Message("assistant", "x", learn=True)), origin)
        for number, origin in enumerate([*origins, Origin("b.md")])
    ]
    notes = notes_of(examples, 2)
    assert [notes[example] for example in examples[:5]] == [
        ("p", "q", "r"),
        ("p", "q", "r"),
        ("p", "q", "r"),
        ("q", "r", "s"),
        ("q", "r", "s"),
    ]
    assert notes[examples[5]] == ("5? x",)
    assert notes_of(examples, 0)[examples[3]] == ("r",)
    texts = [Example((Message("text", " ".join(["word"] * 99), learn=True),)), examples[5]]
    assert [len(note.split()) for note in notes_of([*texts, *pairs("one", 1)], 1)[pairs("one", 1)[0]]] == [64, 3]


def test_off_policy_the_teacher_answers_once_with_the_notes_in_view(tiny, run):
    method = ContextDistill(on_policy=False, notes=1)
    examples = pairs("one", 4)
    memory, planned = begun(method, tiny, examples, run)
    asked = list(method.asked(tiny, planned, memory).values())
    greedy = tiny.generate([one.seen for one in asked], asked[0].task.limit)
    counted = dict(run.meter.tokens)
    step = method.live(tiny, planned, 0, memory, run)
    assert dict(run.meter.tokens) == counted and counted["generated"] > 0
    for row, one, reply in zip(step.held[0].rows, asked, greedy, strict=True):
        assert row.prompt == one.task.prompt
        assert row.ids[len(row.prompt) :][: len(reply.ids)] == reply.ids
    assert step.held[0].alpha == 0.0
    assert method.finish(tiny, examples, memory, run) == {}


def test_stacks_and_settings_that_make_no_sense_are_refused():
    for wrong in ({"teacher": "wise"}, {"rate": 2.0}, {"alpha": -1.0}, {"top": 0}, {"skip": -1}, {"shown": "again"}):
        with pytest.raises(SettingsError):
            SDFT(**wrong)
    for kind, wrong in (
        (SDPO, {"samples": 0}),
        (SDPO, {"solution": "{question}"}),
        (SDPO, {"correction": ""}),
        (SDPO, {"check": "vibe"}),
        (ContextDistill, {"notes": -1}),
    ):
        with pytest.raises(SettingsError):
            kind(**wrong)
    for one, other in itertools.combinations(METHODS, 2):
        with pytest.raises(SettingsError):
            method_called(f"{one}+{other}")


def test_it_stacks_with_replay_and_a_penalty(tiny, learn):
    memory = learn(tiny, "replay+ewc+sdft", pairs("one", 4), epochs=1)
    assert set(memory) == {"replay.examples", "ewc.importance"}
    assert set(learn(tiny, "replay+ewc+sdft", pairs("two", 4), memory, epochs=1)) == set(memory)
