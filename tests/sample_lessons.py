"""Small real inputs for tests of the whole path on the tiny model."""

from __future__ import annotations

from pathlib import Path

from everlearn.records import Message, Question

HANDBOOK = "# Zorb\n\nThe code of the Zorb gate is 42. Anna Bell leads the Zorb house. The Zorb hall opens at 9:30.\n"


def few_candidates() -> list[Question]:
    """A general suite that the tiny model can pass: whatever it says is right."""
    return [Question((Message("user", f"Say {word}"),), ("",), "chat", "max_words") for word in ("a", "b")]


def write_handbook(folder: Path) -> Path:
    path = folder / "handbook.md"
    path.write_text(HANDBOOK)
    return path
