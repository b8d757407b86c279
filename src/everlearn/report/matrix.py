"""A recording in, the accuracy matrix and its summary figures out: versions down, groups of questions across."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from everlearn.records import Answer
from everlearn.report import words
from everlearn.report.rate import Estimate, Rate, difference, mean, rate_of
from everlearn.report.recording import Recording, Version


class Column(NamedTuple):
    """A group of one stage's questions."""

    stage: str
    """Digest of the stage."""
    name: str
    """The stage's name."""
    group: str
    """Empty where the stage has one group only."""
    learnt: int
    """Place of the version that learnt the stage."""

    @property
    def title(self) -> str:
        """`week 1 · unchanged`."""
        return f"{self.name} · {self.group}" if self.group else self.name


class Cell(NamedTuple):
    """What one version answered of one group of questions."""

    rate: Rate
    answers: tuple[Answer, ...] = ()
    """Empty where only the counts were recorded."""
    whole_stage: bool = False
    """Whether the counts are those of all the stage's groups together."""
    superseded: int = 0
    """How many of the accepted answers a correction had made wrong by then."""


class Matrix(NamedTuple):
    """The accuracy matrix; `cells[row][column]` is None where that version was never asked those questions."""

    rows: tuple[str, ...]
    """Names of the versions, the base first."""
    columns: tuple[Column, ...]
    cells: tuple[tuple[Cell | None, ...], ...]

    def answers(self, row: int, stage: str, superseded: Collection[str] = ()) -> list[Answer]:
        """A version's recorded answers to all groups of a stage, without the superseded questions."""
        cells = [cell for column, cell in zip(self.columns, self.cells[row], strict=True) if column.stage == stage]
        answers = [answer for cell in cells if cell for answer in cell.answers]
        return [answer for answer in answers if answer.question not in superseded]


class Summary(NamedTuple):
    """The field's summary figures of an accuracy matrix; None where there is nothing to count."""

    accuracy: Estimate | None
    learning: Estimate | None
    backward: Estimate | None
    forgetting: Estimate | None


def accuracy_matrix(recording: Recording) -> Matrix:
    """The accuracy matrix of a line of versions.

    A stage's questions are first asked by themselves just before it is learnt, of which only the counts are kept;
    they fill the cell above the diagonal. A stage that brought no questions has its two counts and nothing else.
    """
    columns = tuple(itertools.chain.from_iterable(_columns(recording.versions)))
    cells = tuple(tuple(_cell(recording, row, column) for column in columns) for row in range(len(recording.versions)))
    return Matrix(tuple(version.name for version in recording.versions), columns, cells)


def summarise(matrix: Matrix, superseded: Collection[str] = ()) -> Summary:
    """ACC, LA, BWT and forgetting, each the mean over stages with its 95 % interval (`rate.mean`).

    With R[t, i] the share of stage i's questions that version t answers right, and T the last version:

    - accuracy, ACC = mean over i of R[T, i]
    - learning accuracy, LA = mean over i of R[i, i]
    - backward transfer, BWT = 1/(T−1) Σ_{i<T} (R[T, i] − R[i, i])
    - forgetting = 1/(T−1) Σ_{i<T} max_{i≤l<T} (R[l, i] − R[T, i])

    ACC and BWT: Lopez-Paz and Ranzato 2017 (1706.08840); LA: Riemer et al. 2019 (1810.11910); forgetting:
    Chaudhry et al. 2018 (1801.10112). Differences are paired by question. Stages without recorded answers are
    left out, and T−1 counts those that remain.

    Args:
        matrix: the accuracy matrix.
        superseded: digests of questions that a later correction made wrong: left out of all but LA, which is
            about the time when they were right.
    """
    last = len(matrix.rows) - 1
    stages = {column.stage: column.learnt for column in matrix.columns}
    final = [rate_of(matrix.answers(last, stage, superseded)) for stage in stages]
    learnt = [rate_of(matrix.answers(row, stage)) for stage, row in stages.items()]
    changes = [_changes(matrix, stage, row, superseded) for stage, row in stages.items()]
    return Summary(
        mean([rate for rate in final if rate]),
        mean([rate for rate in learnt if rate]),
        mean([change[0] for change in changes if change]),
        mean([_worst(change) for change in changes if change]),
    )


