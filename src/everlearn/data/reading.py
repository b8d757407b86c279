"""A file or folder in; its items with their format and notes out, or its questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from everlearn.data.detection import Recognised, formats_of, recognised
from everlearn.data.formats.contract import DocumentFormat, TableFormat
from everlearn.data.places import counted, listed, places
from everlearn.data.rows import json_rows
from everlearn.data.source import Source, existing, unreadable
from everlearn.errors import DataError
from everlearn.records import Correction, Example, Item, Message, Origin, Question

_KINDS = "give JSONL, JSON, CSV, Markdown, plain text, a skill folder or a saved dataset"


@dataclass(frozen=True)
class Reading:
    """What was read from a path."""

    items: tuple[Item, ...]
    format: str
    """Name of the detected format; of a folder, the names of its files' formats joined by ` + `."""
    notes: tuple[str, ...] = ()
    """What a person should know, one line each."""
    duplicates: tuple[Origin, ...] = ()
    """Where the items stood that were left out because an equal one came before."""


def read_items(path: Path) -> Reading:
    """The items of a file, or of all files under a folder in sorted order; equal items are kept once.

    Raises:
        DataError: missing, empty, not UTF-8 text, of no known format, broken or of mixed formats.
    """
    folder = _walk(existing(path))
    names: list[str] = []
    notes: list[str] = []
    first: dict[Item, None] = {}
    duplicates: list[Origin] = []
    items: list[Item] = []
    for source in folder.sources:
        contents = _contents(source)
        names.append(contents.format)
        notes.extend(contents.notes)
        for item in contents.items():
            content = replace(item, origin=Origin())
            if content in first:
                duplicates.append(item.origin)
                continue
            first[content] = None
            items.append(item)
    if duplicates:
        notes.append(f"{counted(len(duplicates), 'duplicate row')} left out ({places(duplicates)})")
    return Reading(tuple(items), " + ".join(dict.fromkeys(names)), (*folder.notes, *notes), tuple(duplicates))


def read_questions(path: Path) -> tuple[Question, ...]:
    """The rows of a file or folder as exam questions.

    The last assistant turn (completion, output, answer, right) is the gold answer. A row may also have
    `alternatives` (a list of further accepted answers), `group` and `check`.

    Raises:
        DataError: as `read_items`; or the data are documents or skills, which ask nothing.
    """
    folder = _walk(existing(path))
    return tuple(question for source in folder.sources for question in _contents(source).questions(source.name))


@dataclass(frozen=True)
class _Contents:
    """What one source holds: rows, or one document or skill."""

    format: str
    rows: tuple[Recognised, ...] = ()
    document: Item | None = None
    notes: tuple[str, ...] = ()

    def items(self) -> Iterator[Item]:
        yield from (found.format.item(found.row) for found in self.rows)
        if self.document is not None:
            yield self.document

    def questions(self, file: str) -> Iterator[Question]:
        if self.document is not None:
            raise _asks_nothing(file, self.format)
        yield from (_question(found) for found in self.rows)


@dataclass(frozen=True)
class _Folder:
    """What lies at or under a path: sources of data, and a note of what else was found."""

    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()


def _walk(path: Path) -> _Folder:
    if path.is_file() or _claimed(Source(path)):
        return _Folder((Source(path),))
    sources: list[Source] = []
    others: list[str] = []
    for child in _children(path):
        if reason := _no_data(child):
            others.append(f"{child} ({reason})")
        else:
            sources.append(Source(child))
    if not sources:
        raise DataError(f"{path}: no data in this folder{f', only {listed(others)}' if others else ''}", _KINDS)
    return _Folder(tuple(sources), (f"left out: {listed(others)}",) if others else ())


def _children(folder: Path) -> Iterator[Path]:
    """Files and whole-data folders below a folder, sorted; links to folders are not followed."""
    try:
        children = sorted(folder.iterdir())
    except OSError as error:
        raise unreadable(folder, error) from None
    for child in children:
        if child.name.startswith("."):
            continue
        if child.is_dir() and not child.is_symlink() and not _claimed(Source(child)):
            yield from _children(child)
        else:
            yield child


def _no_data(path: Path) -> str:
    """Why a path found in a folder is passed over; empty if it is to be read."""
    if path.is_symlink() and path.is_dir():
        return "a link to a folder"
    if not path.is_file() and not path.is_dir():
        return "not a regular file"
    source = Source(path)
    return "" if source.is_text or _claimed(source) else source.binary_kind


def _claimed(source: Source) -> bool:
    """Whether a format takes a folder or a binary file as a whole."""
    tables, documents = formats_of(TableFormat).values(), formats_of(DocumentFormat).values()
    return any(table.recognises(source) for table in tables) or any(
        document.recognises(source) for document in documents
    )


def _contents(source: Source) -> _Contents:
    if source.is_text and not source.beginning:
        raise DataError(f"{source.name}: the file is empty", "put at least one row or one sentence into it")
    for name, table in formats_of(TableFormat).items():
        if table.recognises(source):
            return _Contents(name, _some(source, recognised(table.rows(source))))
    if source.holds_json:
        rows = _some(source, recognised(json_rows(source)))
        return _Contents(rows[0].name, rows)
    for name, document in formats_of(DocumentFormat).items():
        if document.recognises(source):
            return _Contents(name, document=document.item(source), notes=document.notes(source))
    kind = f" ({source.binary_kind})" if source.binary_kind != "binary" else ""
    raise DataError(f"{source.name}: this is a binary file{kind}, not text", _KINDS)


def _some(source: Source, rows: Iterator[Recognised]) -> tuple[Recognised, ...]:
    found = tuple(rows)
    if not found:
        raise DataError(f"{source.name}: the file has no rows", "put at least one row into it")
    return found


def _question(found: Recognised) -> Question:
    row, item = found.row, found.format.item(found.row)
    prompt: tuple[Message, ...]
    if isinstance(item, Correction):
        prompt, gold = (Message("user", item.question),), item.right
    elif isinstance(item, Example):
        last = max(n for n, message in enumerate(item.messages) if message.learn)
        prompt = tuple(replace(message, learn=False) for message in item.messages[:last])
        gold = item.messages[last].content
    else:
        raise _asks_nothing(f"{row.file}:{row.line}", found.name)
    if not prompt or prompt[-1].role != "user":
        raise row.error("no user turn before the last answer", "a question ends with the user; the answer follows it")
    accepted = dict.fromkeys((gold, *found.format.alternatives(row)))
    check = row.optional("check") or Question.grade
    return Question(prompt, tuple(accepted), row.optional("group"), check, row.origin)


def _asks_nothing(place: str, format: str) -> DataError:
    return DataError(
        f"{place}: {format} holds no questions",
        'give rows such as {"question": "...", "answer": "..."}, chat messages, or a CSV table',
    )
