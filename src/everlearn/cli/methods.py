"""List the methods, with what each keeps and costs; or explain one."""

from __future__ import annotations

import argparse
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from everlearn.cli import DONE
from everlearn.cli.terminal.output import columns, emit, pairs

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from everlearn.methods.contract import Method

NEXT = (
    "`everlearn methods NAME` explains one, with its settings.",
    "Several train at once where they are joined: `everlearn learn DATA --method replay+ewc`.",
)


@dataclass(frozen=True)
class Line:
    """One method in the list."""

    name: str
    family: str
    keeps: str
    cost: str
    about: str


@dataclass(frozen=True)
class SettingLine:
    """One setting of a method."""

    name: str
    default: object
    help: str


@dataclass(frozen=True)
class Whole:
    """One method with all that can be set."""

    method: Line
    settings: tuple[SettingLine, ...]
    """Its own first, then those that all methods which train have."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The method to explain."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a method, several joined by +, or a file with one")


def run(arguments: argparse.Namespace) -> int:
    """Print the list, or one method."""
    if arguments.name:
        whole = _whole(arguments.name)
        emit(arguments, whole, lambda: _explained(whole))
    else:
        lines = _lines()
        emit(arguments, lines, lambda: _listed(lines))
    return DONE


def _lines() -> list[Line]:
    """All methods, family by family."""
    from everlearn import plugins
    from everlearn.methods.contract import FAMILIES, Method

    found = [_line(name, plugins.find("methods", name, Method)) for name in plugins.names("methods")]
    return sorted(found, key=lambda line: FAMILIES.index(line.family))


def _line(name: str, method: type[Method]) -> Line:
    about = " ".join((method.__doc__ or "").split("\n\n")[0].split())
    return Line(name, method.family, method.keeps, method.cost, about)


def _listed(lines: list[Line]) -> RenderableType:
    """Two lines for each method, under the name of its family."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    width = max(len(line.name) for line in lines)
    parts: list[RenderableType] = []
    for family, some in itertools.groupby(lines, lambda line: line.family):
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, min_width=width + 2)
        table.add_column(overflow="fold")
        for line in some:
            told = Text(_sentence(line.about))
            table.add_row(f"  {line.name}", told.append(f"\nkeeps {line.keeps} · costs {line.cost}", style="dim"))
        parts += [Text(family, style="bold"), table, ""]
    return Group(*parts, *NEXT)


def _sentence(about: str) -> str:
    """The first sentence, without papers in brackets."""
    plain = re.sub(r" ?\([^()]*\d{4}[^()]*\)", "", about)
    return f"{re.split(r'[.](?: |$)', plain)[0]}."


def _whole(name: str) -> Whole:
    from everlearn.methods.contract import Gradient
    from everlearn.settings import settings_of
    from everlearn.stacking import method_called

    method: Any = method_called(name)
    usual = {setting.name: setting.default for setting in settings_of(Gradient)}
    known = settings_of(method)
    own = [one for one in known if usual.get(one.name, one) != one.default]
    ordered = [*own, *(one for one in known if one not in own)]
    return Whole(_line(name, method), tuple(SettingLine(one.name, one.default, one.help) for one in ordered))


def _explained(whole: Whole) -> RenderableType:
    from rich.console import Group

    line = whole.method
    facts = (("family", line.family), ("keeps", line.keeps), ("costs", line.cost))
    return Group(
        f"{line.name}: {line.about}",
        "",
        pairs(*facts),
        "",
        _settings(whole),
        "",
        f"  everlearn learn DATA --method {line.name} --set {whole.settings[0].name}={whole.settings[0].default}",
    )


def _settings(whole: Whole) -> Table:
    table = columns("setting", "default", "what it is")
    for setting in whole.settings:
        table.add_row(setting.name, str(setting.default), " ".join(setting.help.split()))
    return table
