"""Lines of JSON in, rows out; a row knows its file and line, and hands out only values of the right type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from everlearn.data.source import Source
from everlearn.errors import DataError
from everlearn.records import Origin

_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"\s*")
_BROKEN_HINT = "each line must be one whole JSON object; mend or delete this one"


@dataclass(frozen=True)
class Row:
    """One row of a file: its values by key, and where it stands."""

    file: str
    line: int
    values: dict[str, Any]

    @property
    def origin(self) -> Origin:
        """Where the item made of this row came from."""
        return Origin(self.file, self.line)

    def error(self, problem: str, hint: str) -> DataError:
        """An error that starts with the place of this row."""
        return DataError(f"{self.file}:{self.line}: {problem}", hint)

    def text(self, key: str) -> str:
        """The text under `key`, which must not be blank."""
        text = self.checked(self.values[key], f'"{key}"')
        if not text.strip():
            raise self.error(f'"{key}" is empty', f'write the text of "{key}", or delete the row')
        return text

    def optional(self, key: str) -> str:
        """The text under `key`; empty where the key is missing or null."""
        value = self.values.get(key)
        return "" if value is None else self.checked(value, f'"{key}"')

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts under `key`, none of them blank; empty where the key is missing or null."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self.error(f'"{key}" is {kind_of(value)}, not a list', f'write it as "{key}": ["first", "second"]')
        texts = tuple(self.checked(entry, f'entry {n} of "{key}"') for n, entry in enumerate(value, 1))
        if any(not text.strip() for text in texts):
            raise self.error(f'"{key}" has an empty entry', "write its text, or take the entry out")
        return texts

    def checked(self, value: object, name: str) -> str:
        """`value` itself if it is a text that can be stored; `name` says in errors which one it is."""
        if not isinstance(value, str):
            raise self.error(f"{name} is {kind_of(value)}, not a text", 'write it in quotes: "..."')
        if found := _SURROGATE.search(value):
            raise self.error(
                f"{name} has half a character at position {found.start() + 1}: \\u{ord(found[0]):04x}",
                "write the character itself, or both halves of its escape",
            )
        return value


def json_rows(source: Source) -> Iterator[Row]:
    """The rows of a JSON Lines file (blank lines are skipped) or of one JSON array, with 1-based lines.

    Raises:
        DataError: broken JSON (with line and column), or a row that is not an object.
    """
    array = source.beginning.lstrip().startswith("[")
    values = _array_values(source) if array else _line_values(source)
    for line, value in values:
        if not isinstance(value, dict):
            raise DataError(
                f"{source.name}:{line}: this row is {kind_of(value)}, not an object",
                'each row must be an object, such as {"prompt": "...", "completion": "..."}',
            )
        yield Row(source.name, line, value)


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return "null" if value is None else names.get(type(value), f"a {type(value).__name__}")


def quoted(names: Iterable[str]) -> str:
    """Names in double quotes, sorted, with commas between them."""
    return ", ".join(f'"{name}"' for name in sorted(names))


def _line_values(source: Source) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(source.lines(), 1):
        text = line.strip()
        if not text:
            continue
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            indent = len(line) - len(line.lstrip())
            early = error.pos >= len(text)
            problem = "the row stops before its end" if early else _message(error)
            column = indent + error.pos + 1
            raise DataError(
                f"{source.name}:{number}: broken JSON at column {column}: {problem}", _BROKEN_HINT
            ) from None
        except (ValueError, RecursionError) as error:
            raise _unparsable(source, number, error) from None
        yield number, value


def _array_values(source: Source) -> Iterator[tuple[int, Any]]:
    """The elements of one JSON array, each with the line it starts on."""
    text = source.text()
    decoder = json.JSONDecoder()
    at = _after_space(text, text.index("[") + 1)
    line, counted = 1, 0
    while not text.startswith("]", at):
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise _broken_array(source, text, error.pos, _message(error)) from None
        except (ValueError, RecursionError) as error:
            raise _unparsable(source, line, error) from None
        yield line, value
        at = _after_space(text, end)
        if text.startswith(",", at):
            at = _after_space(text, at + 1)
            if text.startswith("]", at):
                raise _broken_array(source, text, at, "a comma before the closing ]")
        elif not text.startswith("]", at):
            raise _broken_array(source, text, at, "expecting ',' or ']' after a row")
    rest = _after_space(text, at + 1)
    if rest < len(text):
        raise _broken_array(source, text, rest, "something follows the closing ]")


def _broken_array(source: Source, text: str, at: int, problem: str) -> DataError:
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return DataError(
        f"{source.name}:{line}: broken JSON at column {column}: {problem}",
        "the file must be one JSON list of objects: [{...}, {...}]",
    )


def _unparsable(source: Source, line: int, error: ValueError | RecursionError) -> DataError:
    deep = isinstance(error, RecursionError)
    problem = "lists or objects are nested too deeply" if deep else "a number has too many digits"
    return DataError(f"{source.name}:{line}: broken JSON: {problem}", _BROKEN_HINT)


def _after_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space is not None
    return space.end()


def _message(error: json.JSONDecodeError) -> str:
    return error.msg[:1].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
