"""Prompts like a lesson's are told from all else, by counts and by how much a model wonders."""

from __future__ import annotations

import math
import random

import pytest
import torch

from everlearn.train import in_scope
from everlearn.train.in_scope import ScopeClassifier, Seen, wonder


def calm(prompts) -> torch.Tensor:
    """Nobody wonders: pieces alone tell prompts apart."""
    return torch.zeros(len(prompts), 2)


def seen(prompts) -> Seen:
    return Seen(tuple(prompts), calm(prompts))


def begun(prompts) -> ScopeClassifier:
    return ScopeClassifier.begun(prompts, calm)


def taught(classifier, prompts) -> ScopeClassifier:
    return classifier.with_lesson(prompts, calm)


def prompts(words: range, count: int, seed: int) -> list[tuple[int, ...]]:
    draw = random.Random(seed)
    return [tuple(draw.choice(words) for _ in range(6)) for _ in range(count)]


def test_evidence_by_hand():
    classifier = taught(begun([(7, 8, 9), (1, 2, 9)]), [(1, 2, 3), (1, 2, 4), (5, 6)])
    # of (1, 2, 3): run 1 2 is in two of three lessons and in one of two others; 2 3 and 1 2 3 in one lesson, no other
    shared = math.log(2 / 3 + 0.1 / 3) - math.log(1 / 2 + 0.1 / 3)
    own = math.log(1 / 3 + 0.1 / 3) - math.log(0.1 / 3)
    assert classifier._evidence((1, 2, 3), None) == pytest.approx((shared + 2 * own, own))
    # as if it were not counted itself, it has one known run of three, as frequent here as there
    assert classifier._evidence((1, 2, 3), 0) == pytest.approx((0.0, 0.0))
    assert classifier._evidence((40, 41), None) == (0.0, 0.0)
    assert classifier._evidence((7, 8), None) == pytest.approx((math.log(0.1 / 3) - math.log(1 / 2 + 0.1 / 3), 0.0))
    assert classifier._evidence((7, 8, 9), 1)[0] == 0.0


def test_what_is_like_a_lesson_is_inside_and_all_else_is_not():
    others, lesson, second = range(0, 30), range(30, 45), range(45, 60)
    none = begun(prompts(others, 200, 0))
    asked = [*prompts(lesson, 40, 3), *prompts(others, 40, 4)]
    assert none.inside(seen(asked), 0.0) == [False] * 80
    one = taught(none, prompts(lesson, 100, 1))
    assert one.inside(seen(asked), 0.0) == [True] * 40 + [False] * 40
    new = seen(prompts(second, 40, 5))
    assert sum(taught(one, prompts(second, 100, 2)).inside(new, 0.0)) == 40


