"""Methods and published means in; the generated parts of docs/methods, its index and the README's table out.

    python scripts/method_pages.py

A part stands between `<!-- NAME -->` and `<!-- /NAME -->`; what is around it is written by hand.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from everlearn import plugins
from everlearn.bench.report.scoring import standing
from everlearn.methods.contract import FAMILIES, Gradient, Method
from everlearn.settings import Setting, settings_of

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "methods"
LEADERBOARD = ROOT / "docs" / "leaderboard"

SCORES = {
    "LA": "learnt",
    "BWT": "kept",
    "ACC": "ACC",
    "JNS": "JNS",
    "rho": "ρ",
    "OW": "OW",
    "CS_cross": "compose",
    "FLOPs": "FLOPs",
    "bytes per stage": "bytes",
}
"""What pages show of a leaderboard, and under which heading."""

BESIDE = ("finetune", "joint")
"""Whose means stand beside those of each method."""

FIRST = 10
"""How many methods the README shows."""

CHOOSES = " ‡"
"""Stands behind methods whose versions are more than one set of weights."""

LEGEND = (
    "learnt: right just after it was taught (LA); kept: its change by the end (BWT); ACC: right at the end, above "
    "chance; JNS: share of what joint training gains; ρ: general ability left; OW: right changes taken on, others "
    "left alone; compose: what two stages taught, together, over joint training's; FLOPs: of fine-tuning's; bytes: of "
    "memory, a stage. ±: 95 % interval over streams. ‡: weights are chosen for each prompt. What `scoped` keeps of "
    "general ability is the start model's own, whose weights stay beside the taught ones; reading a prompt once more "
    "to choose is not in its FLOPs."
)


class Mean(NamedTuple):
    """A score over streams."""

    value: float
    half: float | None
    """Half the 95 % interval; None for one stream."""
    streams: int


class Board(NamedTuple):
    """The means of one grid."""

    name: str
    means: dict[str, dict[str, Mean]]
    """By method and score."""
    references: frozenset[str] = frozenset()
    """Those of its lines that give the others a scale."""


def main() -> None:
    """Write all generated parts."""
    known = {name: plugins.find("methods", name, Method) for name in plugins.names("methods")}
    boards = published()
    for name, method in known.items():
        path = PAGES / f"{name}.md"
        path.write_text(page(path.read_text(encoding="utf-8"), name, method, boards), encoding="utf-8")
    index = {
        "methods": listed(known),
        "leaderboard": everything(boards),
        "settings": _table(settings_of(_any(Gradient))),
    }
    for path, parts in ((PAGES / "README.md", index), (ROOT / "README.md", {"leaderboard": headline(boards)})):
        text = path.read_text(encoding="utf-8")
        for part, content in parts.items():
            text = filled(text, part, content)
        path.write_text(text, encoding="utf-8")


def published() -> list[Board]:
    """Every grid whose means are in docs/leaderboard."""
    boards = []
    for path in sorted(LEADERBOARD.glob("*.csv")):
        means: dict[str, dict[str, Mean]] = {}
        references = set()
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                half = (float(row["high"]) - float(row["low"])) / 2 if row["low"] else None
                found = Mean(float(row["mean"]), half, int(row["streams"]))
                means.setdefault(row["method"], {})[row["score"]] = found
                if row["reference"] == "yes":
                    references.add(row["method"])
        boards.append(Board(path.stem, means, frozenset(references)))
    return boards


def page(text: str, name: str, method: type[Method], boards: Iterable[Board]) -> str:
    """A method's page with its generated parts."""
    facts = f"Family: {method.family}. Keeps: {method.keeps}. A stage costs: {method.cost}."
    usual = {setting.name: setting.default for setting in settings_of(_any(Gradient))}
    own = [one for one in settings_of(_any(method)) if usual.get(one.name, one) != one.default]
    others = "The settings that all methods have are in [the index](README.md#settings-that-all-methods-have)."
    settings = f"{facts}\n\n{_table(own)}\n\n{others}" if own else f"{facts}\n\n{others}"
    return filled(filled(text, "settings", settings), "results", results(name, boards))


