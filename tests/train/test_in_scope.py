"""Prompts like a lesson's are told from all else, by what the start model would not have expected of them."""

from __future__ import annotations

import math
import random

import pytest
import torch

from everlearn.methods.scoped import Scoped
from everlearn.train import in_scope
from everlearn.train.in_scope import ScopeClassifier, Seen, nats

LEAST = Scoped().evidence


def surprised(prompts) -> list[torch.Tensor]:
    """Every token is one of a hundred to the start model."""
    return [torch.full((len(prompt) - 1,), math.log(100.0)) for prompt in prompts]


def seen(prompts) -> Seen:
    return Seen(tuple(prompts), tuple(surprised(prompts)))


def taught(classifier, prompts) -> ScopeClassifier:
    return classifier.with_lesson(prompts, surprised)


def prompts(words: range, count: int, seed: int) -> list[tuple[int, ...]]:
    draw = random.Random(seed)
    return [tuple(draw.choice(words) for _ in range(6)) for _ in range(count)]


def test_evidence_by_hand():
    classifier = taught(ScopeClassifier.begun([(7, 8, 9), (1, 2, 9)]), [(1, 2, 3), (1, 2, 4), (5, 6)])
    weight = in_scope.CONCENTRATION
    assert in_scope.LONGEST == 3

    def expected(single, pair, triple, total):
        """From how often a token, a run of two and one of three are there, and what each run begins with."""
        share = (single / total + 0.01) / 2
        for run, before in (pair, triple):
            share = (run + weight * share) / (before + weight)
        return share

    none = (0, 0)
    # of (1, 2, 3): 2 is in two of three lessons, always behind 1; 3 in one of them, behind 2 and behind 1 2
    two = expected(2, (2, 2), none, 8) / expected(1, (1, 1), none, 6)
    three = expected(1, (1, 2), (1, 2), 8) / expected(0, (0, 1), (0, 1), 6)
    by_hand = (math.log(two) + math.log(three)) / math.sqrt(2)
    assert float(classifier.evidence(seen([(1, 2, 3)]))) == pytest.approx(by_hand)
    # as if it were not counted itself
    two = expected(1, (1, 1), none, 8) / expected(1, (1, 1), none, 6)
    three = expected(0, (0, 1), (0, 1), 8) / expected(0, (0, 1), (0, 1), 6)
    assert two < 1 and three == pytest.approx(1)
    assert float(classifier.evidence(seen([(1, 2, 3)]), own=True)) == pytest.approx(0), "nothing speaks for lessons"


def test_the_most_telling_stretch_counts_over_the_whole_prompts_length():
    """What stands around it, and is of the others, is not held against it."""
    lesson = [(40, 41, number) for number in range(50, 90)]
    classifier = taught(ScopeClassifier.begun(prompts(range(0, 30), 50, 0)), lesson)
    rest = [2] * 6
    bare, first, last, between = (1, 40, 41), (1, 40, 41, *rest), (2, *rest, 40, 41), (1, 40, *rest, 41)
    told_N = classifier.evidence(seen([bare, first, last, between]))
    assert told_N[1:3].tolist() == pytest.approx([float(told_N[0]) * math.sqrt(2 / 8)] * 2, rel=0.01)
    assert told_N[3] < 0.9 * told_N[1], "apart, one of both counts"


def test_what_anybody_would_say_next_is_no_evidence():
    """Of two words that lessons have and others have not, the one that the start model expects tells little."""
    lesson = [(40, 41, number) for number in range(50, 90)]
    classifier = taught(ScopeClassifier.begun(prompts(range(0, 30), 50, 0)), lesson)
    surprising, expected = (Seen(((40, 41),), (torch.tensor([cost]),)) for cost in (6.0, 0.01))
    assert float(classifier.evidence(expected)) < 0.1 * float(classifier.evidence(surprising))


def test_what_lessons_do_not_have_is_no_evidence_for_them_wherever_others_would_have_gone():
    """All requests go on from 1 to 2: who goes on to 77, which nobody has, is no more like a lesson for that."""
    requests = [(1, 2, word) for word in range(100, 200)]
    classifier = taught(ScopeClassifier.begun(requests), [(1, 50, 51)])
    unknown = [(1, *range(300, 300 + size)) for size in (2, 20, 200)]
    assert (classifier.evidence(seen(unknown)) <= 0).all()
    assert classifier.inside(seen([*unknown, (1, 50, 51)]), LEAST) == [False, False, False, True]


