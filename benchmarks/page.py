"""The findings of all benchmark scripts in, docs/benchmarks.md out.

.venv/bin/python benchmarks/page.py
"""

from __future__ import annotations

import json
from typing import Any

from contest import HERE
from findings import RESULTS
from limit import LIMIT

from everlearn.model.cache import DEFAULT_MODEL

PAGE = HERE.parent / "docs" / "benchmarks.md"

HEAD = """# Benchmarks

What the engine does beside what you would take instead. This page is written by `make benchmarks`; nobody edits it.

Each script of `benchmarks/` answers one question. Where a peer trains, scores or generates, its options are swept and
the best ones kept; then both work in turn (A B A B) on the same items with the same model (SmolLM2-135M-Instruct, but
for the small model of continual-learning frameworks, and random weights on a GPU) and the same number of threads.
Machines are shared and their speed changes, so only ratios count: the median over the turns, with the smallest and the
largest. Peers are installed into an environment of their own. The *share of the limit* is our floating-point operations
a second over those of `torch.mm` on the same shapes in bf16, taking turns with us, each shape in the fastest way that
we know: factors turned beforehand, by halves where that is faster; where that came out slower than we are, it says
nothing. Operations outside products with weights are not counted as achieved. Why goals were missed, with profiles:
[decisions](decisions.md#speed).

| question | measured | against | ratio | goal | reached | commit |
|---|---|---|---|---|---|---|
"""

OPEN = (
    ("Training a 1B shape at 2k tokens on a GPU", "share of the GPU's bf16 peak", "≥ 0.45"),
    ("Training, short chats, all weights, on a GPU", "examples a second over TRL's", "≥ 2"),
)
"""Questions that stay open where there is no GPU."""


def main() -> None:
    """Write the page."""
    records = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    dirty = [record["command"] for record in records if record["commit"].endswith("-dirty")]
    if dirty:
        raise SystemExit(f"measured on changes that are not committed, measure again: {', '.join(dirty)}")
    rows = [_row(record, finding) for record in records for finding in record["findings"]]
    answered = {record["question"] for record in records}
    rows += [
        f"| {question} | {measured} | – | needs a GPU | {goal} | open | – |"
        for question, measured, goal in OPEN
        if question not in answered
    ]
    details = "\n".join(_details(record) for record in records)
    PAGE.write_text(HEAD + "\n".join(rows) + "\n\n" + details)


def _row(record: dict[str, Any], finding: dict[str, Any]) -> str:
    each, goal = finding["ratio"], finding["goal"]
    cells = (
        record["question"],
        finding["measured"],
        finding["against"],
        f"**{each['median']:.2f}** ({each['low']:.2f}–{each['high']:.2f})",
        f"{'≤' if finding['at_most'] else '≥'} {goal:g}",
        _verdict(record, finding),
        record["commit"],
    )
    return f"| {' | '.join(cells)} |"


def _verdict(record: dict[str, Any], finding: dict[str, Any]) -> str:
    """Whether the goal was reached, if the measurement can tell."""
    if record.get("failed"):
        return "a check failed"
    median, goal = finding["ratio"]["median"], finding["goal"]
    if finding["measured"] == LIMIT and median > 1:
        return "the limit was slower"
    return "yes" if (median <= goal if finding["at_most"] else median >= goal) else "no"


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
    lines += [f"- **check failed**: {told}" for told in record.get("failed", ())]
    for title, value in record["notes"].items():
        if value == {}:
            continue
        if isinstance(value, dict):
            lines += [f"- {title}:", *(f"  - {name}: {each}" for name, each in value.items())]
        else:
            lines.append(f"- {title}: {value}")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
