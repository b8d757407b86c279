"""A case of three weeks, a method and its settings in; what was learnt, kept and paid after each week out.

    .venv/bin/python benchmarks/three_weeks.py --set strength=2 --weeks 1

Settings are to be chosen with this script on `second_case`, not on the demo's own case (docs/decisions.md says where
that was not kept). A run goes on where it was interrupted, in the folder that its settings name; after a change of the
code give a new --runs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from everlearn.cli.terminal.progress import display
from everlearn.demo import WEEKS, goals, learn_week, open_demo, retention, share
from everlearn.learner import Learner
from everlearn.records import digest
from everlearn.settings import values_of, with_values
from everlearn.stacking import method_called

SECOND_CASE = Path(__file__).parent / "second_case"


def main() -> None:
    """Learn the weeks, then print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--case", type=Path, default=SECOND_CASE)
    parser.add_argument("--method", default="anchored")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--weeks", type=int, default=len(WEEKS))
    parser.add_argument("--runs", type=Path, default=Path("benchmark-runs"))
    arguments = parser.parse_args()
    settings = dict(entry.split("=", 1) for entry in arguments.set)
    method = with_values(method_called(arguments.method), settings)
    named = {"case": arguments.case.name, "method": arguments.method, "settings": values_of(method)}
    with display() as tell:
        learner = open_demo(arguments.runs / digest(named)[:8], "", tell)
        for week in WEEKS[: arguments.weeks]:
            learn_week(learner, week, arguments.method, settings, arguments.case)
        print(json.dumps({**named, **_figures(learner, arguments.case)}))


def _figures(learner: Learner, case: Path) -> dict[str, object]:
    base = learner.lineage.exam("base")
    weeks = []
    for name, commit in learner.lineage.line("head")[1:]:
        exam = learner.lineage.exam(name)
        known = {stage.name: round(share(stage.answers), 3) for stage in exam.stages}
        weeks.append({"known": known, "general": round(retention(base, exam), 3), "seconds": commit.cost.seconds})
    return {"weeks": weeks, "goals": {goal.name: round(goal.reached, 3) for goal in goals(learner, case)}}


if __name__ == "__main__":
    main()
