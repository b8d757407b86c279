"""Origins and names in, the few words that point a person to them out: `lines 4, 9, 12 and 7 more`."""

from __future__ import annotations

from collections.abc import Sequence

from everlearn.records import Origin

_LINES_SHOWN = 10
_NAMES_SHOWN = 5


def places(origins: Sequence[Origin]) -> str:
    """The lines of all origins, by file where there are several files or whole files; at most ten of them."""
    lines_of: dict[str, list[int]] = {}
    for origin in origins[:_LINES_SHOWN]:
        lines_of.setdefault(origin.file, []).append(origin.line)
    one_file = len({origin.file for origin in origins}) == 1
    words = [_in_file(file, lines, one_file) for file, lines in lines_of.items()]
    return "; ".join(words) + _more(len(origins) - _LINES_SHOWN)


def listed(names: Sequence[str]) -> str:
    """The names with commas between them; at most five of them."""
    return ", ".join(names[:_NAMES_SHOWN]) + _more(len(names) - _NAMES_SHOWN)


def counted(number: int, name: str) -> str:
    """A number and its noun: `1 row`, `3 rows`."""
    return f"{number:,} {name}" + ("" if number == 1 else "s")


def _more(number: int) -> str:
    return f" and {number:,} more" if number > 0 else ""


def _in_file(file: str, lines: list[int], one_file: bool) -> str:
    if not any(lines):
        return file
    words = f"line{'' if len(lines) == 1 else 's'} {', '.join(str(line) for line in lines)}"
    return words if one_file else f"{file} {words}"
