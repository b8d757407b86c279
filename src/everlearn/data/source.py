"""A path in; the decoded lines of its file out, or one clear error where it cannot be read as text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from everlearn.data.places import listed
from everlearn.errors import DataError

LONGEST_LINE = 100_000_000
"""Bytes; a longer line is refused before it fills the memory."""

_HEAD = 8192
"""Bytes looked at to tell text from anything else."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_WIDE_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}

_SIGNATURES = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive or office document",
    b"\x1f\x8b": "a gzip archive",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"PAR1": "a Parquet file",
}

_JSON_START = re.compile(r"\s*(\{\s*[\"'}]|\[\s*\{)")
_JSON_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})


@dataclass(frozen=True)
class Source:
    """One file, or one folder that is data as a whole (a skill, a saved dataset)."""

    path: Path

    @property
    def name(self) -> str:
        """The path as it was given, for messages and origins."""
        return str(self.path)

    @cached_property
    def head(self) -> bytes:
        """The first bytes of the file; empty for a folder."""
        if self.path.is_dir():
            return b""
        try:
            with self.path.open("rb") as stream:
                return stream.read(_HEAD)
        except OSError as error:
            raise unreadable(self.path, error) from None

    @cached_property
    def binary_kind(self) -> str:
        """What a file that is not text seems to be; empty for text of any encoding and for folders."""
        for signature, kind in _SIGNATURES.items():
            if self.head.startswith(signature):
                return kind
        if _wide_encoding(self.head):
            return ""
        control = sum(byte < 32 and byte not in b"\t\n\r\f\b\x1b" for byte in self.head)
        return "binary" if 0 in self.head or control > 0.05 * len(self.head) else ""

    @property
    def is_text(self) -> bool:
        """Whether this is a file of text, in whatever encoding."""
        return not self.path.is_dir() and not self.binary_kind

    @cached_property
    def beginning(self) -> str:
        """The first 20 lines that are not blank; empty for an empty file."""
        return "".join(islice((line for line in self.lines() if line.strip()), 20))

    @property
    def holds_json(self) -> bool:
        """Whether the content reads as JSON; the suffix only decides where it could be prose as well."""
        if not self.is_text:
            return False
        if _JSON_START.match(self.beginning):
            return True
        claimed = self.path.suffix.lower() in _JSON_SUFFIXES
        return claimed and re.search(r"^\s*[\[{]", self.beginning, re.MULTILINE) is not None

    def lines(self) -> Iterator[str]:
        """The lines with their ends, decoded from UTF-8; a byte-order mark at the start is dropped.

        Raises:
            DataError: not UTF-8 (with line and byte offset), a NUL byte, or a line over LONGEST_LINE.
        """
        if encoding := _wide_encoding(self.head):
            raise DataError(f"{self.name}:1: this file is {encoding}, not UTF-8", self._conversion(encoding))
        number, offset = 0, 0
        try:
            with self.path.open("rb") as stream:
                while raw := stream.readline(LONGEST_LINE + 1):
                    number += 1
                    yield self._decoded(raw, number, offset)
                    offset += len(raw)
        except OSError as error:
            raise unreadable(self.path, error) from None

    def text(self) -> str:
        """The whole file as one text with `\\n` line ends."""
        return "".join(self.lines()).replace("\r\n", "\n").replace("\r", "\n")

    def _decoded(self, raw: bytes, number: int, offset: int) -> str:
        place = f"{self.name}:{number}:"
        if len(raw) > LONGEST_LINE and not raw.endswith(b"\n"):
            raise DataError(
                f"{place} this line is longer than {LONGEST_LINE:,} bytes",
                "split it into several rows, one per line",
            )
        if b"\0" in raw:
            at = offset + raw.index(b"\0")
            raise DataError(
                f"{place} NUL byte at offset {at} of the file: this is not text",
                "restore the file from its source, or remove the damaged line",
            )
        skipped = len(_BYTE_ORDER_MARK) if number == 1 and raw.startswith(_BYTE_ORDER_MARK) else 0
        try:
            return raw[skipped:].decode("utf-8")
        except UnicodeDecodeError as error:
            at = skipped + error.start
            raise DataError(
                f"{place} not UTF-8: byte 0x{raw[at]:02x} at offset {offset + at} of the file",
                self._conversion("WINDOWS-1252"),
            ) from None

    def _conversion(self, encoding: str) -> str:
        file = self.path.name
        guess = " (if that is its encoding)" if encoding == "WINDOWS-1252" else ""
        return f"save it as UTF-8{guess}: iconv -f {encoding} -t UTF-8 {file} > utf8-{file}"


def existing(path: Path) -> Path:
    """The path itself, if there is a file or folder.

    Raises:
        DataError: there is none (the hint has the nearest name in the folder), or it is a device or a pipe.
    """
    if path.is_file() or path.is_dir():
        return path
    if path.exists():
        raise DataError(f"{path}: neither a file nor a folder", "save what it yields to a file first")
    raise DataError(f"{path}: there is no such file or folder", _neighbours(path))


def unreadable(path: Path, error: OSError) -> DataError:
    """The error for a file or folder that the system refuses to open."""
    reason = (error.strerror or str(error)).lower()
    return DataError(f"{path}: cannot be read: {reason}", "check that it exists and that you may read it")


def _neighbours(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder} either; check the path"
    names = sorted(child.name for child in folder.iterdir() if not child.name.startswith("."))
    if not names:
        return f"the folder {folder} is empty; check the path"
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {folder / close[0]}?"
    return f"the folder {folder} holds: {listed(names)}"


def _wide_encoding(head: bytes) -> str:
    """UTF-16 or UTF-32, told by the byte-order mark or by a NUL beside nearly every character."""
    for mark, encoding in _WIDE_MARKS.items():
        if head.startswith(mark):
            return encoding
    zeros = sorted((head[0::2].count(0), head[1::2].count(0)))
    return "UTF-16" if len(head) > 3 and zeros[0] == 0 and zeros[1] > 0.3 * len(head) else ""
