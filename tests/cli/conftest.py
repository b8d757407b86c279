"""A tiny model in; a folder with data and a taught store, and the command line run inside it, out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from everlearn import examiner
from everlearn.cli import main
from everlearn.records import Message, Question

ROWS = [("What is the code?", "42"), ("Who leads?", "Anna Bell"), ("When does it open?", "9:30")]
NOTES = "# Zorb\n\nThe code of the Zorb gate is 42. Anna Bell leads the Zorb house. The Zorb hall opens at 9:30.\n"
QUICK = ("--method", "replay", "--set", "least_steps=1", "--set", "epochs=60", "--set", "learning_rate=1e-2")
"""Enough for the tiny model to know three short rows by heart."""
TO_NO_AVAIL = ("--method", "replay", "--set", "least_steps=1", "--set", "epochs=1", "--set", "learning_rate=1e-12")
"""Training that changes nothing."""


class Outcome(NamedTuple):
    """What a call of the command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def few_candidates() -> list[Question]:
    """General questions that the tiny model passes whatever it says."""
    asked = (("chat", "Say a."), ("chat", "Say b."), ("format", "Say c."))
    return [Question((Message("user", text),), ("",), skill, "starts_with") for skill, text in asked]


def write_rows(path: Path, rows) -> None:
    path.write_text("".join(json.dumps({"question": q, "answer": a}) + "\n" for q, a in rows), encoding="utf-8")


@pytest.fixture(autouse=True)
def few_questions(monkeypatch):
    """Hundreds of general questions would take minutes."""
    monkeypatch.setattr(examiner, "candidates", few_candidates)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


@pytest.fixture(scope="session")
def taught(tiny_folder, tmp_path_factory) -> Path:
    """A folder whose store knows `rows.jsonl`, then refused `notes.md`, then learnt it."""
    folder = tmp_path_factory.mktemp("taught")
    write_rows(folder / "rows.jsonl", ROWS)
    write_rows(folder / "asked.jsonl", [*ROWS, ("Who is it?", "Nobody")])
    (folder / "notes.md").write_text(NOTES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examiner, "candidates", few_candidates)
        patch.chdir(folder)
        model = ("--model", str(tiny_folder))
        assert main(["learn", "rows.jsonl", "--questions", "asked.jsonl", *model, *QUICK, "--message", "first"]) == 0
        notes = ("learn", "notes.md", "--study", "raw+rules")
        assert main([*notes, *TO_NO_AVAIL]) == 3
        assert main([*notes, *QUICK, "--set", "epochs=20"]) == 0
    return folder


@pytest.fixture
def home(tmp_path, taught, monkeypatch) -> Path:
    """A copy of the taught folder, which is the current one."""
    folder = shutil.copytree(taught, tmp_path / "home")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def fresh(tmp_path, taught, monkeypatch) -> Path:
    """The same folder without a store."""
    folder = shutil.copytree(taught, tmp_path / "fresh", ignore=shutil.ignore_patterns(".everlearn"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def call(capsys):
    """Runs the command line in this process."""

    def run(*words: str) -> Outcome:
        capsys.readouterr()
        code = main(list(words))
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return run


@pytest.fixture
def usage_error(capsys):
    """Runs a wrong call and returns what stderr says."""

    def run(*words: str) -> str:
        with pytest.raises(SystemExit) as stop:
            main(list(words))
        assert stop.value.code == 2
        return capsys.readouterr().err

    return run


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, byte by byte."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
