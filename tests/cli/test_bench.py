"""A grid in; a leaderboard, a page, tables, comparisons and exit codes out."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pytest
import torch

from bench.conftest import LETTERS, examine_all, learn_all, quick
from everlearn.bench.board import board_of
from everlearn.bench.claims import Job, fail, take
from everlearn.bench.grid import Cell, read_grid
from everlearn.bench.launch import State
from everlearn.bench.recording import Failure
from everlearn.bench.request import Wish, resolve
from everlearn.bench.tiers import FIRST_DEV_SEED, FIRST_SEED
from everlearn.bench.tune import Trial
from everlearn.cli import bench
from everlearn.cli.terminal.running import say_failures
from everlearn.cli.terminal.standings import PlainLines, Standings
from everlearn.store.lock import BusyError, WriteLock

LONG = "a-method-with-a-rather-long-name"
METHODS = ("finetune", f"{LONG}=replay")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny_folder) -> Path:
    """A folder in which everything has been learnt and examined."""
    from everlearn.bench.grid import open_grid

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("bench") / "done"
    wish = Wish(
        "smoke",
        METHODS,
        model=str(tiny_folder),
        families=(LETTERS,),
        rounds=2,
        settings=quick("finetune", LONG),
    )
    grid = open_grid(folder, resolve(wish)).grid
    learn_all(grid)
    examine_all(grid)
    return folder


@pytest.fixture
def command(tiny_folder) -> list[str]:
    """The same request, as it is typed."""
    settings = [word for key, value in quick("finetune", LONG) for word in ("--set", f"{key}={value}")]
    methods = ",".join(METHODS)
    given = ["--tier", "smoke", "--model", str(tiny_folder), "--methods", methods, "--families", LETTERS]
    return ["bench", "run", *given, "--rounds", "2", "--streams", "1", "--jobs", "1", *settings]


def test_a_finished_grid_is_shown_and_nothing_is_run_again(call, command, finished):
    outcome = call(*command, "--folder", str(finished))
    assert outcome.code == 0
    assert "6 cells: 6 arms × 1 stream, 6 finished already" in outcome.err
    assert not (finished / "logs").exists()
    for word in ("learnt", "kept", "ACC", "JNS", "compose", "finetune", LONG, "joint", "solo", "context"):
        assert word in outcome.out.replace("\n", "")
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_json_holds_every_score_of_every_arm(call, finished):
    found = call("bench", "report", str(finished), "--json").json
    by_method = {line["method"]: line for line in found["leaderboard"]}
    assert set(by_method) == {"finetune", LONG, "base", "joint", "solo", "context"}
    assert by_method["joint"]["reference"] is True
    acc = by_method["finetune"]["scores"]["ACC"]
    assert acc["streams"] == 1
    assert (acc["low"], acc["high"]) == (None, None), "one stream proves nothing"
    assert found["facts"]["answers"]


def test_another_request_in_the_same_folder_is_refused(call, command, finished):
    outcome = call(*command, "--folder", str(finished), "--boundaries", "none")
    assert outcome.code == 1
    assert outcome.err.startswith(f"error: {finished} holds another benchmark: boundaries differ\n")
    assert "hint: ask for the same again, or take a new folder" in outcome.err


def test_a_run_that_is_refused_changes_no_request(call, command, tmp_path, monkeypatch):
    folder = tmp_path / "grid"
    monkeypatch.setattr("everlearn.bench.launch.launch", lambda *given: State(6, 2, 0, (), ()))
    call(*command, "--folder", str(folder))
    before = (folder / "grid.json").read_bytes()
    tuning = [word for word in command if word not in ("--set",) and not word.startswith((LONG, "finetune."))]
    tuning[1], tuning[tuning.index("--methods") + 1] = "tune", "finetune"
    with WriteLock(folder / "lock").held():
        for words in ([*command, "--streams", "3"], tuning):
            outcome = call(*words, "--folder", str(folder))
            assert outcome.code == 1
            assert "another run is at work in this folder" in outcome.err
            assert (folder / "grid.json").read_bytes() == before


def test_the_folder_is_held_while_it_is_worked_in(call, command, tmp_path, monkeypatch):
    folder = tmp_path / "grid"

    def launched(grid, *given):
        with pytest.raises(BusyError), WriteLock(folder / "lock").held():
            pass
        return State(6, 2, 6, (), ())

    monkeypatch.setattr("everlearn.bench.launch.launch", launched)
    assert call(*command, "--folder", str(folder)).code == 0


def test_a_plan_of_another_request_in_the_same_folder_is_refused(call, command, finished):
    before = (finished / "grid.json").read_bytes()
    outcome = call(*command, "--folder", str(finished), "--boundaries", "none", "--plan")
    assert outcome.code == 1
    assert "holds another benchmark: boundaries differ" in outcome.err
    outcome = call(*command, "--folder", str(finished), "--streams", "3", "--plan")
    assert outcome.code == 0
    assert "note: streams added: 2, 3" in outcome.err
    assert (finished / "grid.json").read_bytes() == before


def test_a_method_that_comes_too_late_is_refused(call, command, finished):
    command[command.index("--methods") + 1] += ",late=replay"
    outcome = call(*command, "--folder", str(finished))
    assert outcome.code == 1
    assert "error: late cannot be added to" in outcome.err
    assert "in a new folder" in outcome.err


def test_a_plan_is_shown_and_nothing_is_stored(call, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = call(*command, "--plan")
    assert outcome.code == 0
    assert "6 cells, 6 of them not finished" in outcome.out
    assert "2 stages" in outcome.out
    assert "nothing was trained and nothing was stored" in outcome.out
    assert list(tmp_path.iterdir()) == []
    facts = call(*command, "--plan", "--json").json
    assert facts["cells"] == 6
    assert {arm["arm"] for arm in facts["arms"]} >= {"base", "finetune"}


def test_a_report_is_written_as_a_page_and_as_tables(call, finished, tmp_path):
    outcome = call("bench", "report", str(finished), "--html", str(tmp_path / "r.html"), "--csv", str(tmp_path / "csv"))
    assert outcome.code == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert LONG in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert (tmp_path / "csv" / "means.csv").is_file()
    assert f"written: {tmp_path / 'r.html'}" in outcome.err


def test_a_grid_beside_another_one(call, finished, tmp_path):
    asked = ("bench", "report", str(finished), "--beside", str(finished))
    outcome = call(*asked, "--html", str(tmp_path / "r.html"), "--csv", str(tmp_path / "csv"))
    assert outcome.code == 0
    said = " ".join(outcome.out.split())
    assert f"Based on 2 methods that both have: finetune, {LONG}." in said
    assert "hardly anything can be told; p cannot be below 1." in said
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert "Does another tier rank the methods alike?" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert (tmp_path / "csv" / "agreement.csv").read_text(encoding="utf-8").count("tier smoke") == 3
    beside = call(*asked, "--json").json["beside"]
    assert beside["arms"] == ["finetune", LONG]
    learnt = next(found for found in beside["agreements"] if found["score"] == "LA")
    assert set(learnt) == {"score", "arms", "spearman", "kendall", "spearman_p", "kendall_p"}
    assert "beside" not in call("bench", "report", str(finished), "--json").json


def test_families_that_are_left_out_and_unfinished_cells_are_told_first(call, finished, monkeypatch):
    from everlearn.bench import board

    monkeypatch.setattr(board, "_missing", lambda grid: ["replay: 1 of 5 streams not finished"])
    assert call("bench", "report", str(finished)).out.startswith("note: replay: 1 of 5 streams not finished\n")


def test_two_methods_are_compared(call, finished):
    outcome = call("bench", "compare", str(finished), LONG, "finetune")
    assert outcome.code == 0
    assert "not enough evidence" in outcome.out
    assert "about 312 paired questions" in outcome.out.replace("\n", " ")
    notes = [f"note: {note}" for note in board_of(read_grid(finished), compared=False).notes]
    assert notes
    assert "".join(outcome.out.split()).startswith("".join("".join(notes).split()))
    facts = call("bench", "compare", str(finished), LONG, "finetune", "--json").json
    assert [f"note: {note}" for note in facts["notes"]] == notes
    assert {verdict["axis"] for verdict in facts["verdicts"]} >= {"atom", "composition"}
    assert facts["verdicts"][0]["detectable"] is None


def test_an_unknown_method_is_named(call, finished):
    outcome = call("bench", "compare", str(finished), "replai", "finetune")
    assert outcome.code == 1
    assert "error: no stream of 'replai' is finished in" in outcome.err


def test_a_folder_without_a_benchmark_is_named(call, tmp_path):
    outcome = call("bench", "report", str(tmp_path))
    assert outcome.code == 1
    assert "holds no benchmark" in outcome.err


def test_wrong_calls_are_usage_errors(usage_error):
    assert "the following arguments are required" in usage_error("bench")
    assert "ARM.KEY=VALUE" in usage_error("bench", "run", "--methods", "replay", "--set", "epochs=3")
    assert "is not above zero" in usage_error("bench", "run", "--methods", "replay", "--streams", "0")
    assert "is not above zero" in usage_error("bench", "run", "--methods", "replay", "--rounds", "-1")


def test_a_width_that_is_no_number_is_left_alone(call, finished, monkeypatch):
    monkeypatch.setenv("COLUMNS", "abc")
    assert call("bench", "report", str(finished)).code == 0


@pytest.mark.parametrize("text", ["import nothing_of_that_name\n", "def broken(:\n"])
def test_a_method_file_that_cannot_be_loaded_is_named(call, command, tmp_path, text):
    file = tmp_path / "mine.py"
    file.write_text(text, encoding="utf-8")
    command[command.index("--methods") + 1] += f",{file}"
    outcome = call(*command, "--folder", str(tmp_path / "grid"))
    assert outcome.code == 1
    assert f"error: {file} cannot be loaded: " in outcome.err


def test_an_arm_that_cannot_learn_is_named_to_be_left_out(finished, tmp_path, capsys):
    shutil.copytree(finished, tmp_path / "grid")
    grid = read_grid(tmp_path / "grid")
    shutil.rmtree(grid.path(Cell("finetune", 1)))
    fail(grid, Job("learning", Cell("finetune", 1)), Failure("learning", "the loss is nan"))
    say_failures(grid)
    said = capsys.readouterr().err
    assert "failed: finetune, stream 1, learning: the loss is nan\n" in said
    assert "go on without finetune, which cannot learn those streams any more: leave it out" in said


def test_tuning_names_what_has_failed(call, command, tmp_path, monkeypatch):
    def broken(campaign, grid, jobs, tell):
        job = take(grid, "w", None)
        fail(grid, job, Failure("learning", "the loss is nan"))
        return ()

    monkeypatch.setattr("everlearn.bench.tune.tune", broken)
    model = command[command.index("--model") + 1]
    outcome = call(
        *("bench", "tune", "--tier", "smoke", "--model", model, "--methods", "replay", "--families", LETTERS),
        *("--folder", str(tmp_path / "grid"), "--log", str(tmp_path / "log"), "--settings", str(tmp_path)),
    )
    assert "failed: replay-1_0e-05, stream 9001, learning: the loss is nan" in outcome.err


def test_tuning_with_another_setting_is_put_beside_what_the_log_has(call, command, tmp_path, monkeypatch):
    """The trials themselves are stood in for: with a smaller budget they know less."""

    def tried(campaign, grid, jobs, tell):
        settings = {key: int(value) for key, value in campaign.of("replay").items()}
        return tuple(
            Trial("smoke", "replay", rate, (9001,), 0.5, 0.5, rate * settings.get("budget", 9000), settings)
            for rate in campaign.rates
        )

    monkeypatch.setattr("everlearn.bench.tune.tune", tried)
    monkeypatch.chdir(tmp_path)
    model = command[command.index("--model") + 1]
    words = ("bench", "tune", "--tier", "smoke", "--model", model, "--methods", "replay", "--families", LETTERS)
    words = (*words, "--log", str(tmp_path / "log"), "--settings", str(tmp_path))
    assert call(*words).code == 0
    outcome = call(*words, "--set", "replay.budget=7000")
    assert outcome.code == 0
    rows = [line for line in outcome.out.splitlines() if line.startswith("replay")]
    assert ["budget 7000" in row for row in rows] == 4 * [False] + 4 * [True]
    assert ["chosen" in row for row in rows] == [False, False, False, True] + 4 * [False]
    assert {folder.name for folder in tmp_path.glob("tune-*")} == {"tune-smoke", "tune-smoke-replay.budget=7000"}
    assert "budget" not in (tmp_path / "smoke" / "replay.yaml").read_text(encoding="utf-8")


def test_help_names_every_task(call, capsys):
    with pytest.raises(SystemExit) as stop:
        call("bench", "--help")
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert all(f"  {task}" in said for task in bench.TASKS)


def test_a_failed_cell_makes_the_exit_code_one(call, command, tmp_path, monkeypatch):
    """The run itself is stood in for: one cell has failed, and its stream waits."""
    folder = tmp_path / "grid"

    def broken(grid, jobs, ray, watch):
        job = take(grid, "w", None)
        fail(grid, job, Failure("learning", "the loss is nan at step 3", "try a smaller learning_rate"))
        return State(6, 2, 0, (job.cell,), ())

    monkeypatch.setattr("everlearn.bench.launch.launch", broken)
    outcome = call(*command, "--folder", str(folder))
    assert outcome.code == 1
    assert "failed: joint, stream 1, learning: the loss is nan at step 3 (try a smaller learning_rate)" in outcome.err
    assert "5 cells wait for these" in outcome.err


def test_lines_are_told_when_something_has_changed(finished, capsys):
    grid = read_grid(finished)
    lines = PlainLines(grid, 1)
    state = State(6, 4, 2, (Cell("joint", 1),), ())
    lines.tell(state)
    lines.tell(state)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("2 of 6 cells finished, 4 learnt, 1 failed")


def test_the_live_leaderboard_names_every_arm(finished):
    from rich.console import Console

    standings = Standings(read_grid(finished))
    before = standings.table()
    assert before.row_count == 6
    assert standings.refresh() is True
    assert standings.refresh() is False
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(standings.table())
    text = console.export_text()
    assert LONG in text.replace("\n", "")
    assert max(map(len, text.splitlines())) <= 80


def test_the_command_is_kept_as_it_was_typed(call, command, tmp_path, monkeypatch):
    monkeypatch.setattr("everlearn.bench.launch.launch", lambda *given: State(6, 2, 0, (), ()))
    call(*command, "--folder", str(tmp_path / "grid"))
    kept = json.loads((tmp_path / "grid" / "grid.json").read_bytes())
    assert kept["command"].startswith("everlearn bench run --tier smoke --model")


def test_streams_can_begin_at_another_seed():
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    words = ["run", "--methods", "finetune", "--streams", "2"]
    seeds = [resolve(bench._wish(parser.parse_args([*words, *more]))).seeds for more in ([], ["--from", "9001"])]
    assert seeds == [(FIRST_SEED, FIRST_SEED + 1), (FIRST_DEV_SEED, FIRST_DEV_SEED + 1)]
