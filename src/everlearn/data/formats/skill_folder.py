"""A folder with a SKILL.md in, one skill out: name and description from its front matter, and its body."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from everlearn.data.formats.contract import DocumentFormat
from everlearn.data.places import listed
from everlearn.data.source import Source
from everlearn.errors import DataError
from everlearn.records import Origin, Skill

FILE = "SKILL.md"
LONGEST_NAME = 64
LONGEST_DESCRIPTION = 1024
"""Characters; both limits are those of the Agent Skills format."""

_FORM = "begin the file with: ---, name: my-skill, description: when to use it, --- (one per line)"
_QUOTES = 'put a value that holds ": " or " #" in quotes'


class SkillFolder(DocumentFormat):
    """Instructions with a name and a description of when to use them."""

    def recognises(self, source: Source) -> bool:
        """A folder that holds a SKILL.md, or that file itself."""
        return _skill_file(source).is_file()

    def item(self, source: Source) -> Skill:
        """The skill; its text is the body under the front matter.

        Raises:
            DataError: the front matter is missing or breaks a rule (with file, line and rule), or no body.
        """
        file = Source(_skill_file(source))
        lines = file.text().split("\n")
        front = _front_matter(file, lines)
        body = "\n".join(lines[front.last_line :]).strip()
        if not body:
            raise DataError(
                f"{file.name}:{front.last_line}: no instructions under the front matter",
                "write what the skill does",
            )
        return Skill(_name(file, front), _description(file, front), body, Origin(file.name))

    def notes(self, source: Source) -> tuple[str, ...]:
        """The folder's other files, which are not learnt."""
        folder = _skill_file(source).parent
        others = sorted(
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file() and path.relative_to(folder) != Path(FILE) and not _hidden(path, folder)
        )
        return (f"of {folder} only {FILE} was read, not {listed(others)}",) if others else ()


@dataclass(frozen=True)
class _FrontMatter:
    values: dict[str, str]
    lines: dict[str, int]
    """1-based line of each key."""
    last_line: int
    """The line of the closing ---."""


def _skill_file(source: Source) -> Path:
    """The SKILL.md of a folder or given by its path; otherwise a path that does not exist."""
    path = source.path
    return path if path.name == FILE else path / FILE


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _front_matter(file: Source, lines: list[str]) -> _FrontMatter:
    if lines[0].rstrip() != "---":
        raise DataError(f'{file.name}:1: a skill starts with front matter, but this line is not "---"', _FORM)
    closing = next((n for n, line in enumerate(lines[1:], 2) if line.rstrip() == "---"), 0)
    if not closing:
        raise DataError(f'{file.name}:1: the front matter has no closing "---"', _FORM)
    try:
        node = yaml.compose("\n".join(lines[1 : closing - 1]), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise DataError(f"{file.name}:{line}: broken YAML: {error.problem}", _QUOTES) from None
    except (yaml.YAMLError, RecursionError):
        raise DataError(f"{file.name}:2: broken YAML: unreadable characters or nesting", _FORM) from None
    if not isinstance(node, yaml.MappingNode):
        raise DataError(f"{file.name}:2: the front matter must be lines of `key: value`", _FORM)
    pairs = [(key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]
    values = {key.value: value.value for key, value in pairs if isinstance(value, yaml.ScalarNode)}
    return _FrontMatter(values, {key.value: key.start_mark.line + 2 for key, _ in pairs}, closing)


def _name(file: Source, front: _FrontMatter) -> str:
    name = _value(file, front, "name")
    place = f"{file.name}:{front.lines['name']}:"
    if len(name) > LONGEST_NAME:
        raise DataError(
            f"{place} the name has {len(name)} characters, at most {LONGEST_NAME} are allowed", "shorten it"
        )
    if not re.fullmatch(r"[a-z0-9-]+", name):
        fixed = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "my-skill"
        raise DataError(f'{place} the name "{name}" may hold only a-z, 0-9 and -', f"write name: {fixed}")
    return name


def _description(file: Source, front: _FrontMatter) -> str:
    description = _value(file, front, "description")
    if len(description) > LONGEST_DESCRIPTION:
        raise DataError(
            f"{file.name}:{front.lines['description']}: the description has {len(description)} characters, "
            f"at most {LONGEST_DESCRIPTION} are allowed",
            "say when to use the skill; the rest belongs into the body",
        )
    return description


def _value(file: Source, front: _FrontMatter, key: str) -> str:
    if key not in front.lines:
        raise DataError(f'{file.name}:1: the front matter has no "{key}"', _FORM)
    value = front.values.get(key, "")
    if not value.strip():
        raise DataError(f'{file.name}:{front.lines[key]}: "{key}" must be a text that is not empty', _FORM)
    return value.strip()
