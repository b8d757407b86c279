"""How another grid ranks the same methods in; a page for people out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everlearn.bench.report.agreed import READING, based_on, coefficient, p_of
from everlearn.cli.terminal.leaderboard import wrapped
from everlearn.cli.terminal.output import columns
from everlearn.report.words import for_terminal

if TYPE_CHECKING:
    from rich.console import RenderableType

    from everlearn.bench.report.content import Beside


def beside_page(beside: Beside) -> RenderableType:
    """The agreement of two grids, score by score, and what it is worth."""
    from rich.console import Group

    table = columns("ranks by", "Spearman", "p", "Kendall", "p", "methods", numbers=5)
    for found in beside.agreements:
        cells = (
            coefficient(found.spearman),
            p_of(found.spearman_p),
            coefficient(found.kendall),
            p_of(found.kendall_p),
        )
        table.add_row(found.score, *map(for_terminal, cells), f"{len(found.arms)}")
    other = f"{beside.title} ({beside.model})" if beside.model else beside.title
    return Group(*wrapped([f"Beside {other}:", based_on(beside)]), "", table, "", *wrapped(READING))