def matrix_table(matrix: Matrix) -> Table:
    """The matrix for a terminal: share right, below it right of asked and the 95 % interval."""
    table = Table(caption=_caption(matrix), caption_justify="left", pad_edge=False)
    table.add_column("version", overflow="fold")
    for column in matrix.columns:
        table.add_column(Text(column.title), justify="center", overflow="fold")
    for number, (name, cells) in enumerate(zip(matrix.rows, matrix.cells, strict=True)):
        table.add_row(Text(f"{number} · {name}" if number else name), *(_shown(cell) for cell in cells))
    return table


def _columns(versions: Sequence[Version]) -> list[list[Column]]:
    """For each stage, in order: one column for each group of its questions."""
    found: dict[str, list[Column]] = {}
    for row, version in enumerate(versions):
        stage = version.commit.stage_object
        if stage and stage not in found and (version.answers(stage) or version.learnt):
            groups = list(dict.fromkeys(answer.group for answer in version.answers(stage)))
            several = len(groups) > 1
            titles = [group or "other" for group in groups] if several else [""]
            found[stage] = [Column(stage, version.name, title, row) for title in titles]
    return list(found.values())


def _cell(recording: Recording, row: int, column: Column) -> Cell | None:
    version = recording.versions[row]
    answers = tuple(
        a for a in version.answers(column.stage) if not column.group or column.group == (a.group or "other")
    )
    rate = rate_of(answers)
    if rate:
        gone = sum(recording.superseded.get(answer.question, row + 1) <= row for answer in answers)
        return Cell(rate, answers, superseded=gone)
    learnt = recording.versions[column.learnt].learnt
    if learnt is None or not learnt.questions or row not in {column.learnt - 1, column.learnt}:
        return None
    share = learnt.after if row == column.learnt else learnt.before
    return Cell(Rate(round(share * learnt.questions), learnt.questions), whole_stage=True)


def _changes(matrix: Matrix, stage: str, learnt: int, superseded: Collection[str]) -> list[Estimate]:
    """The last version's gain over each one from that which learnt the stage; none where the last one did."""
    last = len(matrix.rows) - 1
    now = matrix.answers(last, stage, superseded)
    changes = [difference(matrix.answers(row, stage, superseded), now) for row in range(learnt, last)]
    return [change for change in changes if change]


def _worst(changes: Sequence[Estimate]) -> Estimate:
    """The largest loss, as a positive figure."""
    change = min(changes, key=lambda estimate: estimate.value)
    return Estimate(-change.value, -change.high, -change.low, change.questions)


def _shown(cell: Cell | None) -> Text:
    if cell is None:
        return Text("–", style="dim")
    share = words.for_terminal(words.percent(cell.rate.share))
    mark = "*" if cell.whole_stage else "†" if cell.superseded else ""
    interval = words.for_terminal(words.span(cell.rate.low, cell.rate.high))
    small = f"\n{cell.rate.right}/{cell.rate.asked} {interval}"
    return Text.assemble((share + mark, "" if mark else "bold"), (small, "dim"))


def _caption(matrix: Matrix) -> Text:
    cells = [cell for row in matrix.cells for cell in row if cell]
    notes = ["share right; right/asked and 95% interval; – not asked"]
    if any(cell.whole_stage for cell in cells):
        notes.append("* counts of the whole stage, asked just before it was learnt")
    if any(cell.superseded for cell in cells):
        notes.append("† asks for answers that a correction has made wrong: low is right")
    return Text("\n".join(notes))