def test_what_is_like_a_lesson_is_inside_and_all_else_is_not():
    others, lesson, second = range(0, 30), range(30, 45), range(45, 60)
    none = ScopeClassifier.begun(prompts(others, 200, 0))
    asked = [*prompts(lesson, 40, 3), *prompts(others, 40, 4)]
    assert none.inside(seen(asked), LEAST) == [False] * 80
    one = taught(none, prompts(lesson, 100, 1))
    assert one.inside(seen(asked), LEAST) == [True] * 40 + [False] * 40
    new = seen(prompts(second, 40, 5))
    assert sum(taught(one, prompts(second, 100, 2)).inside(new, LEAST)) == 40


def test_the_more_evidence_is_wanted_the_less_is_inside():
    classifier = taught(ScopeClassifier.begun(prompts(range(0, 30), 100, 0)), prompts(range(20, 50), 100, 1))
    asked = seen(prompts(range(0, 50), 100, 2))
    counts = [sum(classifier.inside(asked, least)) for least in (-9.0, 0.5, 1.0, 2.0, 99.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == sum((classifier.evidence(asked) > classifier.enough).tolist()), "enough is always wanted"
    assert counts[-1] == 0 and 0 < counts[0] < 100


def test_enough_is_half_of_what_nearly_all_of_a_lessons_prompts_have():
    first, second = prompts(range(30, 50), 100, 1), prompts(range(50, 90), 40, 2)
    one = taught(ScopeClassifier.begun(prompts(range(0, 30), 100, 0)), first)
    evidence = sorted(one.evidence(seen(first), own=True).tolist())
    assert evidence[4] / 2 <= one.enough <= evidence[5] / 2
    both = taught(one, second)
    evidence = sorted(both.evidence(seen(second), own=True).tolist())
    assert evidence[1] / 2 <= both.enough <= evidence[2] / 2 < one.enough, "the lesson with the least of it counts"
    again = taught(both, prompts(range(30, 50), 100, 3))
    assert again.enough == both.enough


def test_a_small_lesson_after_a_large_one_is_inside():
    """Each of its prompts, even where the start model expects every word of it."""
    large = taught(ScopeClassifier.begun(prompts(range(0, 30), 100, 0)), prompts(range(30, 50), 300, 1))
    small = [(1, 2, 3, 60), (4, 5, 6, 61)]
    asked = Seen(tuple(small), (torch.zeros(3), torch.zeros(3)))
    assert large.inside(asked, LEAST) == [False, False]
    assert taught(large, small).inside(asked, LEAST) == [True, True]
    names = torch.tensor([4.0, 4.0, 12.0])
    other_words = Seen(((4, 2, 3, 60), (9, 5, 6, 61)), (names, names))
    assert taught(large, small).inside(other_words, LEAST) == [True, True]
    assert large.inside(other_words, LEAST) == [False, False]


def test_only_a_sample_of_a_large_lesson_is_asked_about_and_it_is_one_of_all_kinds(monkeypatch):
    monkeypatch.setattr(in_scope, "SAMPLE", 20)
    asked = []

    def counting(prompts):
        asked.extend(prompts)
        return surprised(prompts)

    lesson = [(1, 2, word) for word in range(500)]
    ScopeClassifier.begun(prompts(range(0, 30), 50, 0)).with_lesson(lesson, counting)
    words = [prompt[-1] for prompt in asked]
    assert len(words) == 20 and min(words) < 100 and max(words) > 400


def test_every_order_of_lessons_counts_the_same():
    start = ScopeClassifier.begun(prompts(range(0, 30), 50, 0))
    lessons = [prompts(range(30, 50), 50, 1), prompts(range(40, 60), 30, 2), prompts(range(30, 60), 40, 3)]
    forth, back = start, start
    for one, other in zip(lessons, reversed(lessons), strict=True):
        forth, back = taught(forth, one), taught(back, other)
    kept, other = forth.lessons.tensors("lessons"), back.lessons.tensors("lessons")
    assert kept.keys() == other.keys()
    assert all(torch.equal(kept[name], other[name]) for name in kept)
    assert forth.enough == pytest.approx(back.enough, rel=0.2)


def test_of_a_large_lesson_the_most_frequent_runs_are_kept(monkeypatch):
    monkeypatch.setattr(in_scope, "OFTENEST", 3)
    classifier = taught(ScopeClassifier.begun([(9, 9)]), [(1, 2), (1, 2, 5), (3, 4), (3, 4, 6), (7, 8)])
    assert list(classifier.lessons.counts.values()) == [2, 2, 2]
    begun = ScopeClassifier.begun([(word, word + 1) for word in range(0, 40, 2)])
    assert len(begun.others.counts) == 12, "of all else four times as many"


def test_no_share_is_above_one_where_a_runs_beginning_was_cut_off():
    runs = in_scope._runs((1, 2))[1]
    assert in_scope.Side({runs[1]: 500}, 10, frozenset()).expected(runs, 1.0, own=False) <= 1.0


def test_what_is_kept_is_the_same_again():
    start = ScopeClassifier.begun(prompts(range(0, 30), 50, 0))
    classifier = taught(start, prompts(range(20, 50), 50, 1))
    asked = seen(prompts(range(0, 50), 60, 2))
    again = ScopeClassifier.of(classifier.tensors())
    assert again.inside(asked, LEAST) == classifier.inside(asked, LEAST)
    assert 0 < sum(again.inside(asked, LEAST)) < 60
    assert all(torch.equal(one, again.tensors()[name]) for name, one in classifier.tensors().items())
    assert ScopeClassifier.of(start.tensors()).inside(asked, LEAST) == [False] * 60


@pytest.mark.parametrize("count", [1, 2, 5, 10])
def test_few_lessons_are_known_again_and_all_else_is_not(count):
    """Lessons of one wording each, with a name of their own; others are asked in words of which some are the same."""
    words = (1, 2, 3)
    lesson = [(*words, 100 + number, 200 + number) for number in range(count)]
    classifier = taught(ScopeClassifier.begun(prompts(range(0, 30), 100, 0)), lesson)
    assert classifier.inside(seen(lesson), LEAST) == [True] * count
    assert sum(classifier.inside(seen(prompts(range(0, 60), 40, 1)), LEAST)) <= 2


def test_what_is_taught_again_is_counted_once():
    start = ScopeClassifier.begun(prompts(range(0, 30), 50, 0))
    lesson = prompts(range(30, 50), 20, 1)
    once = taught(start, lesson)
    assert taught(once, lesson).lessons == once.lessons
    more = taught(once, [*lesson, (31, 32)])
    assert len(more.lessons.numbers) == 21 and more.lessons.tokens == once.lessons.tokens + 2


def test_what_all_requests_have_tells_nothing():
    classifier = taught(ScopeClassifier.begun([(1, 2, 9, 8), (1, 2, 7, 6)]), [(1, 2, 30)])
    assert float(classifier.evidence(seen([(1, 2)]))) == 0.0
    # of (1, 2, 30) one token is left, by which the sum is divided
    share, weight = (1 / 3 + 0.01) / 2, in_scope.CONCENTRATION
    inside = (1 + weight * (1 + weight * share) / (1 + weight)) / (1 + weight)
    outside = 0.01 / 2 * (weight / (2 + weight)) ** 2
    assert float(classifier.evidence(seen([(1, 2, 30)]))) == pytest.approx(math.log(inside / outside))


def test_nothing_and_what_asks_nothing_change_nothing():
    start = ScopeClassifier.begun(prompts(range(0, 30), 50, 0))
    assert taught(start, []) is start and taught(start, [(1,)]) is start
    assert taught(start, [(1, 2)]).inside(Seen((), ()), LEAST) == start.inside(Seen((), ()), LEAST) == []


def test_what_the_start_model_takes_for_impossible_has_a_bound():
    classifier = taught(ScopeClassifier.begun(prompts(range(0, 30), 50, 0)), [(40, 41), (40, 42)])
    evidence = classifier.evidence(Seen(((40, 41), (40, 41)), (torch.tensor([50.0]), torch.tensor([5000.0]))))
    assert evidence.isfinite().all() and evidence[0] == evidence[1]


def test_nats_are_what_the_network_says_of_each_prompt_alone(tiny):
    asked = [prompts(range(2, 250), 1, seed)[0][:size] for seed, size in enumerate((2, 4, 6, 6))]
    for prompt, found_T in zip(asked, nats(tiny, asked), strict=True):
        with torch.inference_mode():
            said_TV = tiny.network(input_ids=torch.tensor([prompt])).logits[0].float().log_softmax(-1)
        wanted = [-float(said_TV[at, token]) for at, token in enumerate(prompt[1:])]
        assert found_T.tolist() == pytest.approx(wanted, abs=0.05)
