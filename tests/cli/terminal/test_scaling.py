"""`bench scale` in; its tables, files, estimate and exit codes out."""

from __future__ import annotations

import csv

import pytest
import torch

from bench.conftest import LETTERS, examine_all, learn_all, quick
from everlearn.bench.claims import fail, take
from everlearn.bench.launch import state_of
from everlearn.bench.recording import Failure
from everlearn.bench.statistics import Interval
from everlearn.cli.terminal.growths import CELL, _cell
from everlearn.errors import EverlearnError
from everlearn.store.lock import WriteLock


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """The work is done in this process."""
    torch.set_num_threads(1)

    def launch(grid, jobs, ray, watch):
        if state_of(grid).finished == 0:
            learn_all(grid)
            examine_all(grid)
        watch(state_of(grid))
        return state_of(grid)

    monkeypatch.setattr("everlearn.bench.launch.launch", launch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where all tests that do not change anything go."""
    return tmp_path_factory.mktemp("scale") / "done"


@pytest.fixture
def command(tiny_folder) -> list[str]:
    settings = [word for key, value in quick("finetune") for word in ("--set", f"{key}={value}")]
    model = ["--tier", "smoke", "--model", str(tiny_folder)]
    given = ["--methods", "finetune", "--families", LETTERS, "--counts", "2,4", "--streams", "2", "--jobs", "1"]
    return ["bench", "scale", *model, *given, *settings]


def test_scores_stand_against_the_number_of_things(call, command, folder):
    outcome = call(*command, "--folder", str(folder))
    assert outcome.code == 0
    assert "letters-4" in {path.name for path in folder.iterdir()}
    assert "8 cells: 4 arms × 2 streams" in outcome.err
    assert "letters: 2, 4 things in 1, 1 stages; atom probes are about 2, 2 of them" in outcome.out
    for word in ("accuracy", "shadow rate", "context tokens", "all notes", "per doubling", "finetune", "joint"):
        assert word in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80
    again = call(*command, "--folder", str(folder))
    assert "8 finished already" in again.err
    assert again.out == outcome.out


def test_json_has_every_point(call, command, folder):
    found = call(*command, "--folder", str(folder), "--json").json
    assert [(grid["family"], grid["things"], grid["asked"]) for grid in found["grids"]] == [
        ("letters", 2, 2),
        ("letters", 4, 2),
    ]
    by_name = {(one["arm"], one["score"]): one for one in found["growths"]}
    points = by_name["finetune", "accuracy"]["points"]
    assert [(point["things"], point["streams"]) for point in points] == [(2, 2), (4, 2)]
    assert by_name["context", "all notes"]["per_doubling"]["mean"] > 0
    assert any(note.startswith("letters-4: ") for note in found["notes"])


def test_a_page_and_tables_are_written(call, command, folder, tmp_path):
    outcome = call(*command, "--folder", str(folder), "--html", str(tmp_path / "r.html"), "--csv", str(tmp_path))
    assert f"written: {tmp_path / 'r.html'}" in outcome.err
    assert "accuracy against things learnt, letters" in (tmp_path / "r.html").read_text(encoding="utf-8")
    with (tmp_path / "curves.csv").open(encoding="utf-8") as file:
        assert {row["across"] for row in csv.DictReader(file)} == {"2", "4"}
    assert (tmp_path / "slopes.csv").read_text(encoding="utf-8").startswith("family,method,score,per doubling")


def test_a_plan_is_shown_and_nothing_is_stored(call, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = call(*command, "--plan")
    assert outcome.code == 0
    assert "letters-2" in outcome.out
    assert "8 of 8" in outcome.out
    assert "nothing was trained and nothing was stored" in " ".join(outcome.out.split())
    assert list(tmp_path.iterdir()) == []
    assert call(*command, "--plan", "--json").json["letters-4"]["cells"] == 8


def test_a_plan_makes_no_warm_up_and_a_run_may_leave_it_out(call, command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    command[command.index("smoke")] = "any"

    def warmed(*given):
        raise EverlearnError("warmed up")

    monkeypatch.setattr("everlearn.bench.warmup.warmed", warmed)
    assert call(*command, "--plan").code == 0
    assert "error: warmed up" in call(*command).err
    assert call(*command, "--no-warmup", "--plan").code == 0


def test_what_has_failed_is_named_and_the_rest_is_shown(call, command, tmp_path, monkeypatch):
    def broken(grid, jobs, ray, watch):
        job = take(grid, "w", None)
        fail(grid, job, Failure("learning", "the loss is nan", "try a smaller learning_rate"))
        return state_of(grid)

    monkeypatch.setattr("everlearn.bench.launch.launch", broken)
    outcome = call(*command, "--folder", str(tmp_path / "new"))
    assert outcome.code == 1
    assert "failed: letters-2, joint, stream 1, learning: the loss is nan (try a smaller learning_rate)" in outcome.err
    assert "failed: letters-4" in outcome.err
    assert "nothing is finished yet" in outcome.out


def test_another_request_in_the_same_folder_is_refused(call, command, folder):
    call(*command, "--folder", str(folder))
    outcome = call(*command, "--folder", str(folder), "--set", "finetune.epochs=2")
    assert outcome.code == 1
    assert "letters-2 holds another benchmark: arms.finetune.epochs" in outcome.err
    outcome = call(*command, "--folder", str(folder), "--set", "finetune.epochs=2", "--plan")
    assert "letters-2 holds another benchmark: arms.finetune.epochs" in outcome.err


def test_a_run_that_is_refused_changes_no_request(call, command, folder):
    call(*command, "--folder", str(folder))
    before = [(folder / name / "grid.json").read_bytes() for name in ("letters-2", "letters-4")]
    with WriteLock(folder / "letters-4" / "lock").held():
        outcome = call(*command, "--folder", str(folder), "--streams", "3")
    assert "letters-4: another run is at work in this folder" in outcome.err
    assert before == [(folder / name / "grid.json").read_bytes() for name in ("letters-2", "letters-4")]


def test_wrong_calls_are_explained(call, command, usage_error, tmp_path):
    assert "required: --families" in usage_error("bench", "scale", "--methods", "replay")
    assert "is not above zero" in usage_error("bench", "scale", "--methods", "a", "--families", "b", "--counts", "0")
    outcome = call(*command, "--counts", "4,30,101", "--folder", str(tmp_path / "new"))
    assert outcome.code == 1
    assert "error: 4, 30, 101 things of letters cannot be cut into lessons of one size" in outcome.err
    assert not (tmp_path / "new").exists()


def test_a_mean_with_its_interval_fits_its_column():
    assert _cell(Interval(-0.25, -1.0, 0.5, 2), "", wide=True) == "−0.25 ±.75"
    assert _cell(Interval(-0.25, -1.0, 0.5, 2), "", wide=False) == "−0.25"
    assert _cell(None, "", wide=True) == "·"
    assert len(_cell(Interval(-0.25, -1.0, 0.5, 2), "", wide=True)) <= CELL