def results(name: str, boards: Iterable[Board]) -> str:
    """What each grid found of a method, beside fine-tuning and joint training."""
    parts = []
    for board in boards:
        own = [shown for shown in board.means if name in methods_in(shown)]
        if own:
            others = [other for other in BESIDE if other not in own]
            said = f"On the tier [{board.name}](../leaderboard/{board.name}.html):"
            parts.append(f"{said}\n\n{scores(board, [*own, *others], bold=own)}")
    return "\n\n".join([*parts, LEGEND]) if parts else "It is on no leaderboard yet."


def methods_in(shown: str) -> list[str]:
    """The methods that a line of a leaderboard is of: `replay+ewc (arm)` is of two."""
    return shown.partition(" (")[0].split("+")


def _known(shown: str) -> list[str]:
    """Those of its methods that are here, not a person's own files."""
    return [name for name in methods_in(shown) if name in plugins.names("methods")]


def scores(board: Board, names: Iterable[str], bold: Iterable[str] = ()) -> str:
    """A table of methods by scores."""
    lines = ["| method | " + " | ".join(SCORES.values()) + " |", "|---|" + "---:|" * len(SCORES)]
    for name in names:
        if name in board.means:
            cells = [_cell(board, name, score) for score in SCORES]
            shown = f"**{name}**" if name in bold else name
            shown += CHOOSES if any(plugins.find("methods", one, Method).chooses() for one in _known(name)) else ""
            lines.append(f"| {shown} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(board: Board, name: str, score: str) -> str:
    mean = board.means[name].get(score)
    if mean is None:
        return "·"
    if score == "FLOPs":
        base = board.means.get("finetune", {}).get("FLOPs")
        return f"{mean.value / base.value:.1f}×" if base and base.value else "·"
    if score == "bytes per stage":
        return f"{mean.value:,.0f}"
    shown = f"{mean.value:.2f}".replace("-", "−")
    return shown if mean.half is None else f"{shown} ±{mean.half:.2f}".replace("±0.", "±.")


def listed(known: dict[str, type[Method]]) -> str:
    """The index: every method by family."""
    lines = ["| method | family | keeps | a stage costs |", "|---|---|---|---|"]
    for name, method in sorted(known.items(), key=lambda pair: FAMILIES.index(pair[1].family)):
        lines.append(f"| [{name}]({name}.md) | {method.family} | {method.keeps} | {method.cost} |")
    return "\n".join(lines)


def headline(boards: Iterable[Board]) -> str:
    """The first methods of the lab grid, with fine-tuning and joint training."""
    board = _lab(boards)
    if board is None:
        return "There is no leaderboard yet."
    first = ranked(board)[:FIRST]
    return f"{scores(board, [*first, *(name for name in BESIDE if name not in first)])}\n\n{LEGEND}"


def everything(boards: Iterable[Board]) -> str:
    """All methods of the lab grid."""
    board = _lab(boards)
    return f"{scores(board, [*ranked(board), *BESIDE[1:]])}\n\n{LEGEND}" if board else "There is no leaderboard yet."


def _lab(boards: Iterable[Board]) -> Board | None:
    return next((one for one in boards if one.name == "lab"), None)


def ranked(board: Board) -> list[str]:
    """Its methods, those first that reach most of joint training and keep most of general ability; no references."""
    methods = [name for name in board.means if name not in board.references]
    return sorted(methods, key=lambda name: standing(_value(board, name, "JNS"), _value(board, name, "rho")))


def _value(board: Board, name: str, score: str) -> float | None:
    mean = board.means[name].get(score)
    return mean.value if mean else None


def _table(settings: Iterable[Setting]) -> str:
    lines = ["| setting | default | what it is |", "|---|---|---|"]
    for setting in settings:
        said = " ".join(setting.help.split()).replace("|", "\\|")
        lines.append(f"| `{setting.name}` | `{setting.default}` | {said} |")
    return "\n".join(lines)


def filled(text: str, name: str, content: str) -> str:
    """The text with a part's content between its marks; the end mark is added where it is missing."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if begin not in text:
        raise SystemExit(f"there is no {begin} in this page:\n{text[:200]}")
    if end not in text:
        text = text.replace(begin, f"{begin}\n{end}")
    return re.sub(
        f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{content}\n{end}", text, count=1, flags=re.S
    )


def _any(owner: Any) -> Any:
    """A class, as settings are read from."""
    return owner


if __name__ == "__main__":
    main()
