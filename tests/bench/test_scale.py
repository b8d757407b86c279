"""Numbers of things in; grids that ask about the same first things, and how scores grow, out."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace

import pytest

from bench.conftest import LETTERS, examine_all, learn_all, quick
from everlearn.bench import stream as streams
from everlearn.bench.forecast import forecast
from everlearn.bench.grid import Cell, open_grid
from everlearn.bench.growth import board_of_ladder, curves_of, figures, grown, growths
from everlearn.bench.recording import Learning, Learnt, read_learning, read_stream, read_trial
from everlearn.bench.report.page import write_page
from everlearn.bench.report.slopes import write_slopes
from everlearn.bench.scaling import Ladder, lesson_size, notes_of, rungs_of
from everlearn.bench.source import stream_of
from everlearn.bench.stream import Plan, generate
from everlearn.desiderata.contract import Asked, Case, Moment, Reply, Trial
from everlearn.errors import SettingsError
from everlearn.model.language_model import LanguageModel
from everlearn.records import Cost

SHORT = """
from everlearn.nonce import Lexicon
from everlearn.streams.contract import Family, Lesson, World, ask

class Short(Family):
    items = 4
    def world(self, lexicon, seed, lessons, items):
        words = lexicon.some(3)  # never more than three a lesson
        lesson = Lesson(tuple(ask(word, "a") for word in words), tuple(words))
        return World(lessons=(lesson,) * lessons)
