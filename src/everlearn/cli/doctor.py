"""Check this machine and the store, with advice."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from everlearn.cli import DONE, ERROR
from everlearn.cli.terminal.health import FAULT, examine_machine, examine_store
from everlearn.cli.terminal.output import columns, emit
from everlearn.cli.terminal.stores import store_folder

if TYPE_CHECKING:
    from rich.console import RenderableType

    from everlearn.cli.terminal.health import Finding


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing to choose."""


def run(arguments: argparse.Namespace) -> int:
    """Print what was found, with advice; 1 if something is broken."""
    findings = [*examine_machine(store_folder(arguments)), *examine_store(store_folder(arguments))]
    emit(arguments, findings, lambda: _page(findings))
    return ERROR if any(finding.state == FAULT for finding in findings) else DONE


def _page(findings: list[Finding]) -> RenderableType:
    from rich.text import Text

    page = columns("", "what", "found")
    styles = {"ok": "green", "attention": "yellow", "fault": "bold red"}
    marks = {"ok": "ok", "attention": "!", "fault": "FAULT"}
    for finding in findings:
        said = f"{finding.found}\n{finding.advice}" if finding.advice else finding.found
        page.add_row(Text(marks[finding.state], styles[finding.state]), finding.what, said)
    return page