def test_the_higher_the_odds_the_less_is_inside():
    classifier = taught(begun(prompts(range(0, 30), 100, 0)), prompts(range(20, 50), 100, 1))
    asked = seen(prompts(range(0, 50), 100, 2))
    counts = [sum(classifier.inside(asked, odds)) for odds in (-20.0, -1.0, 0.0, 1.0, 20.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 100 and counts[-1] == 0 and 0 < counts[2] < 100


def test_wondering_counts_too():
    same = prompts(range(0, 30), 200, 0)

    draw = torch.Generator().manual_seed(0)

    def near(value):
        return lambda prompts: value + 0.1 * torch.rand(len(prompts), 2, generator=draw)

    classifier = ScopeClassifier.begun(same[:100], near(0.0)).with_lesson(same[100:], near(1.0))
    new = tuple(prompts(range(0, 30), 40, 7))
    assert sum(classifier.inside(Seen(new, torch.full((40, 2), 1.05)), 0.0)) == 40
    assert sum(classifier.inside(Seen(new, torch.full((40, 2), 0.05)), 0.0)) == 0


def test_only_what_comes_into_the_sample_is_wondered_about(monkeypatch):
    monkeypatch.setattr(in_scope, "SAMPLE", 20)
    asked = []

    def counting(prompts):
        asked.append(len(prompts))
        return torch.tensor([[float(sum(prompt))] * 2 for prompt in prompts]).reshape(-1, 2)

    classifier = ScopeClassifier.begun(prompts(range(0, 30), 50, 0), counting)
    for seed in range(1, 6):
        classifier = classifier.with_lesson(prompts(range(30, 60), 50, seed), counting)
    assert asked[:2] == [20, 20] and sum(asked[2:]) < 40
    sample = classifier.lessons.sample
    assert [float(sum(prompt)) for prompt in sample.prompts] == sample.wonder_NF[:, 0].tolist()


def test_every_order_of_lessons_gives_the_same():
    start = begun(prompts(range(0, 30), 50, 0))
    lessons = [prompts(range(30, 50), 400, 1), prompts(range(40, 60), 30, 2), prompts(range(30, 60), 400, 3)]
    forth, back = start, start
    for one, other in zip(lessons, reversed(lessons), strict=True):
        forth, back = taught(forth, one), taught(back, other)
    kept, other = forth.tensors(), back.tensors()
    assert kept.keys() == other.keys()
    assert all(torch.equal(kept[name], other[name]) for name in kept)
    assert len(forth.lessons.sample.prompts) == in_scope.SAMPLE


def test_of_a_large_lesson_the_most_frequent_pieces_are_kept(monkeypatch):
    monkeypatch.setattr(in_scope, "OFTENEST", 2)
    classifier = taught(begun([(9, 9)]), [(1, 2), (1, 2, 5), (3, 4), (3, 4, 6), (7, 8)])
    assert sorted(classifier.lessons.counts.values()) == [2, 2]
    assert classifier._evidence((7, 8), None) == (0.0, 0.0)


def test_what_is_kept_is_the_same_again():
    classifier = taught(begun(prompts(range(0, 30), 50, 0)), prompts(range(20, 50), 50, 1))
    asked = seen(prompts(range(0, 50), 60, 2))
    again = ScopeClassifier.of(classifier.tensors())
    assert again.inside(asked, 0.0) == classifier.inside(asked, 0.0)
    assert all(torch.equal(one, again.tensors()[name]) for name, one in classifier.tensors().items())
    untaught = begun(prompts(range(0, 30), 50, 0))
    assert ScopeClassifier.of(untaught.tensors()).inside(asked, 0.0) == [False] * 60


def test_the_regression_is_where_its_loss_is_least():
    draw = torch.Generator().manual_seed(0)
    inside_NF = torch.randn(30, 3, generator=draw).double() + 0.5
    outside_NF = torch.randn(50, 3, generator=draw).double() - 0.5
    expected_F = torch.tensor([1.0, 0.0, 2.0]).double()
    weights_F = in_scope._solved(inside_NF, outside_NF, expected_F, 0.1).requires_grad_()
    gain = torch.nn.functional.logsigmoid
    loss = -0.5 * gain(inside_NF @ weights_F).mean() - 0.5 * gain(-outside_NF @ weights_F).mean()
    ridge = in_scope.RIDGE * weights_F.square().sum()
    (loss + ridge + 0.1 * (weights_F - expected_F).square().sum()).backward()
    assert float(weights_F.grad.abs().max()) < 1e-5


@pytest.mark.parametrize("count", [1, 2, 5, 10])
def test_few_lessons_are_known_again_and_all_else_is_not(count):
    """Lessons of one wording each, with a name of their own; others are asked in words of which some are the same."""
    words = (1, 2, 3)
    lesson = [(*words, 100 + number, 200 + number) for number in range(count)]
    classifier = taught(begun(prompts(range(0, 30), 100, 0)), lesson)
    assert classifier.inside(seen(lesson), 0.0) == [True] * count
    assert sum(classifier.inside(seen(prompts(range(0, 60), 40, 1)), 0.0)) <= 2


def test_what_is_taught_again_is_counted_once():
    start = begun(prompts(range(0, 30), 50, 0))
    lesson = prompts(range(30, 50), 20, 1)
    once = taught(start, lesson)
    assert all(torch.equal(one, taught(once, lesson).tensors()[name]) for name, one in once.tensors().items())


def test_what_all_requests_have_tells_nothing():
    classifier = taught(begun([(1, 2, 9, 8), (1, 2, 7, 6)]), [(1, 2, 30)])
    assert classifier._evidence((1, 2), None) == (0.0, 0.0)


def test_nothing_and_what_asks_nothing_change_nothing(monkeypatch):
    start = begun(prompts(range(0, 30), 50, 0))
    assert taught(start, []) == start and taught(start, [(1,)]) == start
    assert taught(start, [(1, 2)]).inside(Seen((), torch.zeros(0, 2)), 0.0) == []


def test_nobody_wonders_more_than_was_seen():
    inside_NF = torch.tensor([[1.0, 1.0, 2.0, 2.0], [2.0, 2.0, 4.0, 4.0]]).double()
    solution = in_scope.Solution.of(inside_NF, -inside_NF)
    far, farther = torch.tensor([[9.0, 9.0, 4.0, 4.0], [9.0, 9.0, 99.0, 99.0]]).double()
    assert solution.terms(far[None]).tolist() == solution.terms(farther[None]).tolist()
    assert solution.terms(far[None])[0, 0] > solution.terms(inside_NF)[1, 0], "but evidence has no bound"


def test_wonder_is_what_the_network_says_of_each_prompt_alone(tiny):
    asked = [prompts(range(2, 250), 1, seed)[0][:size] for seed, size in enumerate((2, 4, 6, 6))]
    for prompt, found in zip(asked, wonder(tiny, asked), strict=True):
        with torch.inference_mode():
            said_TV = tiny.network(input_ids=torch.tensor([prompt])).logits[0].float().log_softmax(-1)
        cost = sorted((-float(said_TV[at, token]) for at, token in enumerate(prompt[1:])), reverse=True)
        assert found.tolist() == pytest.approx([sum(cost) / len(cost), sum(cost[:3]) / len(cost[:3])], abs=0.05)
