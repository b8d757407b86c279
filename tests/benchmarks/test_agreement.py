"""Comparisons with libraries have all that they need; those whose peer is installed beside everlearn agree."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted((BENCHMARKS / "agreements").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_comparison_has_all_it_needs_and_agrees_where_its_peer_is_here(script, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    from agreement import differences

    told = runpy.run_path(str(script))
    assert told["__doc__"]
    assert told["TITLE"]
    assert callable(told["theirs"])
    if told["PEER"]:
        assert (BENCHMARKS / told["PEER"]).is_file()
        return
    with torch.random.fork_rng():
        ours = told["ours"]()
        assert max(differences(ours, told["theirs"](ours)).values()) <= told["LIMIT"]


def test_a_difference_is_relative_to_the_peers_largest_number(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    from agreement import differences

    found = differences({"a": torch.tensor([1.0, 10.5]), "extra": torch.ones(1)}, {"a": torch.tensor([1.0, 10.0])})
    assert found == {"a": 0.05}
