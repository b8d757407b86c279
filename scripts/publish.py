"""A grid's folder and a name in; its report and the means that method pages show, in docs/leaderboard, out.

python scripts/publish.py bench-lab lab
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

from method_pages import LEADERBOARD, SCORES

from everlearn.bench.arms import REFERENCES
from everlearn.bench.grid import Arm, read_file


def main() -> None:
    """Write NAME.html and NAME.csv."""
    folder, name, *others = sys.argv[1:]
    beside = [word for other in others for word in ("--beside", other)]
    page = LEADERBOARD / f"{name}.html"
    with tempfile.TemporaryDirectory() as scratch:
        report = ("everlearn", "bench", "report", folder, "--csv", scratch, "--html", str(page), *beside)
        subprocess.run(report, check=True, stdout=subprocess.DEVNULL)
        with (Path(scratch) / "means.csv").open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["score"] in SCORES and row["mean"]]
    names = {arm.name: shown(arm) for arm in read_file(Path(folder)).request.arms}
    with (LEADERBOARD / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("method", "reference", "score", "mean", "low", "high", "streams"))
        for row in rows:
            figures = (f"{float(row[key]):.6g}" if row[key] else "" for key in ("mean", "low", "high"))
            writer.writerow((names[row["method"]], row["reference"], row["score"], *figures, row["streams"]))
    print(f"written: {page} and the means beside it; now: make pages")


def shown(arm: Arm) -> str:
    """An arm's method, and its own name where that is another one."""
    own = arm.name in (*REFERENCES, arm.method)
    return arm.name if own else f"{arm.method} ({arm.name})"


if __name__ == "__main__":
    main()
