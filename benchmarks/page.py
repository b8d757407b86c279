"""The findings of all benchmark scripts in, docs/benchmarks.md out.

.venv/bin/python benchmarks/page.py
"""

from __future__ import annotations

import json
from typing import Any

from contest import HERE
from findings import RESULTS

from everlearn.model.cache import DEFAULT_MODEL

PAGE = HERE.parent / "docs" / "benchmarks.md"

HEAD = """# Benchmarks

What the engine does beside what you would take instead. This page is written by `make benchmarks`; nobody edits it.

Each script of `benchmarks/` answers one question. Where a peer trains, scores or generates, its options are swept and
the best ones kept; then both work in turn (A B A B) on the same items with the same model (SmolLM2-135M-Instruct, but
for the small model of continual-learning frameworks) and the same number of threads. Machines are shared and their
speed changes, so only ratios count: the median over the turns, with the smallest and the largest. Peers are installed
into an environment of their own. The *share of the limit* is our floating-point operations a second over those of
`torch.mm` on the same shapes in bf16, taking turns with us, each shape in the fastest way that we know: factors turned
beforehand, by halves where that is faster. Operations outside products with weights are not counted as achieved. Why
goals were missed, with profiles: [decisions](decisions.md#speed).

| question | measured | against | ratio | goal | | commit |
|---|---|---|---|---|---|---|
"""

OPEN = (
    ("Training a 1B shape at 2k tokens on a GPU", "share of the GPU's bf16 peak", "needs a GPU", "≥ 0.45"),
    ("Training, short chats, all weights, on a GPU", "examples a second over TRL's", "needs a GPU", "≥ 2"),
    (
        "Scoring, requests about shared passages",
        "requests a second over lm-eval's",
        "failed its check of log-probabilities: [decisions](decisions.md#speed)",
        "≥ 10",
    ),
)
"""Questions that stay open where nothing was found, and why."""


def main() -> None:
    """Write the page."""
    records = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    dirty = [record["command"] for record in records if record["commit"].endswith("-dirty")]
    if dirty:
        raise SystemExit(f"measured on changes that are not committed, measure again: {', '.join(dirty)}")
    rows = [_row(record, finding) for record in records for finding in record["findings"]]
    answered = {record["question"] for record in records}
    rows += [
        f"| {question} | {measured} | – | {why} | {goal} | open | – |"
        for question, measured, why, goal in OPEN
        if question not in answered
    ]
    details = "\n".join(_details(record) for record in records)
    PAGE.write_text(HEAD + "\n".join(rows) + "\n\n" + details)


def _row(record: dict[str, Any], finding: dict[str, Any]) -> str:
    each, goal = finding["ratio"], finding["goal"]
    reached = each["median"] <= goal if finding["at_most"] else each["median"] >= goal
    cells = (
        record["question"],
        finding["measured"],
        finding["against"],
        f"**{each['median']:.2f}** ({each['low']:.2f}–{each['high']:.2f})",
        f"{'≤' if finding['at_most'] else '≥'} {goal:g}",
        "yes" if reached else "no",
        record["commit"],
    )
    return f"| {' | '.join(cells)} |"


def _details(record: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    lines = [
        f"## {record['question']}",
        "",
        f"`{record['command']}`, {record['date']}, commit {record['commit']}; {record['machine']}; {versions}"
        + (f"; model {model}" if (model := record.get("model", DEFAULT_MODEL)) != DEFAULT_MODEL else ""),
        *([f"beside {', '.join(record['peers'])}"] if record["peers"] else []),
        "",
    ]
    for title, value in record["notes"].items():
        if isinstance(value, dict):
            lines += [f"- {title}:", *(f"  - {name}: {each}" for name, each in value.items())]
        else:
            lines.append(f"- {title}: {value}")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
