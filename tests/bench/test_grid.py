"""A request in, a folder that no other request gets into; cells that are taken once, and finished whatever happens."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from everlearn.bench.abilities import Abilities
from everlearn.bench.claims import Job, claims, clear, fail, failure_of, give_back, open_jobs, take
from everlearn.bench.forecast import forecast, require_disk, seconds_left, weights_kept
from everlearn.bench.grid import LEARNT, SALT, Cell, Grid, open_grid, read_file, read_grid
from everlearn.bench.launch import alone, launch, state_of
from everlearn.bench.probing import draw, drawn_probes
from everlearn.bench.recording import Failure, Salt, read_learning, read_stream, read_trial, write_whole
from everlearn.bench.request import Wish, resolve
from everlearn.bench.source import APART, apart, learnt_by, stream_of
from everlearn.bench.tiers import FIRST_DEV_SEED, tier
from everlearn.bench.work import learn_cell, perform
from everlearn.errors import EverlearnError, SettingsError, StoreError
from everlearn.model.language_model import LanguageModel
from everlearn.records import decode
from everlearn.train.anchors import Anchors

from .conftest import HERE, LETTERS, learn_all, quick

DEADLINE = 120
NOTHING = Anchors((), ())


def quiet(state):
    """Nobody is told."""


def pretend(grid, *cells, file=LEARNT):
    """As if they had been learnt (or finished)."""
    for cell in cells:
        write_whole(grid.path(cell) / file, b"{}")


# --- the request --------------------------------------------------------------------------------------------


def test_cells_come_stream_by_stream_with_references_first(wish):
    request = resolve(replace(wish, streams=2))
    assert [arm.name for arm in request.arms] == ["base", "joint", "solo", "context", "finetune", "replay"]
    assert request.seeds == (1, 2)
    assert [arm.name for arm in resolve(replace(wish, references=False)).arms] == ["base", "finetune", "replay"]


def test_references_learn_by_the_settings_of_finetuning(wish):
    request = resolve(replace(wish, settings=(("finetune.epochs", "7"), ("replay.epochs", "2"))))
    assert [request.arm(name).settings["epochs"] for name in ("joint", "solo", "finetune", "replay")] == [7, 7, 7, 2]
    assert request.arm("base").settings == {}


def test_a_method_may_come_twice_under_two_names_and_a_file_by_its_stem(wish):
    methods = ("replay", "small=replay", str(HERE / "breaking.py"))
    request = resolve(replace(wish, methods=methods, settings=(("small.budget", "500"),)))
    assert request.arm("small").method == "replay"
    assert request.arm("small").settings["budget"] == 500
    assert request.arm("replay").settings["budget"] == 100_000
    assert request.arm("breaking").method == str(HERE / "breaking.py")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tier": "labb"}, "there is no tier 'labb'"),
        ({"methods": ("finetun",), "settings": ()}, "there is no method called 'finetun'"),
        ({"families": ("fact",)}, "there is no family"),
        ({"settings": (("epochs", "3"),)}, "'epochs' does not begin with the name of an arm"),
        ({"settings": (("replay.epoch", "3"),)}, "Replay has no setting 'epoch'"),
        ({"model": ""}, "tier smoke has no model of its own"),
        ({"streams": 0}, "0 streams were asked for"),
        ({"methods": ("a/b=replay",)}, "'a/b' cannot be the name of an arm"),
        ({"methods": ("a.b=replay",)}, "'a.b' cannot be the name of an arm"),
        ({"methods": (), "settings": ()}, "no method was named"),
        ({"methods": ("finetune", "replay", "finetune=replay")}, "two arms are called 'finetune'"),
        ({"methods": ("finetune", "replay", "base=replay")}, "'base' is the name of a reference"),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(wish, change, said):
    with pytest.raises(EverlearnError, match=said):
        resolve(replace(wish, **change))


def test_the_same_request_is_taken_up_again(grid):
    before = (grid.folder / "grid.json").read_bytes()
    assert open_grid(grid.folder, grid.request).notes == ()
    assert (grid.folder / "grid.json").read_bytes() == before
    assert read_grid(grid.folder).request == grid.request


def test_each_folder_draws_a_secret_and_keeps_it(tmp_path, wish):
    request = resolve(wish)
    one, other = (open_grid(tmp_path / name, request).grid for name in "ab")
    assert len(one.secret) == 32
    assert one.secret != other.secret
    assert one.run_seed(1) != other.run_seed(1)
    assert read_grid(tmp_path / "a").secret == one.secret == open_grid(tmp_path / "a", request).grid.secret
    more = open_grid(tmp_path / "a", resolve(replace(wish, streams=3))).grid
    assert more.secret == read_grid(tmp_path / "a").secret == one.secret


def test_an_earlier_grids_secret_gives_its_seeds_again(tmp_path, wish):
    request = resolve(wish)
    one = open_grid(tmp_path / "a", request).grid
    again = open_grid(tmp_path / "b", request, secret=one.secret).grid
    assert [one.run_seed(seed) for seed in (1, 2)] == [again.run_seed(seed) for seed in (1, 2)]
    with pytest.raises(SettingsError, match="has another secret"):
        open_grid(tmp_path / "b", request, secret="00")
    expected = int.from_bytes(hashlib.sha256(b"00 7").digest()[:4], "big") // 2
    assert Grid(tmp_path, request, "00").run_seed(7) == expected < 2**31


def test_all_arms_of_a_stream_get_one_seed_that_is_not_its_own(examined):
    seeds = {read_learning(examined.path(Cell(arm.name, 1))).run_seed for arm in examined.request.taught}
    assert seeds == {examined.run_seed(1)}
    assert seeds != {1}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"rounds": 3}, "plan.rounds"),
        ({"boundaries": "none"}, "boundaries"),
        ({"settings": quick("finetune", "replay", epochs="5")}, "arms.replay.epochs"),
        ({"families": ("rules",)}, "plan.families"),
        ({"first_seed": 2}, "seeds"),
    ],
)
def test_another_request_is_refused_and_the_differing_keys_are_named(grid, wish, change, key):
    with pytest.raises(SettingsError) as error:
        open_grid(grid.folder, resolve(replace(wish, **change)))
    assert key in error.value.problem
    assert "--folder" in error.value.hint
    assert read_grid(grid.folder).request == grid.request


def test_streams_may_be_added_and_arms_left_out_but_not_in_silence(grid, wish):
    opened = open_grid(grid.folder, resolve(replace(wish, streams=3, methods=("replay",))))
    assert opened.notes == ("left out: finetune", "streams added: 2, 3")
    assert read_grid(grid.folder).request.seeds == (1, 2, 3)


def test_the_command_that_a_reader_needs_is_the_last_that_changed_something(grid, wish):
    more = resolve(replace(wish, streams=3))
    open_grid(grid.folder, more, "everlearn bench run --streams 3")
    open_grid(grid.folder, more, "everlearn bench run --streams 3 --jobs 1")
    assert read_file(grid.folder).command == "everlearn bench run --streams 3"
    open_grid(grid.folder, resolve(replace(wish, streams=4)))
    assert read_file(grid.folder).command == "everlearn bench run --streams 3", "who did not type one changes nothing"


def test_arms_may_be_added_only_before_probes_are_drawn(grid, wish):
    more = resolve(replace(wish, methods=("finetune", "replay", "other=finetune")))
    write_whole(grid.stream_path(1) / SALT, b"{}")
    with pytest.raises(SettingsError, match="other cannot be added to") as error:
        open_grid(grid.folder, more)
    assert "new folder" in error.value.hint
    (grid.stream_path(1) / SALT).unlink()
    assert open_grid(grid.folder, more).notes == ("added: other",)


def test_the_same_model_elsewhere_is_the_same_model(grid, wish, tiny_folder, tmp_path):
    shutil.copytree(tiny_folder, tmp_path / "copy")
    moved = resolve(replace(wish, model=str(tmp_path / "copy")))
    assert open_grid(grid.folder, moved).notes == ()
    assert read_grid(grid.folder).request.model == str(tmp_path / "copy")


def test_a_method_file_of_another_text_is_another_method(tmp_path, wish):
    file = tmp_path / "mine.py"
    text = (HERE / "breaking.py").read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    wish = replace(wish, methods=(str(file),), settings=())
    open_grid(tmp_path / "grid", resolve(wish))
    file.write_text(text + "# another\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"arms\.mine\.method differ"):
        open_grid(tmp_path / "grid", resolve(wish))


def test_a_folder_without_a_grid_is_named(tmp_path):
    with pytest.raises(StoreError, match="holds no benchmark"):
        read_grid(tmp_path)
    (tmp_path / "grid.json").write_text("{", encoding="utf-8")
    with pytest.raises(StoreError, match="is damaged"):
        read_grid(tmp_path)


# --- who does what ------------------------------------------------------------------------------------------


def test_a_stream_is_examined_when_all_have_learnt_it_its_base_first(grid):
    taught = [Cell(name, 1) for name in ("joint", "solo", "finetune", "replay")]
    assert list(open_jobs(grid)) == [Job("learning", cell) for cell in taught]
    pretend(grid, *taught[:3])
    assert list(open_jobs(grid)) == [Job("learning", taught[3])]
    pretend(grid, taught[3])
    assert list(open_jobs(grid)) == [Job("examining", Cell("base", 1))]
    pretend(grid, Cell("base", 1), file="trial.json")
    assert [job.cell.arm for job in open_jobs(grid)] == ["joint", "solo", "context", "finetune", "replay"]
    pretend(grid, *grid.cells(), file="trial.json")
    assert list(open_jobs(grid)) == []


def test_a_job_is_taken_once(grid):
    jobs = [take(grid, name, None) for name in "ab"]
    assert [job.cell.arm for job in jobs] == ["joint", "solo"]
    assert [(claim.worker, claim.cell.arm, claim.pid) for claim in claims(grid)] == [
        ("a", "joint", os.getpid()),
        ("b", "solo", os.getpid()),
    ]


def test_who_has_learnt_does_not_examine(grid):
    pretend(grid, *(Cell(arm.name, 1) for arm in grid.request.taught))
    assert take(grid, "a", "learning") is None
    assert take(grid, "a", "examining") == Job("examining", Cell("base", 1))


def test_claims_of_the_dead_are_cleared_and_those_of_the_living_stay(grid):
    take(grid, "a", None)
    assert [claim.worker for claim in clear(grid)] == ["a"]
    path = next(grid.folder.glob("claims/*.json"))
    twin = path.with_name("learning-solo-1.json")  # of a dead process, whose number this one has got since
    twin.write_bytes(path.read_bytes().replace(b'"joint"', b'"solo"'))
    assert len(claims(grid)) == 2
    assert [claim.arm for claim in clear(grid)] == ["joint"]
    give_back(grid, Job("learning", Cell("joint", 1)))
    assert take(grid, "b", None) == Job("learning", Cell("joint", 1)), "what was given back can be taken again"


def test_a_claim_ends_with_its_process(grid):
    code = (
        "import sys; from pathlib import Path; from everlearn.bench.claims import take;"
        "from everlearn.bench.grid import read_grid; take(read_grid(Path(sys.argv[1])), 'gone', None)"
    )
    subprocess.run([sys.executable, "-c", code, str(grid.folder)], check=True)
    path = next(grid.folder.glob("claims/*.json"))
    fields = json.loads(path.read_bytes())
    path.write_text(json.dumps({**fields, "pid": os.getpid()}), encoding="utf-8")
    assert clear(grid) == []
    assert claims(grid) == []


def test_a_worker_whose_run_is_gone_before_it_begins_ends_at_once(grid):
    command = [sys.executable, "-m", "everlearn.bench.work", str(grid.folder), "late", "0"]
    assert subprocess.run(command, timeout=DEADLINE, check=False).returncode == 1
    assert not grid.is_learnt(Cell("joint", 1))


def test_a_failed_cell_is_noted_and_the_others_go_on(tmp_path, wish):
    grid = open_grid(tmp_path, resolve(replace(wish, methods=("replay", str(HERE / "breaking.py"))))).grid
    cell = Cell("breaking", 1)
    perform(grid, Job("learning", cell))
    failure = failure_of(grid, cell)
    assert failure.problem == "RuntimeError: this method is broken"
    assert "breaking.py" in failure.trace
    assert state_of(grid).failed == (cell,)
    learn_all_but = [job.cell.arm for job in open_jobs(grid)]
    assert learn_all_but == ["joint", "solo", "replay"]
    pretend(grid, *(Cell(name, 1) for name in learn_all_but))
    assert list(open_jobs(grid)) == [Job("examining", Cell("base", 1))], "one that cannot learn keeps nobody waiting"
    clear(grid)
    assert list(open_jobs(grid)) == [Job("learning", cell)], "the next run tries it again"


def test_who_has_failed_stands_in_the_salt_and_learns_that_stream_no_more(tmp_path, wish, tiny):
    methods = ("replay", str(HERE / "breaking.py"))
    grid = open_grid(tmp_path, resolve(replace(wish, methods=methods, references=False))).grid
    cell = Cell("breaking", 1)
    perform(grid, Job("learning", cell))
    assert list(open_jobs(grid)) == [Job("learning", Cell("replay", 1))]
    learn_cell(grid, Cell("replay", 1))
    draw(grid, 1, tiny)
    assert grid.salt(1).failed == ("breaking",)
    assert list(grid.salt(1).learnt) == ["replay"]
    clear(grid)
    assert failure_of(grid, cell).problem == "RuntimeError: this method is broken", "it says why to the next run, too"
    assert list(open_jobs(grid)) == [Job("examining", Cell("base", 1))]
    with pytest.raises(StoreError, match="the probes of stream 1 are drawn") as error:
        learn_cell(grid, cell)
    assert "leave breaking out" in error.value.hint


def test_nothing_is_drawn_where_all_have_failed(grid):
    for arm in grid.request.taught:
        fail(grid, Job("learning", Cell(arm.name, 1)), Failure("learning", "the disk is full"))
    assert list(open_jobs(grid)) == []
    clear(grid)
    assert len(list(open_jobs(grid))) == 4


def test_a_learnt_cell_that_was_removed_is_not_learnt_after_the_draw(grid):
    cell = Cell("replay", 1)
    write_whole(grid.stream_path(1) / SALT, b"{}")
    with pytest.raises(StoreError, match="are drawn, who learns it now could know them"):
        learn_cell(grid, cell)
    assert not grid.is_learnt(cell)


# --- what is learnt -----------------------------------------------------------------------------------------


def test_the_wrong_stream_is_another_one(tmp_path, wish):
    grid = open_grid(tmp_path, resolve(replace(wish, methods=("wrong_stream", "replay")))).grid
    assert [arm.name for arm in grid.request.arms][-2:] == ["wrong_stream", "replay"]
    own, wrong = learnt_by(grid, "replay", 1), learnt_by(grid, "wrong_stream", 1)
    assert own.stages == stream_of(grid, 1).stages
    assert wrong.stages == stream_of(grid, 1001).stages
    assert own.stages != wrong.stages


@pytest.mark.parametrize("name", ["smoke", "lab", "smollm2", "any"])
def test_the_wrong_stream_has_the_same_families_in_the_same_order(name):
    plan = tier(name).plan()
    assert APART <= apart(plan) < APART + len(plan.families)
    for seed in range(1, 8):
        assert plan.chosen(seed) == plan.chosen(seed + apart(plan))
    assert apart(replace(plan, families=tuple("abcdefg"))) == 1001
    assert apart(replace(plan, families=tuple("abc"))) == 1002
    assert apart(replace(plan, families=())) == APART


def test_without_boundaries_methods_get_pieces_and_references_stages(tmp_path, wish):
    families = ("facts", "operators")
    grid = open_grid(tmp_path, resolve(replace(wish, boundaries="none", families=families))).grid
    stages = stream_of(grid, 1).stages
    assert learnt_by(grid, "solo", 1).stages == stages
    pieces = learnt_by(grid, "replay", 1).stages
    sizes = [len(piece.examples) for piece in pieces]
    assert max(sizes) - min(sizes) <= 1
    assert sum(sizes) == sum(len(stage.examples) for stage in stages)


def test_without_boundaries_a_stage_is_asked_about_when_all_its_rows_have_come(tmp_path, wish):
    wish = replace(wish, boundaries="none", families=("facts", "operators"), references=False, methods=("finetune",))
    grid = open_grid(tmp_path, resolve(replace(wish, settings=quick("finetune")))).grid
    learn_cell(grid, Cell("finetune", 1))
    found = read_learning(grid.path(Cell("finetune", 1))).moments
    assert [(moment.stage, moment.share) for moment in found] == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0)]
    assert len(learnt_by(grid, "finetune", 1).stages) > len(found), "else this shows nothing"
    expected = forecast(grid, 1).arms[-1]
    assert sum(moment.cost.tokens["new"] for moment in found) == pytest.approx(expected.trained, rel=0.1)


def test_leftovers_of_an_unfinished_try_are_removed(grid):
    cell = Cell("replay", 1)
    write_whole(grid.path(cell) / "weights-9.safetensors", b"old")
    learn_cell(grid, cell)
    assert not (grid.path(cell) / "weights-9.safetensors").exists()
    assert grid.is_learnt(cell)


def test_no_salt_is_drawn_before_all_have_learnt(grid, tiny):
    learn_cell(grid, Cell("replay", 1))
    with pytest.raises(StoreError, match="stream 1 has not been learnt by joint, solo, finetune"):
        draw(grid, 1, tiny)
    assert not grid.has_salt(1)


def test_the_salt_records_what_had_been_learnt_and_stays(grid, tiny):
    learn_all(grid)
    draw(grid, 1, tiny)
    salt = decode(Salt, (grid.stream_path(1) / SALT).read_bytes())
    assert sorted(salt.learnt) == ["finetune", "joint", "replay", "solo"]
    for arm, digest in salt.learnt.items():
        assert digest == hashlib.sha256((grid.path(Cell(arm, 1)) / LEARNT).read_bytes()).hexdigest()
    record = read_stream(grid.stream_path(1))
    assert record.salt == salt.salt
    assert record.parameters == tiny.parameters
    posed = drawn_probes(grid, 1)
    assert {one.asked.id for one in posed} <= {asked.id for asked in record.probes}
    assert record.reading_tokens.keys() == {one.asked.id for one in posed if one.reading}
    draw(grid, 1, tiny)
    assert read_stream(grid.stream_path(1)) == record


@pytest.mark.parametrize("seed", [1, FIRST_DEV_SEED])
def test_grids_and_tuning_ask_different_general_questions(tmp_path, wish, tiny, monkeypatch, seed):
    own = replace(wish, first_seed=seed, methods=("finetune",), settings=quick("finetune"), references=False)
    grid = open_grid(tmp_path, resolve(own)).grid
    learn_cell(grid, Cell("finetune", seed))
    offered = []
    monkeypatch.setattr(
        "everlearn.bench.probing.abilities_of",
        lambda base, candidates, *more: offered.append(candidates) or Abilities((), (), NOTHING, NOTHING),
    )
    draw(grid, seed, tiny)
    asked = {one.asked.id for one in offered[0].questions}
    both = {half: {one.asked.id for one in tier("smoke").candidates().half(half).questions} for half in (True, False)}
    assert asked == both[seed == FIRST_DEV_SEED]
    assert not both[True] & both[False]


def test_a_finished_cell_holds_replies_and_no_weights(examined):
    base = read_trial(examined.path(Cell("base", 1)))
    replay = read_trial(examined.path(Cell("replay", 1)))
    assert len(base.moments) == 1
    assert replay.moments[0] == base.last
    assert replay.settings["epochs"] == 1
    assert [moment.stage for moment in replay.moments if moment.share == 1] == [0, 1, 2]
    assert list(examined.folder.glob("cells/*/*/*.safetensors")) == []
    probes = {asked.id for asked in read_stream(examined.stream_path(1)).probes if asked.axis != "general"}
    assert {reply.probe for reply in replay.last.replies} >= probes


# --- how long it takes --------------------------------------------------------------------------------------


def test_the_estimate_counts_what_training_will_count(examined, wish):
    found = forecast(examined, jobs=2)
    assert (found.cells, found.open_cells, found.stages, found.streams) == (6, 0, 2, 1)
    assert found.seconds == 0
    assert all(arm.measured for arm in found.arms)
    trained = {arm.arm: arm.trained for arm in found.arms}
    learning = read_learning(examined.path(Cell("finetune", 1)))
    counted = sum(moment.cost.tokens["new"] for moment in learning.moments if moment.share == 1)
    assert trained["finetune"] == pytest.approx(counted, rel=0.1)
    moments = read_learning(examined.path(Cell("replay", 1))).moments
    counted = sum(sum(moment.cost.tokens.values()) for moment in moments if moment.share == 1)
    assert trained["finetune"] < trained["replay"] == pytest.approx(counted, rel=0.2)
    assert trained["base"] == 0


def test_before_anything_is_finished_the_time_is_estimated(grid):
    found = forecast(grid, jobs=1)
    assert found.open_cells == 6
    assert not any(arm.measured for arm in found.arms)
    assert found.seconds == pytest.approx(sum(arm.seconds for arm in found.arms))
    assert seconds_left(grid, 1) is None


def test_the_weights_that_lie_there_are_as_many_bytes_as_was_said(tmp_path, wish):
    often = quick("finetune", "replay", epochs="16")  # all moments within a stage fall on steps of their own
    grid = open_grid(tmp_path / "grid", resolve(replace(wish, settings=often))).grid
    said = weights_kept(grid, stream_of(grid, 1), jobs=2)
    assert forecast(grid, jobs=2).disk == said
    learn_all(grid)
    kept = sum(path.stat().st_size for path in grid.folder.glob("cells/*/*/weights-*.safetensors"))
    assert 0.9 * said < kept < 1.1 * said


def test_an_adapter_is_all_that_is_kept_of_it(tmp_path, wish):
    def said(name, streams=1, jobs=1):
        settings = (*quick("finetune"), ("finetune.weights", name), ("finetune.rank", "2"))
        request = resolve(replace(wish, methods=("finetune",), references=False, streams=streams, settings=settings))
        return weights_kept(Grid(tmp_path, request), stream_of(Grid(tmp_path, request), 1), jobs)

    assert said("lora") < said("full") / 4
    assert said("full", streams=3) == 2 * said("full")
    assert said("full", streams=3, jobs=2) == 3 * said("full", jobs=2)


def test_a_disk_that_is_too_small_is_refused_before_anything_is_learnt(grid, monkeypatch):
    needed = weights_kept(grid, stream_of(grid, 1), 1)
    usage = shutil.disk_usage(grid.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=needed - 1))
    with pytest.raises(StoreError, match="GB are free") as error:
        launch(grid, 1, "", quiet)
    assert "larger disk" in error.value.hint
    assert not (grid.folder / "cells").exists()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=needed))
    require_disk(grid, 1)


def test_of_a_cell_that_is_learnt_the_exam_alone_is_left(examined, monkeypatch):
    finetune, replay = Cell("finetune", 1), Cell("replay", 1)
    finished, learnt = Grid.is_finished, Grid.is_learnt
    monkeypatch.setattr(Grid, "is_finished", lambda grid, cell: cell != replay and finished(grid, cell))
    exams = [examined.examined(cell).seconds for cell in examined.cells() if cell not in (finetune, replay)]
    usual_exam = (sum(exams) + examined.examined(finetune).seconds) / 5
    assert seconds_left(examined, 1) == pytest.approx(usual_exam)
    monkeypatch.setattr(Grid, "is_learnt", lambda grid, cell: cell != replay and learnt(grid, cell))
    arms = ("joint", "solo", "finetune")
    usual_learning = sum(read_learning(examined.path(Cell(arm, 1))).seconds for arm in arms) / 3
    assert seconds_left(examined, 2) == pytest.approx((usual_exam + usual_learning) / 2)


# --- processes ----------------------------------------------------------------------------------------------


def test_a_killed_worker_costs_only_its_cell_and_learners_are_not_examiners(tmp_path, wish):
    """One worker is killed after its first cell; a run finishes the rest, and a second run finds nothing to do."""
    grid = open_grid(tmp_path, resolve(replace(wish, references=False, rounds=1))).grid
    command = [sys.executable, "-m", "everlearn.bench.work", str(grid.folder), "first", str(os.getpid())]
    worker = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    done = Cell("finetune", 1)
    until = time.monotonic() + DEADLINE
    while not grid.is_learnt(done) and time.monotonic() < until:
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    kept = (grid.path(done) / LEARNT).read_bytes()
    begun = [claim.cell for claim in claims(grid) if claim.cell != done]

    state = launch(grid, 1, "", quiet)

    assert (state.finished, state.failed, state.at_work) == (3, (), ())
    assert (grid.path(done) / LEARNT).read_bytes() == kept, "what was finished is not learnt again"
    assert f":{worker.pid}" in read_learning(grid.path(done)).process
    learners = {read_learning(grid.path(Cell(arm.name, 1))).process for arm in grid.request.taught}
    examiners = {grid.examined(cell).process for cell in grid.cells()}
    assert len(learners) == 2
    assert not learners & examiners
    for cell in begun:
        assert f":{worker.pid}" not in read_learning(grid.path(cell)).process
    trials = {cell: (grid.path(cell) / "trial.json").stat().st_mtime_ns for cell in grid.cells()}
    assert launch(grid, 1, "", quiet).finished == 3
    assert trials == {cell: (grid.path(cell) / "trial.json").stat().st_mtime_ns for cell in grid.cells()}


def test_two_runs_do_not_share_a_folder(grid):
    from everlearn.store.lock import WriteLock

    with WriteLock(grid.folder / "lock").held(), pytest.raises(StoreError, match="another run is at work"):
        launch(grid, 1, "", quiet)


def test_a_folder_that_cannot_be_locked_is_not_said_to_be_at_work(grid):
    (grid.folder / "lock").mkdir()
    with pytest.raises(EverlearnError) as error, alone(grid.folder):
        pass
    assert "another run" not in error.value.problem


def test_weights_that_a_killed_examiner_has_left_are_removed(grid):
    done, open_still = Cell("replay", 1), Cell("finetune", 1)
    pretend(grid, done, file="trial.json")
    for cell in (done, open_still):
        write_whole(grid.path(cell) / "weights-1.safetensors", b"old")
        write_whole(grid.path(cell) / "memory-1" / "notes.json", b"old")
    with alone(grid.folder):
        assert [path.name for path in grid.path(done).iterdir()] == ["trial.json"]
        assert (grid.path(open_still) / "weights-1.safetensors").is_file(), "it waits to be examined"


def test_own_stages_are_studied_once_and_asked(tmp_path, tiny_folder):
    for name, answer in (("01-first", "42"), ("02-second", "7")):
        folder = tmp_path / "mine" / name
        folder.mkdir(parents=True)
        row = json.dumps({"question": f"What is {name}?", "answer": answer})
        (folder / "rows.jsonl").write_text(row + "\n", encoding="utf-8")
        (folder / "questions.jsonl").write_text(row + "\n", encoding="utf-8")
    wish = Wish("smoke", ("replay",), model=str(tiny_folder), stream=tmp_path / "mine")
    grid = open_grid(tmp_path / "grid", resolve(wish)).grid
    assert [arm.name for arm in grid.request.arms] == ["base", "joint", "solo", "replay"]
    with pytest.raises(StoreError, match="missing or damaged"):
        stream_of(grid, 1)
    from everlearn.bench.source import study

    study(grid)
    stream = stream_of(grid, 1)
    assert [stage.family for stage in stream.stages] == ["01-first", "02-second"]
    assert [posed.asked.stages for posed in stream.probes("any")] == [(1,), (2,)]
    (tmp_path / "mine" / "02-second" / "rows.jsonl").write_text('{"question": "a", "answer": "b"}\n', encoding="utf-8")
    with pytest.raises(SettingsError, match="stream_digest"):
        open_grid(grid.folder, resolve(wish))


def test_the_model_is_not_loaded_to_resolve_a_request(wish, monkeypatch):
    monkeypatch.setattr(LanguageModel, "load", None)
    assert resolve(wish).plan.families == (LETTERS,)
