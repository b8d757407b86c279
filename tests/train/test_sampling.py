"""Answers are the model's own, within their limits, and metered."""

from __future__ import annotations

import pytest

from everlearn.records import Message
from everlearn.train.meter import Meter
from everlearn.train.sampling import draw_of, sample


@pytest.fixture
def prompts(tiny):
    return [tiny.chat.prompt((Message("user", words),)) for words in ("one?", "and the other one?")]


def test_without_temperature_answers_are_the_greedy_ones(tiny, prompts):
    greedy = tiny.generate(prompts, 9)
    written = sample(tiny, prompts, [9, 9], 0, Meter(1), temperature=0.0)
    assert [said.answer for said in written] == [reply.ids for reply in greedy]
    assert [said.row.prompt for said in written] == prompts


def test_each_has_its_own_limit_and_its_own_answers(tiny, prompts):
    meter = Meter(1)
    written = sample(tiny, prompts, [2, 7], 3, meter, each=3)
    assert [said.prompt for said in written] == [0, 0, 0, 1, 1, 1]
    assert all(said.row.targets <= (2, 7)[said.prompt] for said in written)
    assert all(said.row.ids[-said.row.targets :][: len(said.answer)] == said.answer for said in written)
    assert len({said.answer for said in written}) > 2
    assert written == sample(tiny, prompts, [2, 7], 3, Meter(1), each=3)
    assert written != sample(tiny, prompts, [2, 7], 4, Meter(1), each=3)
    assert meter.tokens["generated"] >= 3 * sum(map(len, prompts)) + sum(len(said.answer) for said in written)


def test_an_answer_is_finished_only_with_the_end_of_its_turn_within_the_limit(tiny, prompts):
    from everlearn.model.generation import Reply

    ends = {2: Reply((5,), tiny.chat.end), 1: Reply((5,), tiny.chat.end), 3: Reply((5, 6, 7), None)}
    for limit, reply in ends.items():
        tiny.generate = lambda asked, longest, reply=reply, **_: [reply]
        (said,) = sample(tiny, prompts[:1], [limit], 0, Meter(1))
        assert said.finished == (limit == 2)
        assert said.answer == reply.ids[:limit]
        assert (said.row.ids[-1] == tiny.chat.end) == said.finished


def test_a_prompt_that_leaves_no_room_has_no_answer(tiny, prompts):
    full = tuple([5] * tiny.context)
    assert [said.prompt for said in sample(tiny, [full, prompts[0]], [4, 4], 0, Meter(1))] == [1]
    assert sample(tiny, [full], [4], 0, Meter(1)) == []


def test_draws_differ_between_steps_and_runs():
    assert len({draw_of(seed, step) for seed in range(4) for step in range(50)}) == 200
