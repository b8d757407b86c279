"""Tokenised rows in, one line of tokens without padding out, in which what rows have in common stands once.

Rows that start alike (the chat template's system turn, a shared passage) are a tree: each of its segments is computed
once, and a token sees the segments above its own and what came before it in its own, nothing else. Positions count on
as if each row stood alone, so losses and gradients equal those of separate rows. What predicts nothing is left out: the
last target of a row, and what stands behind it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import torch

from everlearn.model.attention import Group, Rows
from everlearn.model.chat import Row

LONG = 128
"""Tokens of a start from which on it pays to attend to it once for all segments behind it."""

GRAIN = 16
"""The line is filled up to a multiple of so many tokens: each new shape costs a kernel to be made and kept."""

WORTH = 48
"""Tokens that a shared segment must save: attention is computed separately behind starts of different lengths."""

SHORTEST = 64
"""Segments up to this length are attended together; then up to twice it, and so on."""


class Place(NamedTuple):
    """Where the tokens `start` to `stop` of a row stand in the line."""

    at: int
    start: int
    stop: int


@dataclass(frozen=True)
class Packed:
    """A line of T tokens that asks for N predictions."""

    ids_T: torch.Tensor
    positions_T: torch.Tensor
    layout: tuple[Group, ...]
    """Who sees whom."""
    until_T: torch.Tensor
    """The same in another way: a token is seen by itself and by those behind it, up to this place."""
    alone: Rows | None
    """The same in a third way, if the rows have nothing in common; what fills the line up is one more row."""
    predict_N: torch.Tensor
    """Place in the line from which each target is predicted, in the order of the rows."""
    targets_N: torch.Tensor
    row_N: torch.Tensor
    """Which of the given rows each target belongs to; never falls."""
    opening_N: torch.Tensor
    """True at the first target of each stretch of targets: where an answer begins. The first token of all is none: a
    raw text begins anyhow."""
    rows: tuple[Row, ...]
    places: tuple[tuple[Place, ...], ...]
    """Where the pieces of each row stand."""

    def asked_tokens(self, learns: Sequence[Sequence[bool]] = ()) -> torch.Tensor:
        """mask_T, true at the tokens from which targets are predicted; those of `learns` instead of the rows' own."""
        learns = learns or [row.learn for row in self.rows]
        asked_T = torch.zeros(self.ids_T.shape, dtype=torch.bool)
        for places, learn in zip(self.places, learns, strict=True):
            where = _line_places(places)
            asked_T[[where[position - 1] for position, asked in enumerate(learn) if asked and position]] = True
        return asked_T

    @property
    def tokens(self) -> int:
        """Tokens in the line, those that fill it up included."""
        return self.ids_T.numel()


def pack(rows: Sequence[Row]) -> Packed:
    """One line that holds all `rows`."""
    line = _Line(rows)
    line.fill()
    return line.packed()


def batches_by_size(rows: Sequence[Row], tokens: int) -> list[list[int]]:
    """Indices of rows in groups that start alike and take about `tokens` tokens when packed."""
    groups: list[list[int]] = []
    size = tokens
    last: tuple[int, ...] = ()
    starts = [_sharable(row) for row in rows]
    for index in sorted(range(len(rows)), key=starts.__getitem__):
        row, start = rows[index], starts[index]
        need = len(row.read) - _alike(last, start)
        if size + need > tokens:
            groups.append([])
            size, need = 0, len(row.read)
        groups[-1].append(index)
        size += need
        last = start
    return groups


def _sharable(row: Row) -> tuple[int, ...]:
    """What others may compute with the row: what stands before its first target, and leaves it at least one token."""
    end = row.learn.index(True) if True in row.learn else len(row.ids)
    return row.ids[: min(len(row.read) - 1, end)]


def _alike(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of the longest common start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (first, second) in pairs if first != second), min(len(one), len(other)))


