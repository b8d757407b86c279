"""Data in; a version, a report card and an exit code out."""

import json
import re

import pytest
import torch

from everlearn.cli.learn import PACKAGE
from everlearn.cli.terminal import plan
from everlearn.learner import DEFAULT_METHOD
from everlearn.store import Store
from everlearn.study.lesson import DEFAULT
from everlearn.train import loop

from .conftest import QUICK, TO_NO_AVAIL, contents, write_rows


def test_learning_makes_a_store_and_a_version(call, fresh, tiny_folder):
    outcome = call("learn", "rows.jsonl", "--questions", "asked.jsonl", "--model", str(tiny_folder), *QUICK)
    assert outcome.code == 0
    assert "Learnt" in outcome.out
    assert "Accepted" in outcome.out
    head = Store.open(fresh).head()
    base = Store.open(fresh).resolve("base")
    assert f"main is now at {head[:8]}, on top of {base[:8]}" in outcome.out
    assert 'everlearn ask "What is the code?"' in outcome.out
    assert f"a new store begins in {fresh}/.everlearn" in outcome.err


def test_json_has_the_same_figures_as_the_verdict(call, home):
    outcome = call("learn", "rows.jsonl", "--json", *TO_NO_AVAIL)
    card = outcome.json
    assert outcome.code == 3
    commit = Store.open(home).commit(card["id"])
    learnt = commit.verdict.comparisons[-1]
    assert card["parent"] == commit.parent
    assert card["accepted"] is False
    assert (card["learnt"]["before"], card["learnt"]["after"]) == (learnt.before, learnt.after)
    assert card["asked"] == "training examples"
    assert [one["name"] for one in card["general"]] == ["all skills", "chat", "format"]
    assert [one["name"] for one in card["earlier"]] == ["rows"]
    assert card["cost"]["tokens"]["new"] > 0


def test_a_rejected_version_is_kept_and_the_branch_stays(call, home):
    head = Store.open(home).head()
    outcome = call("learn", "rows.jsonl", *TO_NO_AVAIL)
    assert outcome.code == 3
    assert "Nothing trained" in outcome.out
    assert f"main stays at {head[:8]}; what was refused is kept as" in outcome.out
    assert "everlearn show" in outcome.out
    assert Store.open(home).head() == head
    assert len(Store.open(home).rejected()) == 2


def test_training_examples_stand_in_for_questions_and_it_says_so(call, home):
    assert "`--questions FILE` brings held-out ones" in call("learn", "rows.jsonl", *TO_NO_AVAIL).out


def test_progress_is_told_on_stderr(call, home):
    outcome = call("learn", "rows.jsonl", *TO_NO_AVAIL)
    assert "loading the model\n" in outcome.err
    assert "learning 1 of 1: loss " in outcome.err
    assert "loading" not in outcome.out


# --- help ---------------------------------------------------------------------------------------------------


def test_help_lists_strategies_with_their_first_lines_and_says_where_methods_are(call):
    outcome = call("learn", "--help")
    assert outcome.code == 0
    files = [path.stem for path in (PACKAGE / "study/strategies").glob("*.py")]
    for name in set(files) - {"__init__", "contract"}:
        assert f"\n  {name}" in outcome.out
    assert "`everlearn methods` lists them" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_help_names_the_defaults_that_are_used(call):
    said = " ".join(call("learn", "--help").out.split())
    assert f"(default: {DEFAULT_METHOD})" in said
    assert f"(default: {DEFAULT})" in said


def test_help_of_a_method_shows_its_settings(call):
    said = call("learn", "--method", "replay", "--help").out
    assert "settings of replay" in said
    assert "  budget=100000\n      bytes of earlier examples that are kept\n" in said


# --- wrong calls --------------------------------------------------------------------------------------------


def test_without_data_it_is_a_usage_error(usage_error):
    assert "give DATA to learn from, or --resume, or --discard" in usage_error("learn")


def test_data_and_resume_exclude_each_other(usage_error):
    assert "give DATA to learn from" in usage_error("learn", "rows.jsonl", "--resume")


def test_a_setting_without_a_value_is_a_usage_error(usage_error):
    assert "'epochs' is not of the form KEY=VALUE" in usage_error("learn", "rows.jsonl", "--set", "epochs")


