"""A store that learnt a case week by week in; what joint training on the same examples learns and loses, out.

    .venv/bin/python benchmarks/joint_reference.py everlearn-demo --set weights=lora --set learning_rate=3e-3

Everything the weeks taught, without what a correction retired, is trained together from the base, and the questions of
the last version are asked. Nothing is kept; the store is only read.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from everlearn import plugins
from everlearn.cli.terminal.progress import display
from everlearn.data.reading import read_questions
from everlearn.demo import EXAMPLE, OLD_VALUES, retention, share
from everlearn.examiner import Suite, answer_all, examine
from everlearn.learner import Learner
from everlearn.methods.contract import Method
from everlearn.model.language_model import LanguageModel
from everlearn.records import decode
from everlearn.settings import values_of, with_values
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Run


def main() -> None:
    """Train on all at once, examine, then print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("--case", type=Path, default=EXAMPLE)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    method = with_values(plugins.find("methods", "joint", Method), dict(entry.split("=", 1) for entry in arguments.set))
    learner = Learner(arguments.store)
    examples = learner.lineage.examples("head")
    model = LanguageModel.load(learner.model.name)
    meter, begin = Meter(model.parameters), time.monotonic()
    with display() as tell, tempfile.TemporaryDirectory() as scratch:
        checkpoints = Checkpoints(Path(scratch), meter, every_seconds=1e9)
        method.learn(model, examples, {}, Run(arguments.seed, meter, checkpoints, tell))
    seconds = round(time.monotonic() - begin)
    figures = _figures(learner, model, meter, arguments.case)
    print(json.dumps({"settings": values_of(method), "examples": len(examples), "seconds": seconds, **figures}))


def _figures(learner: Learner, model: LanguageModel, meter: Meter, case: Path) -> dict[str, object]:
    root = learner.store.commit(learner.lineage.root())
    suite = decode(Suite, learner.store.get(root.memory_objects["suite.json"]))
    exam = examine(model, suite, learner.lineage.stages("head"), meter)
    known: dict[str, list[bool]] = defaultdict(list)
    for stage in exam.stages:
        for answer in stage.answers:
            known[f"{stage.name} {answer.group}".strip()].append(answer.correct)
    old = answer_all(model, read_questions(case / OLD_VALUES), meter)
    return {
        "known": {name: round(sum(right) / len(right), 3) for name, right in known.items()},
        "old value": round(share(old), 3),
        "general": round(retention(learner.lineage.exam("base"), exam), 3),
    }


if __name__ == "__main__":
    main()
