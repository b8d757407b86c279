"""A Markdown or plain text file in, one document out, titled by its first heading or its file name."""

from __future__ import annotations

import re
from typing import ClassVar

from everlearn.data.formats.contract import DocumentFormat
from everlearn.data.source import Source
from everlearn.records import Document, Origin

_HASHES = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?:.*\n)*?---[ \t]*(?:\n|$)")
_FENCE = re.compile(r" {0,3}(```|~~~)")


class Markdown(DocumentFormat):
    """Prose: whatever text is in no other format."""

    last_resort: ClassVar = True

    def recognises(self, source: Source) -> bool:
        """Any text."""
        return source.is_text

    def item(self, source: Source) -> Document:
        """The whole text with `\\n` line ends."""
        text = source.text()
        return Document(text, _first_heading(text) or source.path.stem, Origin(source.name))


def _first_heading(text: str) -> str:
    """The first heading outside front matter and fenced code, empty if there is none."""
    before, fenced = "", False
    for line in _FRONT_MATTER.sub("", text, count=1).split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            if (found := _HASHES.fullmatch(line)) and found[1]:
                return found[1]
            if before and _UNDERLINE.fullmatch(line):
                return before
        before = "" if fenced else line.strip()
    return ""