ERRORS = {
    "missing file": (
        ["learn", "row.jsonl"],
        "row.jsonl: there is no such file or folder",
        "did you mean rows.jsonl?",
    ),
    "unknown method": (
        ["learn", "rows.jsonl", "--method", "reply"],
        "there is no method called 'reply'",
        "did you mean 'replay'? there are: ",
    ),
    "unknown setting": (
        ["learn", "rows.jsonl", "--method", "replay", "--set", "epoch=2"],
        "Replay has no setting 'epoch'",
        "did you mean 'epochs'? there are: ",
    ),
    "setting of the wrong type": (
        ["learn", "rows.jsonl", "--set", "epochs=many"],
        "setting 'epochs' got 'many', which is not of type int",
        "how often each example is seen",
    ),
    "unknown strategy": (
        ["learn", "rows.jsonl", "--study", "raw+rule"],
        "there is no study strategy called 'rule'",
        "did you mean 'rules'? there are: ",
    ),
    "unknown model": (
        ["learn", "rows.jsonl", "--model", "smollm2"],
        "there is no model 'smollm2'",
        "did you mean 'smollm2-135m'? there are: smollm2-135m; or a directory, or a hub id a/b",
    ),
    "questions that ask nothing": (
        ["learn", "rows.jsonl", "--questions", "notes.md"],
        "notes.md: markdown holds no questions",
        "give rows such as ",
    ),
    "unknown check": (
        ["learn", "rows.jsonl", "--questions", "checked.jsonl"],
        "checked.jsonl:1: there is no check called 'contain'",
        "did you mean 'contains'? there are: ",
    ),
    "nothing left to learn within the context": (
        ["learn", "long_question.jsonl"],
        "long_question.jsonl:1: nothing to learn within the context of 512 tokens",
        "mark an assistant turn as the target, or shorten what stands before it",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_found_before_a_store_is_made(call, fresh, tiny_folder, case):
    words, problem, hint = ERRORS[case]
    (fresh / "checked.jsonl").write_text('{"question": "What?", "answer": "a", "check": "contain"}\n')
    write_rows(fresh / "long_question.jsonl", [("x" * 600, "yes")])
    model = [] if "--model" in words else ["--model", str(tiny_folder)]
    outcome = call(*words, *model)
    error, shown_hint = outcome.err.splitlines()[-2:]
    assert outcome.code == 1
    assert error == f"error: {problem}"
    assert shown_hint.startswith(f"hint: {hint}")
    assert not (fresh / ".everlearn").exists()


def test_a_row_longer_than_the_context_is_cut_and_it_says_so(call, home):
    write_rows(home / "long.jsonl", [("Say x.", "x" * 600), ("Say y.", "y")])
    outcome = call("learn", "long.jsonl", *TO_NO_AVAIL)
    assert outcome.code == 3
    assert "note: 1 row is longer than the context of 512 tokens and cut there (line 1)\n" in outcome.err


def test_another_model_than_the_stores_is_refused(call, home, tiny_folder):
    outcome = call("learn", "rows.jsonl", "--model", "smollm2-135m")
    assert outcome.code == 1
    assert f"error: this store holds versions of {tiny_folder}, not of smollm2-135m\n" in outcome.err


def test_a_model_directory_is_remembered_by_its_absolute_path(call, fresh, tiny_folder, monkeypatch):
    (fresh / "model").symlink_to(tiny_folder)
    assert call("learn", "rows.jsonl", "--model", "model", *TO_NO_AVAIL).code == 3
    monkeypatch.chdir("/")
    assert call("ask", "What?", "--store", str(fresh)).code == 0


def test_a_run_that_does_not_fit_is_refused_before_it_begins(call, home, monkeypatch):
    monkeypatch.setattr(plan, "free_memory", lambda: 1_000_000)
    before = contents(home)
    outcome = call("learn", "rows.jsonl", "--set", "weights=full")
    assert outcome.code == 1
    assert "error: training 90,560 weights needs 0.00163 GB of memory, 0.001 GB are free\n" in outcome.err
    assert "hint: train new neurons or an adapter instead: --set weights=neurons" in outcome.err
    assert contents(home) == before


def test_out_of_memory_says_what_to_set(call, home, monkeypatch):
    def allocate(*anything):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4096 bytes.")

    monkeypatch.setattr(loop, "cross_entropy", allocate)
    outcome = call("learn", "rows.jsonl", *QUICK)
    assert outcome.code == 1
    assert outcome.err.splitlines()[-2:] == [
        "error: there is not enough memory: 4096 bytes more were needed at once",
        "hint: train less at once: --set weights=lora, or fewer rows: --set rows_per_step=8",
    ]


def test_a_loss_that_is_no_number_leaves_no_run_behind(call, home):
    nothing = ("--method", "finetune", "--set", "learning_rate=1e9", "--set", "least_steps=20")
    outcome = call("learn", "rows.jsonl", *nothing)
    assert outcome.code == 1
    assert re.search(r"error: the (loss|gradient) is (nan|inf) at step \d", outcome.err)
    assert "try a smaller learning_rate" in outcome.err
    assert call("learn", "rows.jsonl", *TO_NO_AVAIL).code == 3


# --- dry run ------------------------------------------------------------------------------------------------


def test_a_dry_run_leaves_the_store_as_it_was(call, home):
    before = contents(home)
    outcome = call("learn", "notes.md", "--dry-run", "--method", "replay")
    assert outcome.code == 0
    assert "nothing was trained and nothing was stored" in outcome.out
    for line in ("to learn  1 document →", "tokens    ", "time      about ", "memory    about ", "disk      "):
        assert line in outcome.out
    assert contents(home) == before


def test_a_dry_run_makes_no_store(call, fresh, tiny_folder):
    outcome = call("learn", "rows.jsonl", "--dry-run", "--json", "--model", str(tiny_folder))
    found = outcome.json
    assert outcome.code == 0
    assert not (fresh / ".everlearn").exists()
    assert found["examples"] == {"given": 3}
    assert found["not_counted"] == [name for name in DEFAULT.split("+") if name not in {"raw", "rules", "thesaurus"}]
    assert found["seconds"] > 0
    assert found["memory"] > found["disk"] > 90_000


def test_a_dry_run_counts_what_would_be_replayed(call, home):
    words = ("learn", "rows.jsonl", "--dry-run", "--json", "--method", "replay")
    with_replay = call(*words).json["trained"]
    without = call(*words, "--set", "old_per_step=0").json["trained"]
    assert with_replay > without


# --- interrupted --------------------------------------------------------------------------------------------


def stop_at(step: int, monkeypatch):
    """Ctrl-C in the middle of training."""
    whole = loop.collect_gradients
    seen = []

    def counted(model):
        seen.append(model)
        if len(seen) == step:
            raise KeyboardInterrupt
        return whole(model)

    monkeypatch.setattr(loop, "collect_gradients", counted)
    return lambda: monkeypatch.setattr(loop, "collect_gradients", whole)


def test_an_interrupted_run_says_how_to_go_on_and_can_be_resumed(call, home, monkeypatch):
    let_go = stop_at(6, monkeypatch)
    outcome = call("learn", "rows.jsonl", *QUICK)
    let_go()
    assert outcome.code == 130
    assert outcome.err.endswith(
        "\ninterrupted: `everlearn learn --resume` goes on, `everlearn learn --discard` drops the run\n"
    )
    refused = call("learn", "rows.jsonl", *QUICK)
    assert refused.code == 1
    assert "error: an interrupted run is in this store\n" in refused.err
    head = Store.open(home).head()
    resumed = call("learn", "--resume", "--json")
    assert resumed.json["parent"] == head
    assert Store.open(home).head() == (resumed.json["id"] if resumed.code == 0 else head)
    assert call("verify").code == 0


def test_an_interrupted_run_can_be_dropped(call, home, monkeypatch):
    let_go = stop_at(6, monkeypatch)
    call("learn", "rows.jsonl", *QUICK)
    let_go()
    assert call("learn", "--discard").out == "the interrupted run is dropped; no version was touched\n"
    assert call("learn", "--discard", "--json").json == {"discarded": False}
    outcome = call("learn", "--resume")
    assert outcome.err.splitlines()[-2:] == [
        "error: there is no interrupted run to resume",
        "hint: start one: everlearn learn DATA",
    ]


def test_a_run_is_not_resumed_on_another_version(call, home, monkeypatch):
    head = Store.open(home).head()
    let_go = stop_at(6, monkeypatch)
    call("learn", "rows.jsonl", *QUICK)
    let_go()
    call("rollback")
    outcome = call("learn", "--resume")
    assert outcome.code == 1
    assert f"error: the interrupted run began at {head[:8]}, but head is now" in outcome.err
    assert f"hint: `everlearn rollback {head[:8]}` goes back there" in outcome.err


def test_interrupted_before_anything_began(call, fresh, tiny_folder, monkeypatch):
    monkeypatch.setattr(plan, "read_items", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
    outcome = call("learn", "rows.jsonl", "--model", str(tiny_folder))
    assert outcome.code == 130
    assert outcome.err.endswith("\ninterrupted: nothing was learnt, and there is nothing to resume\n")


def test_an_adapter_is_not_put_on_a_lineage_of_full_weights(call, home):
    outcome = call("learn", "rows.jsonl", "--set", "weights=lora")
    assert outcome.code == 1
    assert "error: this lineage changes all weights, not a LoRA adapter (rank 32, on upper layers)" in outcome.err
    assert call("learn", "--discard", "--json").json == {"discarded": False}


def test_the_plan_uses_the_memory_of_the_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (7, 9))
    assert plan._free_memory() == 7


def test_json_of_a_version_is_what_show_says_too(call, home):
    learnt = call("learn", "rows.jsonl", "--json", *TO_NO_AVAIL).json
    shown = call("show", learnt["id"][:10], "--json").json
    assert json.dumps(shown["card"], sort_keys=True) == json.dumps(learnt, sort_keys=True)