"""


@pytest.fixture(scope="module")
def ladder(tiny_folder):
    """Five things in one lesson; twenty in two."""
    return Ladder("smoke", ("finetune",), (LETTERS,), (20, 5), 2, str(tiny_folder), quick("finetune"))


@pytest.fixture(scope="module")
def climbed(tmp_path_factory, ladder):
    """All of it learnt and examined, in this process; not to be changed."""
    rungs = rungs_of(ladder, tmp_path_factory.mktemp("scale"))
    kept = {}
    for rung in rungs:
        grid = open_grid(rung.grid.folder, rung.grid.request).grid
        learn_all(grid)
        kept[rung.count] = sorted(path.name for path in grid.path(Cell("finetune", 1)).glob("*.safetensors"))
        examine_all(grid)
    return rungs, kept


def operators(tiny_folder, *counts):
    return rungs_of(Ladder("lab", ("finetune",), ("operators",), counts, 1, str(tiny_folder)), tiny_folder / "none")


# --- grids --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usual", "counts", "size"),
    [
        (8, (4, 16, 64, 256), 8),
        (28, (10, 100, 1000, 3000), 25),
        (4, (4, 16, 64, 256), 4),
        (24, (64, 256), 16),  # 32 is as near and larger
        (10, (5, 20), 10),
        (8, (3,), 8),
    ],
)
def test_all_larger_numbers_are_whole_lessons_of_one_size(usual, counts, size):
    assert lesson_size("f", usual, counts) == size


def test_numbers_without_such_a_size_are_refused():
    with pytest.raises(SettingsError, match="4, 13, 100 things of f cannot be cut"):
        lesson_size("f", 8, (4, 13, 100))


def test_each_number_has_a_grid_of_its_own(ladder, tmp_path):
    few, many = rungs_of(ladder, tmp_path / "dir")
    assert not (tmp_path / "dir").exists()
    assert (few.name, many.name, many.grid.folder) == ("letters-5", "letters-20", tmp_path / "dir" / "letters-20")
    for rung, things in ((few, [5]), (many, [10, 10])):
        assert [arm.name for arm in rung.grid.request.arms] == ["base", "joint", "context", "finetune"]
        assert [len(stage.notes) for stage in stream_of(rung.grid, 1).stages] == things
    assert notes_of((few, many)) == (
        "letters: probes are about the first 10 things at most; 5 are fewer than that",
    )  # one lesson of ten: two would be more than sixteen


def test_what_is_asked_is_part_of_the_request(ladder, tmp_path):
    _, many = rungs_of(ladder, tmp_path)
    open_grid(many.grid.folder, many.grid.request)
    plan = json.loads((many.grid.folder / "grid.json").read_bytes())["request"]["plan"]
    assert (plan["asked"], plan["probed"], plan["rounds"], plan["scale"]) == ("end", 1, 2, 1.0)
    wanted = replace(many.grid.request, plan=replace(many.grid.request.plan, asked="always"))
    with pytest.raises(SettingsError, match=r"plan\.asked differ"):
        open_grid(many.grid.folder, wanted)


def test_as_many_probes_of_the_same_things_whatever_the_number(tiny_folder):
    found = {}
    for rung in operators(tiny_folder, 4, 16, 64):
        stream = stream_of(rung.grid, 1)
        atoms = [one.asked for one in stream.probes("salt") if one.asked.kind in ("unseen", "cued", "uncued", "longer")]
        assert max(asked.stage for asked in atoms) <= 2
        found[rung.count] = (stream.stages[0].notes, len(atoms), {asked.key for asked in atoms})
    assert found[16][0] == found[64][0], "the first lesson teaches the same things"
    assert abs(found[64][1] - found[16][1]) <= 8, "but for atoms that some composition names"
    assert len(found[4][2]) == 4
    assert len(found[64][2] & found[16][2]) >= 6, (
        "half of 16 are redefined in the end, and two others in the short stream"
    )
    taught = {word for note in stream.stages[0].notes + stream.stages[1].notes for word in re.findall(r"\w+", note)}
    assert {key.removeprefix("operators:") for key in found[64][2]} <= taught


def test_without_a_limit_all_lessons_are_asked_about():
    plan = Plan((LETTERS,), rounds=3, scale=0.4)
    assert {one.asked.stage for one in generate(plan, 1).probes("s")} == {1, 2, 3}
    assert {one.asked.stage for one in generate(replace(plan, probed=2), 1).probes("s")} == {1, 2}


def test_longer_words_are_taken_at_every_number_and_it_is_said(tiny_folder, monkeypatch):
    assert {rung.grid.request.plan.syllables for rung in operators(tiny_folder, 4, 16)} == {3}
    monkeypatch.setattr(streams, "ENOUGH", 20)
    rungs = operators(tiny_folder, 4, 16)
    assert [rung.grid.request.plan.syllables for rung in rungs] == [4, 4]
    assert "4 syllables at every size, as those of 3 are too few for 16 things" in notes_of(rungs)[0]
    names = {key for one in stream_of(rungs[0].grid, 1).probes("s") for key in [one.asked.key.split(":")[1]]}
    assert all(len(name) == 8 for name in names if "+" not in name)


def test_a_family_that_cannot_make_so_many_says_so(tiny_folder, tmp_path):
    with pytest.raises(SettingsError, match=r"language cannot make 1,024 things: .*more than there are glosses"):
        rungs_of(Ladder("lab", ("finetune",), ("language",), (1024,), 1, str(tiny_folder)), tmp_path)
    path = tmp_path / "short.py"
    path.write_text(SHORT)
    with pytest.raises(SettingsError, match="short makes only 3 things where 4 were asked for"):
        rungs_of(Ladder("lab", ("finetune",), (str(path),), (4,), 1, str(tiny_folder)), tmp_path)


def test_an_arm_that_has_no_end_is_refused(ladder, tmp_path):
    with pytest.raises(SettingsError, match="solo has a model for each stage"):
        rungs_of(replace(ladder, methods=("solo",)), tmp_path)


# --- asked at the end ---------------------------------------------------------------------------------------


def test_the_cost_of_all_stages_is_that_of_the_end():
    def learnt(stage, share, flops, new):
        return Learnt(stage, share, f"w{stage}", Cost({"new": new}, flops, 1.5, 10 * stage, 7), 20 + stage, 5)

    moments = (learnt(1, 0.5, 1e3, 50), learnt(1, 1.0, 2e3, 100), learnt(2, 1.0, 3e3, 60))
    (last,) = Learning("a", 1, {}, ("full", 0, ""), moments).at_end().moments
    assert (last.stage, last.weights, last.bytes_kept) == (2, "w2", 22)
    assert last.cost == Cost({"new": 160}, 5e3, 3.0, 20, 14)


def test_only_the_end_is_kept_and_asked(climbed):
    (few, many), kept = climbed
    assert kept == {5: ["weights-1.safetensors"], 20: ["weights-2.safetensors"]}
    for rung, last in ((few, 1), (many, 2)):
        cell = Cell("finetune", 1)
        trial = read_trial(rung.grid.path(cell))
        assert [moment.stage for moment in trial.moments] == [0, last]
        probes = read_stream(rung.grid.stream_path(1)).probes
        assert set(trial.last.by_probe) == {probe.id for probe in probes}
        learning = read_learning(rung.grid.path(cell))
        assert len(learning.moments) == last
        assert trial.last.cost.flops == pytest.approx(sum(moment.cost.flops for moment in learning.moments))


def test_the_estimate_counts_one_exam(climbed):
    (few, many), _ = climbed
    for rung in (few, many):
        found = {arm.arm: arm for arm in forecast(rung.grid, 1).arms}
        assert found["finetune"].asked == found["joint"].asked == found["base"].asked
    assert forecast(many.grid, 1).probes == forecast(few.grid, 1).probes


# --- growth -------------------------------------------------------------------------------------------------


def test_means_over_streams_and_slopes_of_each_stream():
    found = grown("f", "a", "accuracy", {16: {1: 0.7, 2: 0.8}, 4: {1: 0.9, 2: 0.8}})
    assert list(found.points) == [4, 16]
    assert found.points[4].value == pytest.approx(0.85)
    # two doublings: −0.1 and 0 for each; standard deviation 0.0707, Student's t of one degree 12.706
    assert found.slope.value == pytest.approx(-0.05)
    assert found.slope.high - found.slope.value == pytest.approx(12.706 * 0.070711 / 2**0.5, rel=1e-3)


def test_a_stream_with_one_number_has_no_slope():
    found = grown("f", "a", "accuracy", {4: {1: 0.9, 2: 0.5}, 64: {1: 0.5}})
    assert (found.slope.value, found.slope.streams) == (pytest.approx(-0.1), 1)
    assert grown("f", "a", "accuracy", {4: {1: 0.9}}).slope is None


def test_figures_by_hand():
    def asked(name, axis, gold="x", chance=0.0, cue=""):
        return Asked(name, "f", "k", axis, (1,), name[0], chance, cue=cue, gold=gold, rivals=("z",))

    probes = (
        asked("a1", "atom", "x", 0.5),
        asked("b1", "atom", "y"),
        asked("c1", "composition", "z"),
        asked("d1", "atom", "w", cue="cued"),
        asked("d2", "derived", "w", cue="uncued"),
        asked("e1", "atom", "v", cue="cued"),
        asked("e2", "derived", "v", cue="uncued"),
        Asked("g", "general", "s", "general", (), "g", 0.0),
    )
    right = {"a1", "c1", "d1", "d2", "e1", "g"}
    said = {"b1": "z", "e2": "nothing"}  # of two wrong replies one is a rival's
    replies = tuple(Reply(p.id, p.id in right, 0.0, text=said.get(p.id, p.gold)) for p in probes)
    trial = Trial("m", 1, (Moment(1, replies=replies),))
    context = replace(trial, method="context")
    case = Case(trial, probes, 1, 10, Moment(0), context=context, reading_tokens={"a1": 10, "b1": 20})
    assert figures(case) == {
        "accuracy": 0.75,  # a1, d1, e1 of four; a1 is worth as much, chance taken off
        "composition": 1.0,
        "AU": 0.5,
        "shadow rate": 0.5,
        "context tokens": 0.0,
    }
    assert figures(replace(case, trial=context))["context tokens"] == 15


def test_every_arm_has_a_growth_from_what_was_recorded(climbed):
    (few, many), _ = climbed
    found = {(one.arm, one.score): one for one in growths((few, many))}
    assert {arm for arm, score in found if score == "accuracy"} == {"finetune", "base", "joint", "context"}
    assert [arm for arm, score in found if score == "context tokens"] == ["context"]
    for rung in (few, many):
        shares = []
        for seed in (1, 2):
            atoms = [probe for probe in read_stream(rung.grid.stream_path(seed)).probes if probe.axis == "atom"]
            replies = read_trial(rung.grid.path(Cell("finetune", seed))).last.by_probe
            shares.append(sum((replies[p.id].correct - 1 / 8) / (7 / 8) for p in atoms) / len(atoms))
        at = found["finetune", "accuracy"].points[rung.count]
        assert (at.value, at.streams) == (pytest.approx(sum(shares) / 2), 2)


def test_a_prompt_with_all_notes_grows_with_the_number(climbed):
    (few, many), _ = climbed
    found = {one.score: one for one in growths((few, many)) if one.arm == "context"}
    tokenizer = LanguageModel.load(few.grid.request.model).tokenizer
    for rung in (few, many):
        notes = [note for stage in stream_of(rung.grid, 1).stages for note in stage.notes]
        assert len(notes) == rung.count
        tokens = len(tokenizer.encode("\n".join((*notes, "")), add_special_tokens=False))
        assert found["all notes"].points[rung.count].value == pytest.approx(tokens)  # all words are of one length
    assert found["all notes"].slope.value > 0
    assert found["context tokens"].slope.value == pytest.approx(0)


def test_the_board_has_the_curves_and_the_largest_number(climbed, tmp_path):
    (few, many), _ = climbed
    found = growths((few, many))
    board = board_of_ladder((few, many), found)
    assert {case.stages for case in board.cases} == {2}
    assert board.curves == curves_of(found)
    curve = next(one for one in board.curves if (one.method, one.score) == ("joint", "accuracy"))
    assert (curve.size, [point.across for point in curve.points]) == ("things learnt, letters", [5, 20])
    assert board.notes[0].startswith("all but the scaling curves is of letters-20")
    page = write_page(board, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "accuracy against things learnt, letters" in page


def test_streams_of_two_families_stay_apart(climbed):
    (few, many), _ = climbed
    other = replace(many, family="others")
    board = board_of_ladder((few, many, other), growths((few, many, other)))
    seen = [(case.trial.method, case.trial.stream) for case in board.cases]
    assert len(seen) == len(set(seen)) == 4
    assert {case.joint.stream for case in board.cases} == {case.trial.stream for case in board.cases}


def test_slopes_are_a_table(tmp_path):
    found = grown("f", "a", "accuracy", {4: {1: 0.9}, 16: {1: 0.7}})
    with write_slopes([found, replace(found, slope=None)], tmp_path).open(encoding="utf-8") as file:
        one, other = csv.DictReader(file)
    assert float(one["per doubling"]) == pytest.approx(-0.1)
    assert (one["low"], one["high"], one["streams"]) == ("", "", "1"), "one stream has no interval"
    assert (other["per doubling"], other["streams"]) == ("", "0")
