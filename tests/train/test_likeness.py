"""Questions find the lessons that they are like, and none where they are like none."""

from __future__ import annotations

import torch

from everlearn.train.likeness import alike


def clouds(count: int, each: int = 40, width: int = 16) -> list[torch.Tensor]:
    """Lessons whose prompts lie around points far apart, along few of the directions."""
    draw = torch.Generator().manual_seed(0)
    spread_D = torch.logspace(0, -2, width)
    centres = 8 * torch.randn(count, width, generator=draw) * spread_D
    return [centre + torch.randn(each, width, generator=draw) * spread_D for centre in centres]


def test_each_question_finds_its_lesson_and_strangers_find_none():
    lessons = clouds(5)
    asked = torch.cat([lesson[:8] for lesson in lessons])
    shown = [lesson[8:] for lesson in lessons]
    found = alike(asked, shown, most=1, reach=2.0)
    assert sum(one == (number // 8,) for number, one in enumerate(found)) >= 38
    strangers = torch.randn(20, 16, generator=torch.Generator().manual_seed(1)) * 30
    assert set(alike(strangers, shown, most=3, reach=2.0)) == {()}


def test_what_moves_or_scales_all_states_changes_nothing():
    lessons = clouds(4)
    asked = torch.cat([lesson[:4] for lesson in lessons]) + 0.3
    shown = [lesson[4:] for lesson in lessons]
    found = alike(asked, shown, 2, 1.5)
    assert alike(7 * asked, [7 * one for one in shown], 2, 1.5) == found
    assert alike(asked.bfloat16().float(), [one.bfloat16() for one in shown], 2, 1.5).count(()) <= found.count(()) + 1


def test_no_more_than_so_many_and_in_order():
    lessons = clouds(1) * 4
    for found in alike(lessons[0][:6], lessons, most=3, reach=1.0):
        assert len(found) == 3
        assert list(found) == sorted(found)


def test_a_lesson_of_one_prompt_is_found_by_it():
    state = torch.randn(1, 16, generator=torch.Generator().manual_seed(2))
    assert alike(state * 1.001, [state], 2, 1.0) == [(0,)]
    assert alike(-state, [state], 2, 1.0) == [()]
    assert alike(torch.zeros(1, 16), [torch.zeros(1, 16)], 2, 1.0) == [(0,)]


def test_a_thousand_lessons_are_compared_at_once():
    lessons = clouds(1000, each=8)
    found = alike(torch.stack([lesson[0] for lesson in lessons]), lessons, 1, 1.0)
    assert sum(one == (number,) for number, one in enumerate(found)) > 950
