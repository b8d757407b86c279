"""What the benchmarks make of figures: ratios of neighbouring turns, the best of some settings, rows of the page."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ECHO = """
import json, sys
job = json.loads(sys.argv[1])
print(json.dumps({"ready": True}), flush=True)
while sys.stdin.readline():
    if job.get("fails"):
        raise SystemExit("out of order")
    print(json.dumps({"seconds": job["seconds"], "units": 10, "flops": 0, "peak": 1}), flush=True)
    print(json.dumps({"ready": True}), flush=True)
"""


@pytest.fixture
def contest(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    module = importlib.import_module("contest")
    monkeypatch.setattr(module, "HERE", tmp_path)
    (tmp_path / "contestants").mkdir()
    (tmp_path / "contestants" / "echo.py").write_text(ECHO)
    return module


def contestant(contest, name, seconds, **more):
    return contest.Contestant(name, "echo.py", Path(sys.executable), {"seconds": seconds, **more})


def test_a_ratio_is_the_median_of_neighbouring_turns(contest):
    assert contest.ratio([2, 9, 4], [1, 3, 4]) == (2, 1, 3)
    assert str(contest.ratio([2, 9, 4], [1, 3, 4])) == "2.00 (1.00–3.00)"


def test_turns_alternate_and_are_compared(contest):
    turns = contest.alternate([contestant(contest, "us", 1), contestant(contest, "peer", 4)], 3)
    assert [len(taken) for taken in turns.values()] == [3, 3]
    assert contest.quicker(turns["us"], turns["peer"]).median == 4


def test_the_best_setting_is_kept_and_failures_are_told(contest):
    settings = [contestant(contest, str(seconds), seconds) for seconds in (5, 2, 3, 8)]
    broken = contestant(contest, "broken", 1, fails=True)
    swept = contest.sweep([*settings, broken], contestant(contest, "yardstick", 2))
    assert swept.best.name == "2"
    assert contest.best_of(settings, {"5": 0.4, "2": 1.0, "3": "failed"}).name == "2"
    assert swept.final == {"2": 5.0, "3": 3.333, "5": 2.0}
    assert swept.relative == {"5": 0.4, "2": 1.0, "3": 0.667, "8": 0.25, "broken": "failed: out of order"}
    with pytest.raises(contest.ContestantError, match="no setting of the peer works"):
        contest.sweep([broken], contestant(contest, "yardstick", 2))


@pytest.mark.parametrize(("at_most", "reached"), [(False, "yes"), (True, "no")])
def test_a_row_says_whether_the_goal_was_reached(contest, at_most, reached):
    page = importlib.import_module("page")
    finding = {"measured": "speed", "against": "a peer", "goal": 3.0, "at_most": at_most}
    row = page._row(
        {"question": "Training", "commit": "abc"}, finding | {"ratio": {"median": 3.5, "low": 3.0, "high": 4.0}}
    )
    assert (
        row == f"| Training | speed | a peer | **3.50** (3.00–4.00) | {'≤' if at_most else '≥'} 3 | {reached} | abc |"
    )


def test_no_goal_is_reached_where_a_check_failed_or_the_limit_was_slower(contest):
    page = importlib.import_module("page")
    speed = {"measured": "speed", "goal": 3.0, "at_most": False, "ratio": {"median": 3.5}}
    assert page._verdict({"failed": ["they differ"]}, speed) == "a check failed"
    assert page._verdict({"failed": []}, speed) == page._verdict({}, speed) == "yes"
    share = {**speed, "measured": page.LIMIT, "goal": 0.7, "ratio": {"median": 1.09}}
    assert page._verdict({}, share) == "the limit was slower"


def test_findings_are_kept_though_a_check_failed(contest, tmp_path, monkeypatch):
    findings = importlib.import_module("findings")
    monkeypatch.setattr(findings, "RESULTS", tmp_path)
    found = [findings.Finding("speed", "a peer", contest.Ratio(3.5, 3.0, 4.0), 3.0)]
    with pytest.raises(SystemExit, match="they differ"):
        findings.write("Training", found, {}, failed=["they differ"])
    (path,) = tmp_path.glob("*.json")
    assert json.loads(path.read_text())["failed"] == ["they differ"]


def test_questions_that_stay_open_are_those_of_scripts(contest):
    """A row would stay open for ever if its name were not the script's."""
    page = importlib.import_module("page")
    sources = "".join(path.read_text() for path in BENCHMARKS.glob("*.py") if path.name != "page.py")
    for question, *_ in page.OPEN:
        assert question.removesuffix(", on a GPU") in sources


def test_the_large_shape_can_be_learnt_and_measured(contest, tmp_path, monkeypatch):
    """With two thin layers, as the real one needs a GPU."""
    large = importlib.import_module("training_large_shape")
    thin = {**large.SHAPE, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
    shape = large.LlamaConfig(**{**thin, "num_attention_heads": 4, "num_key_value_heads": 2})
    large.write_random(large.model_directory(large.MODEL), shape, tmp_path)
    monkeypatch.setattr(contest, "HERE", BENCHMARKS)
    turn = contest.once(large.contestant(str(tmp_path), 1, 1))
    assert turn.units == 1 and turn.flops > 0
    assert turn.more["tokens"] == pytest.approx(2048, rel=0.1)
    assert large.peak("NVIDIA H100 PCIe") < large.peak("NVIDIA H100 80GB HBM3")
    with pytest.raises(SystemExit, match="into PEAKS first"):
        large.peak("a new one")
