"""Write a version as a PEFT adapter or a whole transformers model."""

from __future__ import annotations

import argparse
from pathlib import Path

from everlearn.cli import DONE
from everlearn.cli.terminal.output import emit
from everlearn.errors import ModelError
from everlearn.records import Commit
from everlearn.report.words import size

FORMS = ("adapter", "merged")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form, the target and the version."""
    parser.add_argument(
        "form",
        choices=FORMS,
        help="`adapter`: the LoRA adapter, for PEFT; `merged`: the whole model in bf16, for transformers",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a new or an empty folder")
    parser.add_argument("--at", metavar="REF", default="head", help="the version to write (default: head)")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and print how to load them."""
    from everlearn.cli.terminal.progress import display
    from everlearn.cli.terminal.stores import open_learner, short
    from everlearn.model.export import export_adapter, export_merged

    with display() as tell:
        learner = open_learner(arguments, tell)
        version = learner.checkout(arguments.at)
        _refuse_routed(learner.store.commit(version))
        write = export_adapter if arguments.form == "adapter" else export_merged
        write(learner.model, arguments.folder)
    written = sorted(path for path in arguments.folder.iterdir() if path.is_file())
    taken = sum(path.stat().st_size for path in written)
    facts = {
        "at": version,
        "form": arguments.form,
        "folder": str(arguments.folder),
        "files": [path.name for path in written],
        "bytes": taken,
    }
    loads = {
        "adapter": f'PeftModel.from_pretrained(base, "{arguments.folder}")',
        "merged": f'AutoModelForCausalLM.from_pretrained("{arguments.folder}")',
    }
    done = f"{short(version)} is in {arguments.folder} ({size(taken)}); load it with\n  {loads[arguments.form]}"
    emit(arguments, facts, lambda: done)
    return DONE


def _refuse_routed(commit: Commit) -> None:
    if commit.routed:
        raise ModelError(
            f"{commit.method} answers each prompt by weights that it chooses for it: no single model can hold them",
            "ask it here (everlearn ask, everlearn chat), or learn by a method that ends in one set of weights",
        )
