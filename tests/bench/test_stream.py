"""A plan and a seed in; stages in a balanced order and probes of them out."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from everlearn.bench.stream import Plan, Stream, StreamStage, generate, without_boundaries
from everlearn.errors import PluginError, SettingsError
from everlearn.grade import Reply, check
from everlearn.streams.contract import tell

from .conftest import LETTERS

SMALL = Plan(("facts", "operators", "rules", "classes"), rounds=3, scale=0.2, per_kind=2)


def families(stream):
    return [stage.family for stage in stream.stages]


def rows(stages):
    return Counter(str(example) for stage in stages for example in stage.examples)


def test_each_round_has_one_lesson_of_every_world():
    order = families(generate(SMALL, 1))
    assert len(order) == SMALL.stages == 12
    for begin in (0, 4, 8):
        assert sorted(order[begin : begin + 4]) == sorted(SMALL.families)


@pytest.mark.parametrize("count", [2, 3, 4, 6, 7])
def test_lessons_of_a_world_lie_two_stages_apart_at_least(count):
    plan = Plan(("facts", "library", "operators", "rules", "classes", "language", "trust")[:count], 3, 0.1)
    order = families(generate(plan, 1))
    for name in plan.families:
        places = [place for place, found in enumerate(order) if found == name]
        assert min(later - earlier for earlier, later in itertools.pairwise(places)) >= 2


def test_over_the_seeds_each_family_stands_equally_often_at_each_place():
    streams = [generate(SMALL, seed) for seed in range(1, 5)]
    for place in range(12):
        assert sorted(families(stream)[place] for stream in streams) == sorted(SMALL.families)


def test_three_streams_of_three_families_see_all_seven():
    plan = Plan(tuple("abcdefg"), 2, together=3)
    assert set().union(*(plan.chosen(seed) for seed in (1, 2, 3))) == set("abcdefg")
    assert Counter(name for seed in range(7) for name in plan.chosen(seed)) == dict.fromkeys("abcdefg", 3)
    assert all(len(plan.chosen(seed)) == 3 for seed in range(7))
    assert plan.stages == 6


def test_six_of_seven_are_left_out_in_turn():
    plan = Plan(tuple("abcdefg"), 2, together=6)
    left_out = [set("abcdefg") - set(plan.chosen(seed)) for seed in range(7)]
    assert set().union(*left_out) == set("abcdefg")


def test_a_seed_makes_the_same_stream_again_and_another_seed_another_one():
    one, again, other = generate(SMALL, 1), generate(SMALL, 1), generate(SMALL, 2)
    assert one.stages == again.stages
    assert one.probes("salt") == again.probes("salt")
    assert not (rows(one.stages) & rows(other.stages))


def test_probes_depend_on_the_salt_and_lessons_do_not():
    stream = generate(SMALL, 1)
    assert {posed.asked.id for posed in stream.probes("a")} != {posed.asked.id for posed in stream.probes("b")}


def test_a_probe_names_the_stages_that_taught_its_operands():
    stream = generate(Plan((LETTERS, "rules"), 3, 0.4), 5)
    pairs = [posed.asked for posed in stream.probes("s") if posed.asked.kind == "pair"]
    places = [number for number, name in enumerate(families(stream), start=1) if name == "letters"]
    assert pairs
    for asked in pairs:
        assert asked.stages == (places[0], places[2])
        assert asked.stage == places[2]


def test_every_probe_is_taught_by_the_stages_it_names():
    stream = generate(Plan((LETTERS,), 3, 0.4), 5)
    for posed in stream.probes("s"):
        if posed.asked.axis == "atom":
            (stage,) = posed.asked.stages
            assert any(posed.asked.key in str(example) for example in stream.stages[stage - 1].examples)


@pytest.mark.parametrize("name", ["library", "rules", "classes", "language"])
def test_of_graded_probes_scores_have_the_reply_and_the_question_has_the_check(name):
    graded = [one for one in generate(Plan((name,), 2, 0.4), 1).probes("s") if one.question.grade != "exact"]
    assert graded
    for one in graded:
        said, argument = one.asked.gold, one.question.gold[0]
        assert said != argument
        assert check(one.question.grade, argument, Reply(said, True, len(said))), one


def test_of_other_probes_both_have_the_same_answer():
    exact = [one for one in generate(SMALL, 1).probes("s") if one.question.grade == "exact"]
    assert exact
    assert all(one.question.gold == (one.asked.gold,) for one in exact)


def test_no_probe_comes_twice():
    found = [posed.asked.id for posed in generate(SMALL, 1).probes("s")]
    assert len(found) == len(set(found))


def test_without_boundaries_the_same_rows_come_in_pieces_of_one_size():
    stream = generate(SMALL, 1)
    pieces = without_boundaries(stream)
    sizes = [len(piece.examples) for piece in pieces.stages]
    stages = [len(stage.examples) for stage in stream.stages]
    assert rows(pieces.stages) == rows(stream.stages)
    assert sum(sizes) == sum(stages)
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= min(stages)
    assert len(set(stages)) > 1, "else this shows nothing"
    assert pieces.count == stream.count == len(stages)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_stage_ends_with_the_first_piece_by_whose_end_all_its_rows_have_come(seed):
    stream = generate(SMALL, seed)
    pieces = without_boundaries(stream)
    seen, done = Counter(), []
    for piece, ends in zip(pieces.stages, pieces.ends, strict=True):
        seen += rows([piece])
        complete = [n for n, stage in enumerate(stream.stages, start=1) if rows([stage]) <= seen]
        assert [n for n in complete if n not in done] == list(ends)
        assert len(ends) <= 1
        done = complete
    assert done == list(range(1, len(stream.stages) + 1))


def sized(*sizes):
    """A stream whose stages have so many rows, all different."""
    numbers = iter(range(sum(sizes)))
    stages = [StreamStage("x", tuple(tell(str(next(numbers))) for _ in range(size))) for size in sizes]
    return Stream(1, tuple(stages), lambda salt: ())


def test_pieces_of_stages_of_one_size_do_not_end_where_stages_do():
    # 24 rows, pieces of 6 at most: edges 6, 12, 18, 24, where stages end at 8, 16, 24
    found = without_boundaries(sized(8, 8, 8))
    assert [len(piece.examples) for piece in found.stages] == [6, 6, 6, 6]
    assert found.ends == ((), (1,), (2,), (3,))


def test_a_tiny_stage_ends_together_with_another_one():
    # 42 rows, 6 pieces of 7: stages end at 20, 22 and 42
    found = without_boundaries(sized(20, 1, 21))
    assert found.ends == ((), (), (1, 2), (), (), (3,))
    assert found.count == 3


def test_words_that_the_base_knows_are_not_taught():
    plan = Plan((LETTERS,), 2, 0.4)
    words = {posed.asked.key for posed in generate(plan, 5).probes("s") if posed.asked.axis == "atom"}
    again = generate(Plan((LETTERS,), 2, 0.4, taken=tuple(sorted(words))), 5)
    assert not words & {posed.asked.key for posed in again.probes("s")}


def test_a_stream_takes_longer_words_where_the_shorter_ones_are_too_few():
    from everlearn.bench.tiers import FAMILIES

    def lengths(stream):
        asked = [one.asked for one in stream.probes("s") if (one.asked.family, one.asked.axis) == ("facts", "atom")]
        return {len(one.key.rpartition(":")[2]) for one in asked}

    few, many = generate(Plan(FAMILIES, rounds=2, scale=0.2), 1), generate(Plan(FAMILIES, rounds=12), 1)
    assert len(many.stages) == 84
    assert lengths(few) == {6}
    assert lengths(many) == {8}


def test_words_that_run_out_are_an_error_that_names_the_rounds(monkeypatch):
    monkeypatch.setattr("everlearn.bench.stream.SYLLABLES", (1,))
    with pytest.raises(SettingsError, match="too few for 9 rounds"):
        generate(Plan((LETTERS,), rounds=9, syllables=1), 1)


def test_an_unknown_family_is_named():
    with pytest.raises(PluginError, match="there is no family of streams called 'fact'"):
        generate(Plan(("fact",), 1), 1)
