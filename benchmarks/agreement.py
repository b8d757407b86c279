"""Do our methods compute the same numbers as those of well-known libraries? Comparisons in, the largest relative
difference of each out.

    .venv/bin/python benchmarks/agreement.py [NAME ...]

A comparison is one file of `benchmarks/agreements/`. Its docstring says what is compared and what cannot be, in one
sentence each. It has
    TITLE: the row it makes, in a few words;
    PEER: the file of requirements whose environment the peer lives in, "" where it is installed beside everlearn;
    LIMIT: the largest relative difference that is no more than rounding;
    ours(): runs where everlearn is installed and returns tensors by name;
    theirs(ours): runs in the peer's environment, is given these, and returns tensors of the same names; it may look at
        what is drawn at random, as labels, and must compute all else by the peer.
What both need (a network, a batch) is made in the file without torch's random numbers, which differ between releases.
Whatever a side imports beyond torch it imports inside its function: the file is read in both environments.

A difference is relative to the largest number of its tensor: max |ours − theirs| / max |theirs|.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from contest import HERE, tell
from environments import OURS, packages, peers
from findings import write

AGREEMENTS = HERE / "agreements"

SIDE = """
import runpy, sys, torch
torch.set_num_threads(1)
script, side, *given, made = sys.argv[1:]
torch.save(runpy.run_path(script)[side](*map(torch.load, given)), made)
"""
"""Runs one side of a comparison in whatever Python: the file, the side, where what it is given is, where to write."""

Tensors = Mapping[str, torch.Tensor]


def differences(ours: Tensors, theirs: Tensors) -> dict[str, float]:
    """By name, the largest difference relative to the peer's largest number."""
    assert ours.keys() >= theirs.keys(), f"the peer returns more: {theirs.keys() - ours.keys()}"
    return {
        name: float((ours[name].double() - each.double()).abs().max() / each.double().abs().max())
        for name, each in theirs.items()
    }


def compare(script: Path) -> dict[str, float]:
    """The differences that a comparison finds, each side in an environment of its own."""
    peer = str(runpy.run_path(str(script))["PEER"])
    python = peers(peer) if peer else OURS
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours.pt", Path(folder) / "theirs.pt"
        subprocess.run([str(OURS), "-c", SIDE, str(script), "ours", str(ours)], check=True)
        subprocess.run([str(python), "-c", SIDE, str(script), "theirs", str(ours), str(theirs)], check=True)
        return differences(torch.load(ours), torch.load(theirs))


def main() -> None:
    """Compare, print, and write if all were compared."""
    asked = sys.argv[1:]
    found: dict[str, Any] = {}
    failed, lists = [], set()
    for script in sorted(AGREEMENTS.glob("*.py")):
        if asked and script.stem not in asked:
            continue
        told = runpy.run_path(str(script))
        differ = compare(script)
        most = max(differ.values())
        lists.add(told["PEER"])
        found[told["TITLE"]] = {
            "largest relative difference": f"{most:.1e}",
            "at most": f"{told['LIMIT']:.0e}",
            "of": {name: f"{each:.1e}" for name, each in differ.items()},
            "compared": " ".join(told["__doc__"].split()),
        }
        tell(f"{told['TITLE']}: {most:.1e}, wanted at most {told['LIMIT']:.0e}")
        if not most <= told["LIMIT"]:
            failed.append(f"{told['TITLE']}: {most:.1e} is more than {told['LIMIT']:.0e}")
    if asked:
        raise SystemExit("\n".join(failed))
    names = sorted({name for each in lists if each for name in packages(each)})
    write("The same numbers as the peers'", [], found, names, failed, model="small networks")


if __name__ == "__main__":
    main()