@dataclass
class _Line:
    """A line that grows by one segment after another."""

    rows: Sequence[Row]
    ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    segments: list[tuple[list[int], range]] = field(default_factory=list)
    """For each segment the places of what it sees above itself, and its own."""
    places: dict[int, tuple[Place, ...]] = field(default_factory=dict)

    def fill(self) -> None:
        """Put all rows into the line."""
        starts = [_sharable(row) for row in self.rows]
        order = sorted(range(len(self.rows)), key=starts.__getitem__)
        # sorted, rows that start alike are neighbours, and what any of them share is the least that neighbours do
        alike = [0, *(_alike(starts[one], starts[other]) for one, other in pairwise(order))]
        pending: list[tuple[int, int, int, tuple[Place, ...]]] = [(0, len(order), 0, ())] if order else []
        while pending:
            begin, end, start, above = pending.pop()
            first = self.rows[order[begin]]
            if end - begin == 1:
                self.places[order[begin]] = (*above, self._add(first.read, start, len(first.read), above))
                continue
            shared = min(alike[begin + 1 : end])
            if (end - begin - 1) * (shared - start) >= WORTH:
                above = (*above, self._add(first.ids, start, shared, above))
                start = shared
            bounds = [begin, *(at for at in range(begin + 1, end) if alike[at] == shared), end]
            pending += [(*bound, start, above) for bound in reversed(list(pairwise(bounds)))]

    def _add(self, ids: Sequence[int], start: int, stop: int, above: tuple[Place, ...]) -> Place:
        begin = len(self.ids)
        self.ids += ids[start:stop]
        self.positions += range(start, stop)
        self.segments.append((_line_places(above), range(begin, len(self.ids))))
        return Place(begin, start, stop)

    def packed(self) -> Packed:
        filling = -len(self.ids) % GRAIN
        whole = len(self.ids) + filling
        ends = [own.stop for _, own in self.segments] + [whole] * (filling > 0)
        asked = [entry for index in range(len(self.rows)) for entry in self._predictions(index)]
        owners_N, predict_N, targets_N, opening_N = torch.tensor(asked, dtype=torch.long).reshape(-1, 4).unbind(1)
        return Packed(
            torch.tensor([*self.ids, *[0] * filling]),
            torch.tensor([*self.positions, *[0] * filling]),
            _layout(self.segments),
            torch.tensor([*_until(self.segments), *[whole] * filling]),
            None if any(seen for seen, _ in self.segments) else Rows.of(ends),
            predict_N,
            targets_N,
            owners_N,
            opening_N.bool(),
            tuple(self.rows),
            tuple(self.places[index] for index in range(len(self.rows))),
        )

    def _predictions(self, index: int) -> list[tuple[int, int, int, bool]]:
        """For each target of a row: the row, the place that predicts it, the token, whether it opens an answer."""
        row = self.rows[index]
        where = _line_places(self.places[index])
        return [
            (index, where[position - 1], row.ids[position], position > 1 and not row.learn[position - 1])
            for position, learn in enumerate(row.learn)
            if learn and position > 0
        ]


def _line_places(places: Sequence[Place]) -> list[int]:
    """Where in the line one token after another stands."""
    return [at for place in places for at in range(place.at, place.at + place.stop - place.start)]


def _until(segments: Sequence[tuple[list[int], range]]) -> list[int]:
    """For each place of the line the one from which on nobody sees it any more: each segment is followed by all that
    stand behind it in their rows, which see more above themselves than it does."""
    until: list[int] = []
    for number, (seen, own) in enumerate(segments):
        end = own.stop
        for seen_later, later in segments[number + 1 :]:
            if len(seen_later) <= len(seen):
                break
            end = later.stop
        until += [end] * len(own)
    return until


def _layout(segments: Sequence[tuple[list[int], range]]) -> tuple[Group, ...]:
    """Segments of about the same length behind starts of the same length make a group; if that is long, behind the same
    start, which its last place tells."""
    groups: dict[tuple[int, int, int], list[tuple[list[int], range]]] = defaultdict(list)
    for seen, own in segments:
        start = seen[-1] if len(seen) >= LONG else -1
        groups[len(seen), start, max(len(own) - 1, SHORTEST - 1).bit_length()].append((seen, own))
    return tuple(Group.of(members, start >= 0 and len(members) > 1) for (_, start, _), members in groups.items())
