"""The digest of some weights in, the answers that they have given to a person's questions out: none is asked for twice.

A file of lines of JSON for each version of the weights, only ever appended to. It is a cache: a line
that a crash cut short is passed over, and all of it may be deleted.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from everlearn.records import Answer, decode, encode
from everlearn.store.durable import explained, make_folder, perform

ASKING = 1
"""Raised whenever the same weights would answer otherwise: another way to ask, or other arithmetic."""


class AnswerBook:
    """Answers of one version of the weights, by the digest of their question."""

    def __init__(self, root: Path, weights: str) -> None:
        self._path = root / "answers" / f"{weights[:32]}-{ASKING}.jsonl"

    def known(self) -> dict[str, Answer]:
        """What has been answered."""
        if not self._path.is_file():
            return {}
        with explained("read", self._path):
            lines = self._path.read_bytes().splitlines()
        answers = [_answer(line) for line in lines]
        return {answer.question: answer for answer in answers if answer}

    def add(self, answers: Iterable[Answer]) -> None:
        """Keep answers; questions that could not be asked are not kept."""
        told = b"".join(encode(answer) + b"\n" for answer in answers if not answer.error)
        if not told:
            return
        with explained("write", self._path):
            make_folder(self._path.parent)
            file = perform(os.open, self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                # a line of its own, whatever stands before: a crash may have left the last one without its end
                written = perform(os.write, file, b"\n" + told)
            finally:
                os.close(file)
            if written <= len(told):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def books_of(root: Path, weights: Iterable[str]) -> list[Path]:
    """The files of these weights' answers, and those that were asked for in ways that are past."""
    gone = {digest[:32] for digest in weights}
    with explained("read", root):
        books = sorted((root / "answers").glob("*.jsonl"))
    return [book for book in books if book.stem[:32] in gone or not book.stem.endswith(f"-{ASKING}")]


def _answer(line: bytes) -> Answer | None:
    try:
        return decode(Answer, line)
    except ValueError:
        return None
