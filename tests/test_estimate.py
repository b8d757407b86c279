"""A model and what it is to learn in; sizes, work and an estimate that fit what really happens out."""

import dataclasses

import pytest

from everlearn.errors import ModelError
from everlearn.estimate import (
    CHANGING,
    FROZEN,
    Size,
    Work,
    estimate,
    exam_tokens,
    forward_speed,
    require_memory,
    size_of,
    standing_memory,
    work_of,
)
from everlearn.methods.anchored import Anchored
from everlearn.methods.contract import Mixture
from everlearn.methods.finetune import Finetune
from everlearn.methods.replay import Replay
from everlearn.model.adaptation import Adaptation
from everlearn.model.delta import encode_delta
from everlearn.model.packing import GRAIN, pack
from everlearn.records import Example, Message, Question

SIZE = Size(parameters=1000, changing=1000, rows=10, hidden=4, layers=2, vocabulary=50)


def example(question: str, answer: str) -> Example:
    return Example((Message("user", question), Message("assistant", answer, learn=True)))


EXAMPLES = [example(f"What is {n}?", "x" * n) for n in range(1, 41)]


@pytest.mark.parametrize("kind", ["full", "neurons", "lora"])
def test_the_size_is_that_of_the_loaded_model(tiny, tiny_folder, kind):
    size = size_of(tiny_folder, Finetune(weights=kind, rank=4, neurons=4))
    tiny.adapt(Adaptation(kind, 4))
    assert size.changing == sum(master.numel() for master in tiny.masters.values())
    base = size_of(tiny_folder, Finetune(weights="full"))
    assert size.parameters == base.changing
    assert (size.hidden, size.layers, size.vocabulary) == (64, 2, tiny.network.config.vocab_size)


@pytest.mark.parametrize("kind", ["full", "neurons", "lora"])
def test_the_disk_is_what_a_commit_takes(tiny, tiny_folder, kind):
    tiny.adapt(Adaptation(kind, 4))
    tiny.restore({name: master + 0.01 for name, master in tiny.masters.items()})
    size = size_of(tiny_folder, Finetune(weights=kind, rank=4, neurons=4))
    disk = estimate(Work(0, 0, 0, 0, 0, 0), size, 1.0).disk
    assert disk == pytest.approx(len(encode_delta(tiny)), rel=0.15)


@pytest.mark.parametrize(
    "method", [Finetune(), Finetune(epochs=5, least_steps=1), Replay(), Replay(old_per_step=3, rows_per_step=7)]
)
def test_the_work_is_that_of_the_steps_that_are_made(tiny, method):
    mixture = method.examples(EXAMPLES, {"examples": EXAMPLES[:10]})
    steps = method._steps(tiny, mixture, {}, seed=0)
    work = work_of(method, mixture, tiny.chat, asked=0)
    assert work.steps == len(steps)
    assert work.trained == pytest.approx(sum(pack(step.rows).tokens for step in steps), rel=0.15)
    assert work.targets == sum(n + 1 for n in range(1, 41))


def test_anchors_are_work_too(tiny):
    with_anchors = work_of(
        Anchored(weights="lora", anchors_per_step=2, anchor_length=10), Mixture(EXAMPLES), tiny.chat, 0
    )
    without = work_of(Anchored(weights="lora", anchors_per_step=0), Mixture(EXAMPLES), tiny.chat, 0)
    assert with_anchors.trained - without.trained == 20 * with_anchors.steps


def test_nothing_to_learn_is_no_work(tiny):
    assert work_of(Finetune(), Mixture([]), tiny.chat, asked=7) == Work(0, 0, 0, 0, 0, 7)


def test_backward_takes_twice_a_forward_and_exams_take_one():
    work = Work(examples=1, tokens=10, targets=5, steps=2, trained=100, asked=60)
    assert estimate(work, SIZE, tokens_per_second=36.0).seconds == pytest.approx((3 * 100 + 60) / 36)
    adapter = SIZE._replace(changing=10)
    assert estimate(work, adapter, tokens_per_second=36.0).seconds == pytest.approx((2 * 100 + 60) / 36)


def test_full_weights_take_ten_bytes_each_and_frozen_ones_two():
    assert standing_memory(SIZE) == 10 * 1000
    assert standing_memory(SIZE._replace(changing=100)) == 2 * 1000 + 10 * 100
    assert standing_memory(SIZE._replace(copies=2)) == 18 * 1000
    assert (CHANGING, FROZEN) == (10, 2)


def test_what_a_method_keeps_beside_the_weights_counts(tiny_folder):
    assert [size_of(tiny_folder, method).copies for method in (Finetune(), Anchored(), Anchored(tail=0))] == [0, 2, 1]


def test_longer_steps_take_more_memory():
    short, long = (estimate(Work(1, 10, 5, 2, trained, 0), SIZE, 1.0).memory for trained in (100, 200))
    assert long > short


def test_a_run_that_cannot_fit_is_refused():
    require_memory(SIZE, 20_000)
    require_memory(SIZE, None)
    with pytest.raises(ModelError) as refused:
        require_memory(SIZE._replace(parameters=7_000_000_000, changing=7_000_000_000), 31_000_000_000)
    assert refused.value.problem == "training 7,000,000,000 weights needs 70 GB of memory, 31 GB are free"
    assert "--set weights=lora" in refused.value.hint
    with pytest.raises(ModelError) as refused:
        require_memory(SIZE, 0)
    with pytest.raises(ModelError) as refused:
        require_memory(SIZE._replace(changing=10), 0)
    assert "--set rank=8" in refused.value.hint


def test_exam_tokens_count_a_shared_beginning_once(tiny):
    start = "The code of the Zorb gate is known to few. "
    one, other = (Question((Message("user", start + text),), ("ab",)) for text in ("Who?", "When?"))
    alone = exam_tokens(tiny.chat, [one])
    assert 0 <= alone - len(tiny.chat.prompt(one.messages)) - 2 < GRAIN
    assert alone < exam_tokens(tiny.chat, [one, other]) < 2 * alone - len(start)


def test_the_speed_is_measured_on_a_sample(tiny, monkeypatch):
    seen = []
    force = type(tiny).force
    monkeypatch.setattr(type(tiny), "force", lambda model, rows: seen.append(len(rows)) or force(model, rows))
    assert forward_speed(tiny, [dataclasses.replace(EXAMPLES[-1])] * 500) > 100
    assert seen[0] == 1
    assert seen[1] < 50
