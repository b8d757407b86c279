"""A finished grid, or made-up cases, in; what a report says of them out."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from everlearn.bench import board as board_module
from everlearn.bench.board import board_of, cases_of, chosen_board, stream_cases, validity, without
from everlearn.bench.contrast import KEPT, contrast
from everlearn.bench.grid import SALT, Cell, Grid, open_grid, read_grid
from everlearn.bench.recording import Salt
from everlearn.bench.report.scoring import score
from everlearn.bench.request import resolve
from everlearn.desiderata.contract import Asked, Case, Moment, Reply, Trial
from everlearn.errors import SettingsError, StoreError
from everlearn.records import decode

from .conftest import examine_all, learn_all, quick

A, B = "a", "b"


def asked(name: str, stage: int, family: str = "facts", axis: str = "atom") -> Asked:
    return Asked(name, family, "direct", axis, (stage,), name, 0.0)


def moment(stage: int, right: str, wrong: str = "") -> Moment:
    replies = [Reply(name, True, 0.1) for name in right.split()] + [Reply(name, False, 2.0) for name in wrong.split()]
    return Moment(stage, replies=tuple(replies))


def case(method: str, moments: tuple[Moment, ...], probes: tuple[Asked, ...], stream: int = 1, **more) -> Case:
    families = {1: "facts", 2: "rules", 3: "facts"}
    base = more.pop("base", moment(0, "", " ".join(probe.id for probe in probes)))
    return Case(Trial(method, stream, moments), probes, 3, 100, base, families=families, **more)


# --- from a folder ------------------------------------------------------------------------------------------


def test_cases_have_all_references_of_their_stream(examined):
    cases = cases_of(examined)
    assert [one.trial.method for one in cases] == ["finetune", "replay"]
    for one in cases:
        assert one.stages == 2
        assert one.base.stage == 0
        assert one.joint.last.stage == one.context.last.stage == 2
        assert [found.stage for found in one.solo.moments] == [1, 2]
        assert one.families == {1: "letters", 2: "letters"}
        assert one.reading_tokens


def test_facts_name_the_answers_and_the_salts_by_their_digests(examined):
    facts = board_of(examined).facts
    assert facts.command == "everlearn bench run"
    total = hashlib.sha256()
    for cell in examined.cells():
        total.update((examined.path(cell) / "answers.jsonl").read_bytes())
    assert facts.answers == total.hexdigest()
    salt = decode(Salt, (examined.stream_path(1) / SALT).read_bytes()).salt
    assert facts.salts == {1: hashlib.sha256(salt.encode()).hexdigest()}
    assert facts.started <= facts.ended


def test_on_one_stream_nothing_is_compared(examined):
    assert board_of(examined).comparisons == ()


def test_a_stream_without_a_finished_method_shows_its_base(examined, grid):
    assert stream_cases(grid, 1) == []
    for name in ("base",):
        source, target = examined.path(Cell(name, 1)), grid.path(Cell(name, 1))
        target.mkdir(parents=True)
        for path in source.iterdir():
            (target / path.name).write_bytes(path.read_bytes())
    grid.stream_path(1).mkdir(parents=True)
    probes = examined.stream_path(1) / "probes.jsonl"
    (grid.stream_path(1) / "probes.jsonl").write_bytes(probes.read_bytes())
    (one,) = stream_cases(grid, 1)
    assert (one.trial.method, one.trial.last.stage, one.base.stage) == ("base", 2, 0)
    board = board_of(grid)
    assert board.notes == ("1 of 1 streams not finished: joint, solo, context, finetune, replay",)


def test_unknown_arms_are_named(examined, grid):
    with pytest.raises(SettingsError, match="no stream of 'replai' is finished"):
        chosen_board(examined, ("replai", "finetune"))
    with pytest.raises(SettingsError, match="base is a reference"):
        chosen_board(examined, ("finetune", "base"))
    with pytest.raises(SettingsError, match="no stream of 'replay' is finished") as error:
        chosen_board(grid, ("replay", "finetune"))
    assert error.value.hint == "run the grid to its end"


def test_a_method_is_not_compared_with_itself(examined):
    with pytest.raises(SettingsError, match="replay against itself"):
        chosen_board(examined, ("replay", "replay"))


def test_a_cell_that_was_learnt_again_after_the_draw_is_noted(examined, tmp_path):
    shutil.copytree(examined.folder, tmp_path / "grid")
    grid = read_grid(tmp_path / "grid")
    assert not any("when the probes were drawn" in note for note in board_of(grid, compared=False).notes)
    path = grid.path(Cell("replay", 1)) / "learnt.json"
    path.write_bytes(path.read_bytes() + b" ")
    late = [note for note in board_of(grid, compared=False).notes if "when the probes were drawn" in note]
    assert [note.split(":")[0] for note in late] == ["replay, stream 1"]


@pytest.mark.parametrize("file", ["cells/replay/1/examined.json", "streams/1/salt.json"])
def test_an_empty_file_is_named(examined, tmp_path, file):
    shutil.copytree(examined.folder, tmp_path / "grid")
    (tmp_path / "grid" / file).write_bytes(b"")
    with pytest.raises(StoreError, match=f"{file} is damaged"):
        board_of(read_grid(tmp_path / "grid"), compared=False)


def test_a_report_loads_no_model(examined):
    script = (
        "import sys; from pathlib import Path; from everlearn.bench.board import board_of; "
        "from everlearn.bench.grid import read_grid; board_of(read_grid(Path(sys.argv[1]))); "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, str(examined.folder)], check=True)


# --- validity -----------------------------------------------------------------------------------------------

PROBES = (asked("f1", 1), asked("f2", 1), asked("f3", 3), asked("f4", 3), asked("f5", 3), asked("r1", 2, "rules"))


def joint(right: str, wrong: str = "") -> Trial:
    return Trial("joint", 1, (moment(3, right, wrong),))


def test_a_family_that_joint_training_learns_is_valid():
    one = case("replay", (moment(3, "f1"),), PROBES, joint=joint("f1 f2 f3 f4 r1", "f5"))
    facts, rules = validity([one])
    assert (facts.family, facts.base, facts.joint, facts.right, facts.valid) == ("facts", 0.0, 0.8, 0.8, True)
    assert rules.valid


def test_a_family_that_joint_training_does_not_learn_is_not():
    facts, rules = validity([case("replay", (moment(3, "f1"),), PROBES, joint=joint("f1 f2 f3 r1", "f4 f5"))])
    assert not facts.valid
    assert "knows 0.60 of them" in facts.note
    assert rules.valid


def test_a_family_that_the_base_knows_already_is_not():
    base = moment(0, "f1 f2 f3 f4 f5", "r1")
    facts, rules = validity([case("replay", (moment(3, ""),), PROBES, joint=joint("f1 f2 f3 f4 f5 r1"), base=base)])
    assert not facts.valid
    assert rules.valid


def test_it_is_judged_on_the_mean_over_streams_once_each():
    weak, strong = joint("f1 f2 f3 r1", "f4 f5"), joint("f1 f2 f3 f4 f5 r1")
    cases = [case(name, (moment(3, ""),), PROBES, 1, joint=weak) for name in "abc"]
    cases.append(case("a", (moment(3, ""),), PROBES, 2, joint=replace(strong, stream=2)))
    facts, _ = validity(cases)
    assert facts.right == pytest.approx(0.8)


def test_what_is_left_out_is_left_out_of_the_probes():
    general = replace(asked("g", 1), axis="general", stages=())
    one = case("replay", (moment(3, "f1"),), (*PROBES, general))
    assert [probe.id for probe in without({"facts"}, one).probes] == ["r1", "g"]


# --- two methods --------------------------------------------------------------------------------------------


def two(stream: int, a_last: str, b_last: str, a_then: str = "f1 f2", b_then: str = "f1 f2") -> list[Case]:
    names = {probe.id for probe in PROBES}

    def trial(right_then: str, right_last: str) -> tuple[Moment, ...]:
        return tuple(
            moment(stage, right, " ".join(sorted(names - set(right.split()))))
            for stage, right in ((1, right_then), (2, "r1"), (3, right_last))
        )

    return [
        case(A, trial(a_then, a_last), PROBES, stream),
        case(B, trial(b_then, b_last), PROBES, stream),
    ]


def by_axis(cases):
    return {verdict.axis: verdict for verdict in contrast(cases, A, B)}


def test_a_difference_is_taken_after_the_whole_stream_over_things_and_streams():
    cases = [*two(1, "f1 f2 f3", "f1"), *two(2, "f1", "f1")]
    verdict = by_axis(cases)["atom"]
    assert verdict.difference == pytest.approx((2 / 6 + 0) / 2)
    assert (verdict.streams, verdict.probes) == (2, 12)


def test_at_matched_new_task_score_only_what_both_had_learnt_counts():
    """A never learnt f2, so that only B could forget it: it does not count."""
    cases = [*two(1, "f1 r1", "r1", a_then="f1"), *two(2, "f1 r1", "r1", a_then="f1")]
    verdict = by_axis(cases)[KEPT]
    assert verdict.probes == 4  # f1 and r1 of each stream; the last stage has nothing after it
    assert verdict.difference == pytest.approx(0.5)  # f1 is kept by A alone, r1 by both


def test_the_sign_is_that_of_a_minus_b():
    cases = [*two(1, "", "f1 f2"), *two(2, "", "f1 f2")]
    assert by_axis(cases)["atom"].difference == pytest.approx(-1 / 3)


def test_a_sure_difference_over_many_streams_is_said_plainly():
    cases = [one for stream in range(1, 7) for one in two(stream, "f1 f2 f3 f4 f5 r1", "")]
    assert by_axis(cases)["atom"].words == "A is better"
    same = [one for stream in range(1, 7) for one in two(stream, "f1", "f1")]
    assert by_axis(same)["atom"].words == "not enough evidence"


def test_only_streams_that_both_have_finished_are_compared():
    cases = [*two(1, "f1", ""), two(2, "f1", "")[0]]
    assert by_axis(cases)["atom"].streams == 1


def test_joint_training_under_another_name_is_a_reference_and_no_rival(tmp_path, wish):
    methods = ("replay", "finetune", "mild=joint")
    grid = open_grid(tmp_path, resolve(replace(wish, methods=methods, references=False, settings=quick("mild")))).grid
    learn_all(grid)
    examine_all(grid)
    board = board_of(grid)
    rows = {row.method: row.reference for row in score(board, {})}
    assert rows == {"replay": False, "finetune": False, "mild": True, "base": True}
    assert board_module._pairs(grid, board.cases) == [("finetune", "replay")]


def test_arms_that_lack_as_many_streams_are_named_together(examined, monkeypatch):
    request = replace(examined.request, seeds=(1, 2))
    lacking = {Cell("finetune", 1), Cell("finetune", 2), Cell("replay", 2), Cell("solo", 1)}
    grid = replace(examined, request=request)
    monkeypatch.setattr(Grid, "is_finished", lambda self, cell: cell not in lacking)
    assert board_module._missing(grid) == [
        "1 of 2 streams not finished: solo, replay",
        "2 of 2 streams not finished: finetune",
    ]
