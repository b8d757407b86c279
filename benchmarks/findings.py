"""What a question's script has measured in, one JSON file for the page of all benchmarks out.

A finding is one ratio with its goal. A file is written at the end of a script alone, so that it is of one run.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import torch
from contest import HERE, MODEL, THREADS, Ratio, tell

RESULTS = HERE / "results"
PACKAGES = ("everlearn", "torch", "transformers", "peft")


class Finding(NamedTuple):
    """One row of the table."""

    measured: str
    """What is divided by what, in a few words."""
    against: str
    """The peer, at the settings that were best for it."""
    ratio: Ratio
    goal: float
    at_most: bool = False
    """Whether the goal is an upper bound."""

    @property
    def reached(self) -> bool:
        """Whether the median keeps to the goal."""
        return self.ratio.median <= self.goal if self.at_most else self.ratio.median >= self.goal


def write(
    question: str,
    findings: list[Finding],
    notes: dict[str, object],
    peers: Sequence[str] = (),
    failed: Sequence[str] = (),
    model: str = "",
) -> None:
    """Keep the findings of a question, named by its script, with what helps to read them.

    Args:
        question: as the page names it.
        findings: its rows.
        notes: what helps to read them.
        peers: packages and their versions.
        failed: checks that did not hold; no goal counts as reached then.
        model: if another one was measured than all scripts work with.

    Raises:
        SystemExit: a check failed; the findings are written all the same.
    """
    script = Path(sys.argv[0]).stem
    RESULTS.mkdir(exist_ok=True)
    record = {
        "question": question,
        "command": " ".join([f"python benchmarks/{script}.py", *sys.argv[1:]]),
        "date": date.today().isoformat(),
        "commit": COMMIT,
        "machine": machine(),
        "model": model or Path(MODEL).name,
        "versions": {name: version(name) for name in PACKAGES},
        "peers": list(peers),
        "failed": list(failed),
        "findings": [finding._asdict() | {"ratio": finding.ratio._asdict()} for finding in findings],
        "notes": notes,
    }
    kind = "_gpu" if torch.cuda.is_available() else ""
    (RESULTS / f"{script}{kind}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    for finding in findings:
        bound = "at most" if finding.at_most else "at least"
        tell(f"{question}: {finding.measured}: {finding.ratio}, wanted {bound} {finding.goal} ({finding.against})")
    if failed:
        raise SystemExit("\n".join(failed))


def commit() -> str:
    """Which state of everlearn was measured; what other scripts of the same run have found does not change it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=HERE, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":!/benchmarks/results", ":!/docs")
    return (git("describe", "--always") or "no repository") + ("-dirty" if changed else "")


COMMIT = commit()
"""As it was when the script began."""


def machine() -> str:
    """The processor and how much of it was used, or the GPU."""
    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
    flags = next((line for line in lines if line.startswith("flags")), "")
    return f"{name}, {THREADS} threads, " + ("bf16 matrix units" if "amx_bf16" in flags else "no bf16 matrix units")
