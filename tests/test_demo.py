"""The demo must find its own weeks again: to score them, and not to learn them twice."""

from __future__ import annotations

import torch

from everlearn import examiner
from everlearn.demo import WEEKS, goals, learn_week, open_demo
from sample_lessons import few_candidates


def test_goals_count_the_questions_of_the_weeks_and_nothing_is_learnt_twice(tmp_path, tiny_folder, monkeypatch):
    monkeypatch.setattr(examiner, "candidates", few_candidates)
    torch.set_num_threads(1)
    learner = open_demo(tmp_path / "demo", str(tiny_folder), lambda progress: None)
    for week in WEEKS[1:]:
        assert learn_week(learner, week, "finetune") is not None
        assert learn_week(learner, week, "finetune") is None
    first, second, third, old, _ = goals(learner)
    assert first.questions == 0, "week 1 was not learnt"
    assert (second.questions, third.questions, old.questions) == (20, 24, 24)
