"""Finished trials in; the best learning rate of each method as a settings file, and a log of all of them, out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from everlearn.bench import request, tune
from everlearn.bench.claims import Job, fail, open_jobs
from everlearn.bench.grid import Cell
from everlearn.bench.recording import Failure, read_trial
from everlearn.bench.request import SETTINGS, arm_of, resolve, tuned
from everlearn.bench.tiers import FIRST_DEV_SEED, TIERS
from everlearn.bench.tune import Campaign, Trial, arm_name, campaign_grid, choose, keep, rates_of
from everlearn.bench.work import examine_cell, learn_cell
from everlearn.desiderata.contract import harmonic_mean
from everlearn.errors import EverlearnError, SettingsError

from .conftest import LETTERS, examine_all, learn_all

RATES = (1e-5, 1e-4, 1e-3, 1e-2)


def trials(*criteria: float | None) -> list[Trial]:
    pairs = zip(RATES, criteria, strict=True)
    return [Trial("lab", "replay", rate, (9001, 9002), value, value, value) for rate, value in pairs]


def test_every_method_gets_the_same_trials_on_dev_streams(tmp_path, tiny_folder):
    campaign = Campaign("smoke", ("finetune", "replay"), RATES, 2, str(tiny_folder), (LETTERS,))
    grid = campaign_grid(campaign, tmp_path)
    assert grid.request.seeds == (9001, 9002)
    assert FIRST_DEV_SEED == 9001
    names = [arm.name for arm in grid.request.arms]
    assert names == ["base", *(arm_name(method, rate) for method in campaign.methods for rate in RATES)]
    for method in campaign.methods:
        own = [arm for arm in grid.request.arms if arm.method == method]
        assert [arm.settings["learning_rate"] for arm in own] == list(RATES)


def test_trials_are_asked_at_the_end_alone(tmp_path, tiny_folder):
    campaign = Campaign("smoke", ("replay",), RATES, 1, str(tiny_folder), (LETTERS,))
    grid = campaign_grid(campaign, tmp_path)
    learn_all(grid)
    assert len(list(grid.folder.glob("cells/*/*/weights-*.safetensors"))) == len(RATES)
    examine_all(grid)
    assert tune._trial(grid, campaign, "replay", 1e-3).acc is not None
    last = read_trial(grid.path(Cell(arm_name("replay", 1e-3), 9001))).last
    assert (last.stage, last.share) == (2, 1.0)
    assert last.kl_new is not None, "general ability is asked then"


def test_fewer_than_four_rates_are_no_choice():
    assert rates_of("lab", ()) == tune.RATES["lab"]
    assert rates_of("lab", (1e-2, 1e-4, 1e-3, 1e-5)) == RATES
    with pytest.raises(SettingsError, match="3 learning rates are too few"):
        rates_of("lab", (1e-3, 1e-4, 1e-5))


def test_the_best_criterion_is_chosen_and_an_edge_is_said():
    found = tune._with_choice(trials(0.2, 0.5, 0.4, 0.1))
    assert [(trial.chosen, trial.at_edge) for trial in found] == [(False, False), (True, False)] + 2 * [(False, False)]
    assert tune._with_choice(trials(0.2, 0.5, 0.4, 0.9))[3].at_edge
    assert tune._with_choice(trials(None, None, 0.4, None))[2].chosen


def test_the_log_has_every_trial_and_the_settings_the_best(tmp_path, monkeypatch):
    monkeypatch.setattr(request, "SETTINGS", tmp_path / "settings")
    before = tmp_path / "settings" / "lab" / "replay.yaml"
    before.parent.mkdir(parents=True)
    before.write_text("epochs: 9\nlearning_rate: 1.0\n", encoding="utf-8")
    found = [replace(trial, settings={"budget": 5000}) for trial in tune._with_choice(trials(0.2, 0.5, 0.4, 0.1))]
    log = tmp_path / "tuning-lab.jsonl"
    assert keep(found, log, tmp_path / "settings") == (log, before)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [line["learning_rate"] for line in lines] == list(RATES)
    assert [line["chosen"] for line in lines] == [False, True, False, False]
    assert yaml.safe_load(before.read_text(encoding="utf-8")) == {"budget": 5000, "learning_rate": 1e-4}
    assert "tuning-lab.jsonl" in before.read_text(encoding="utf-8")
    assert arm_of("lab", "mine", "replay", {"budget": "7"}).settings["learning_rate"] == 1e-4
    assert arm_of("lab", "mine", "replay", {"budget": "7"}).settings["budget"] == 7


def test_joint_training_is_chosen_by_what_it_learns_alone(tmp_path, tiny_folder, monkeypatch):
    campaign = Campaign("smoke", ("joint",), RATES, 1, str(tiny_folder), (LETTERS,), rounds=1)
    grid = campaign_grid(campaign, tmp_path)
    assert [arm.method for arm in grid.request.arms] == ["", *["joint"] * 4]
    learn_all(grid)
    examine_all(grid)
    monkeypatch.setattr(tune, "_mean", lambda cases, desideratum, name: {"ACC": 0.5, "rho": 0.1}[name])
    found = tune.tune(campaign, grid, 1, lambda state: None)
    assert [(trial.acc, trial.rho, trial.criterion) for trial in found] == [(0.5, 0.1, 0.5)] * 4
    monkeypatch.setattr(tune, "stream_cases", lambda grid, seed: [])
    assert tune._trial(grid, campaign, "joint", 1e-3).criterion is None, "no stream of it is finished"


def test_joint_training_has_a_file_of_its_own_and_else_that_of_finetuning(tmp_path, monkeypatch, wish):
    monkeypatch.setattr(request, "SETTINGS", tmp_path)
    folder = tmp_path / "lab"
    folder.mkdir()
    (folder / "finetune.yaml").write_text("epochs: 5\nlearning_rate: 1.0e-3\n", encoding="utf-8")

    def rates():
        named = {"joint": "joint", "solo": "finetune", "finetune": "finetune"}
        arms = [arm_of("lab", name, method, {}) for name, method in named.items()]
        return [(arm.settings["epochs"], arm.settings["learning_rate"]) for arm in arms]

    assert rates() == [(5, 1e-3)] * 3
    own = tune._own("lab", arm_of("lab", "joint", "joint", {}))
    best = Trial("lab", "joint", 0.01, (9001, 9002), 0.9, 0.2, 0.9, own, chosen=True)
    _, written = keep([best], tmp_path / "log.jsonl", tmp_path)
    assert written == folder / "joint.yaml"
    assert yaml.safe_load(written.read_text(encoding="utf-8")) == {"epochs": 5, "learning_rate": 0.01}
    assert ": ACC = 0.900" in written.read_text(encoding="utf-8")
    assert rates() == [(5, 0.01), (5, 1e-3), (5, 1e-3)]
    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke" / "joint.yaml").write_text("rows_per_step: 7\n", encoding="utf-8")
    arms = {arm.name: arm.settings["rows_per_step"] for arm in resolve(replace(wish, settings=())).arms if arm.settings}
    assert arms == {"joint": 7, "solo": 16, "finetune": 16, "replay": 16}


def test_what_the_log_says_of_other_methods_stays(tmp_path):
    log = tmp_path / "log.jsonl"
    keep(tune._with_choice(trials(0.2, 0.5, 0.4, 0.1)), log, tmp_path)
    keep([Trial("lab", "joint", 0.01, (9001, 9002), 0.9, 0.2, 0.9, chosen=True)], log, tmp_path)
    keep(tune._with_choice(trials(0.2, 0.1, 0.4, 0.1)), log, tmp_path)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [(line["method"], line["chosen"]) for line in lines] == [
        ("joint", True), ("replay", False), ("replay", False), ("replay", True), ("replay", False)]  # fmt: skip


def test_the_best_of_all_settings_tried_is_chosen(tmp_path):
    log = tmp_path / "log.jsonl"

    def campaign(streams=(9001, 9002), settings=None, *criteria):
        found = [replace(trial, streams=streams, settings=settings or {}) for trial in trials(*criteria)]
        marked = choose(found, log)
        keep(marked, log, tmp_path)
        return [(trial.settings, trial.learning_rate, trial.at_edge) for trial in marked if trial.chosen], marked

    chosen, _ = campaign((9001, 9002), {}, 0.2, 0.5, 0.4, 0.1)
    assert chosen == [({}, 1e-4, False)]
    chosen, marked = campaign((9001, 9002), {"budget": 7}, 0.7, 0.3, 0.2, 0.1)
    assert chosen == [({"budget": 7}, 1e-5, True)] and len(marked) == 8
    settings = yaml.safe_load((tmp_path / "lab" / "replay.yaml").read_text(encoding="utf-8"))
    assert settings["budget"] == 7 and settings["learning_rate"] == 1e-5
    chosen, marked = campaign((9001, 9002), {"budget": 7}, 0.1, 0.3, 0.2, 0.1)
    assert chosen == [({}, 1e-4, False)] and len(marked) == 8, "tried again is in the place of what it was"
    assert len(log.read_text(encoding="utf-8").splitlines()) == 8
    assert yaml.safe_load((tmp_path / "lab" / "replay.yaml").read_text(encoding="utf-8")) == {"learning_rate": 1e-4}
    with pytest.raises(EverlearnError, match="replay has failed with every learning rate"):
        campaign((9001, 9002), {"budget": 9}, None, None, None, None)
    chosen, marked = campaign((9001,), {}, 0.1, 0.2, 0.3, 0.1)
    assert chosen == [({}, 1e-3, False)] and len(marked) == 4, "other streams are no match"


@pytest.mark.parametrize("change", [{"tier": "smollm2"}, {"conditions": "0123"}, {"method": "der"}])
def test_trials_under_other_conditions_are_not_compared(tmp_path, change):
    log = tmp_path / "log.jsonl"
    keep(choose([replace(trial, **change) for trial in trials(0.2, 0.9, 0.4, 0.1)], log), log, tmp_path)
    assert len(choose([replace(trial, settings={"budget": 7}) for trial in trials(0.2, 0.5, 0.4, 0.1)], log)) == 4


def test_what_is_set_is_set_for_all_trials_of_a_method(tmp_path, tiny_folder):
    pairs = (("replay.budget", "7000"),)
    campaign = Campaign("smoke", ("finetune", "replay"), RATES, 1, str(tiny_folder), (LETTERS,), settings=pairs)
    grid = campaign_grid(campaign, tmp_path)
    budgets = {arm.settings["budget"] for arm in grid.request.arms if arm.method == "replay"}
    assert budgets == {7000}
    ran, plain = (tune._trial(grid, campaign, method, 1e-3) for method in campaign.methods[::-1])
    assert ran.settings["budget"] == 7000 and "budget" not in plain.settings
    shorter = campaign_grid(replace(campaign, rounds=1), tmp_path / "short")
    assert ran.conditions == plain.conditions != tune._trial(shorter, campaign, "replay", 1e-3).conditions
    dashed = replace(campaign, methods=("on-policy-replay",), settings=(("on-policy-replay.old-per-step", "3"),))
    grid = campaign_grid(dashed, tmp_path / "dashed")
    assert tune._trial(grid, dashed, "on-policy-replay", 1e-3).settings["old_per_step"] == 3
    with pytest.raises(SettingsError, match="would be the rate of all trials"):
        campaign_grid(replace(campaign, settings=(("replay.learning_rate", "1"),)), tmp_path / "other")
    with pytest.raises(SettingsError, match=r"'ewc\.strength' does not begin with a method that is tuned"):
        campaign_grid(replace(campaign, settings=(("ewc.strength", "1"),)), tmp_path / "other")


def test_a_method_that_is_a_file_cannot_be_tuned(tmp_path, tiny_folder):
    with pytest.raises(SettingsError, match="has no place for tuned settings"):
        campaign_grid(Campaign("smoke", ("./mine.py",), RATES, 1, str(tiny_folder), (LETTERS,)), tmp_path)


def test_finished_trials_are_scored_from_what_was_recorded(tmp_path, tiny_folder):
    campaign = Campaign("smoke", ("finetune",), RATES, 1, str(tiny_folder), (LETTERS,), rounds=1)
    grid = campaign_grid(campaign, tmp_path)
    learn_all(grid)
    examine_all(grid)
    assert list(open_jobs(grid)) == []
    found = choose(tune.tune(campaign, grid, 1, lambda state: None), tmp_path / "log.jsonl")
    assert [trial.learning_rate for trial in found] == list(RATES)
    assert sum(trial.chosen for trial in found) == 1
    for trial in found:
        assert trial.criterion == pytest.approx(
            trial.acc if trial.rho is None else harmonic_mean((trial.acc, trial.rho))
        )


def test_a_rate_that_fails_removes_its_own_trial_alone(tmp_path, tiny_folder):
    campaign = Campaign("smoke", ("finetune",), RATES, 1, str(tiny_folder), (LETTERS,), rounds=1)
    grid = campaign_grid(campaign, tmp_path)
    *fine, highest = [Cell(arm.name, 9001) for arm in grid.request.taught]
    for cell in fine:
        learn_cell(grid, cell)
    fail(grid, Job("learning", highest), Failure("learning", "the loss is nan"))
    for cell in (Cell("base", 9001), *fine):
        examine_cell(grid, cell)
    found = choose(tune.tune(campaign, grid, 1, lambda state: None), tmp_path / "log.jsonl")
    assert [trial.criterion is None for trial in found] == [False, False, False, True]
    assert sum(trial.chosen for trial in found) == 1


def test_settings_that_ship_are_settings_of_their_methods():
    for path in set(SETTINGS.glob("*/*.yaml")) - set(SETTINGS.glob(f"*/{request.EVERY}.yaml")):
        assert path.parent.name in TIERS
        assert tuned(path.parent.name, path.stem)
        arm_of(path.parent.name, path.stem, path.stem, {})


def test_what_holds_for_every_method_reaches_those_that_have_such_a_setting(tmp_path, monkeypatch):
    monkeypatch.setattr(request, "SETTINGS", tmp_path)
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "every.yaml").write_text("budget: 7\nepochs: 9\nlearning_rate: 0.5\n", encoding="utf-8")
    (tmp_path / "lab" / "replay.yaml").write_text("epochs: 4\n", encoding="utf-8")
    assert tuned("lab", "replay") == {"budget": 7, "epochs": 4, "learning_rate": 0.5}
    assert tuned("lab", "finetune") == tuned("lab", "joint") == {"epochs": 9, "learning_rate": 0.5}
    assert tuned("lab", "replay+ewc") == {"budget": 7, "epochs": 9, "learning_rate": 0.5}
    arm = arm_of("lab", "mine", "replay", {"learning_rate": "0.01"})
    assert tune._own("lab", arm) == {"epochs": 4}, "neither the rate nor what all methods have"


def test_a_broken_settings_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(request, "SETTINGS", tmp_path)
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "replay.yaml").write_text("- a\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"replay\.yaml holds no settings"):
        tuned("lab", "replay")
