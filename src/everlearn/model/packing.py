"""Tokenised rows in, rectangular batches without padding waste out.

Rows that start alike (the chat template's system turn, a shared passage) are packed into a block behind one copy of
what they share, and blocks into lines. Attention is block-diagonal: a token sees its own row and the prefix of its
block, nothing else, and positions count on as if the row stood alone, so losses and gradients equal those of separate
rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from everlearn.model.chat import Row

CLUSTER = 12
"""Rows are grouped by their first tokens; this many are compared."""


class Place(NamedTuple):
    """Where the tokens `start` to `stop` of a row stand in a batch."""

    line: int
    at: int
    start: int
    stop: int


@dataclass(frozen=True)
class Packed:
    """A batch of B packed lines of T tokens that asks for N predictions."""

    ids_BT: torch.Tensor
    positions_BT: torch.Tensor
    mask_BTT: torch.Tensor
    """True where the query (second axis) may attend to the key (third axis)."""
    predict_N: torch.Tensor
    """Index into the flattened B·T hidden states from which each target is predicted, in the order of the rows."""
    targets_N: torch.Tensor
    row_N: torch.Tensor
    """Which of the given rows each target belongs to; never falls."""
    opening_N: torch.Tensor
    """True at the first target of each stretch of targets: where an answer begins. The first token of all is none: a
    raw text begins anyhow."""
    rows: tuple[Row, ...]
    places: tuple[tuple[Place, Place], ...]
    """Where each row stands: what it shares with its line, and the rest."""

    def asked_tokens(self) -> torch.Tensor:
        """mask_BT, true at the tokens from which targets are predicted."""
        asked = torch.zeros(self.ids_BT.shape, dtype=torch.bool)
        asked.view(-1)[self.predict_N] = True
        return asked

    @property
    def tokens(self) -> int:
        """Tokens in the batch, padding included."""
        return self.ids_BT.numel()


ROOMS = (64, 96, 128, 192, 256, 384, 512)
"""Tokens of room behind the shared prefix that are tried for the lines of a batch."""

GRAIN = 16
"""Lines are filled up to a multiple of so many tokens: each new shape of a batch costs a kernel to be made and kept."""

ATTENTION_WEIGHT = 1 / 1500
"""How much one more token in a line adds to the work on each token of it (135M model, two CPU cores)."""


def pack(rows: Sequence[Row]) -> Packed:
    """One batch that holds all `rows`, in lines of the length that makes the least work."""
    members = [[(index, rows[index]) for index in cluster] for cluster in _clusters(rows)]
    layouts = [_lines([block for cluster in members for block in _fill(cluster, room)]) for room in ROOMS]
    return _assemble(rows, min(layouts, key=_work))


def _work(lines: list[list[_Block]]) -> float:
    width = max(map(_width, lines))
    return len(lines) * width * (1 + ATTENTION_WEIGHT * width)


def _width(line: list[_Block]) -> int:
    return sum(block.size for block in line)


def batches_by_size(rows: Sequence[Row], tokens: int) -> list[list[int]]:
    """Indices of rows in groups that start alike and take about `tokens` tokens when packed."""
    groups: list[list[int]] = []
    for members in _clusters(rows):
        shared = len(_shared_prefix([rows[index] for index in members]))
        size = tokens
        for index in sorted(members, key=lambda index: len(rows[index].ids)):
            need = len(rows[index].ids) - shared
            if size + need > tokens:
                groups.append([])
                size = shared
            groups[-1].append(index)
            size += need
    return groups


def _clusters(rows: Sequence[Row]) -> list[list[int]]:
    """Indices of rows that start alike."""
    clusters: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        clusters[row.ids[:CLUSTER]].append(index)
    return list(clusters.values())


@dataclass
class _Block:
    """A shared prefix, then the rest of each row."""

    prefix: tuple[int, ...]
    members: list[tuple[int, Row]]

    @property
    def size(self) -> int:
        return len(self.prefix) + sum(len(row.ids) - len(self.prefix) for _, row in self.members)


def _fill(members: list[tuple[int, Row]], room: int) -> list[_Block]:
    """Blocks of rows that start alike, with so much room behind their prefix; first-fit decreasing."""
    prefix = _shared_prefix([row for _, row in members])
    length = max(len(prefix) + room, *(len(row.ids) for _, row in members))
    blocks: list[_Block] = []
    for member in sorted(members, key=lambda pair: -len(pair[1].ids)):
        need = len(member[1].ids) - len(prefix)
        home = next((block for block in blocks if block.size + need <= length), None)
        if home is None:
            home = _Block(prefix, [])
            blocks.append(home)
        home.members.append(member)
    return blocks


def _lines(blocks: list[_Block]) -> list[list[_Block]]:
    """Blocks put into lines as long as the largest of them; first-fit decreasing."""
    length = max(block.size for block in blocks)
    lines: list[list[_Block]] = []
    for block in sorted(blocks, key=lambda block: -block.size):
        home = next((line for line in lines if _width(line) + block.size <= length), None)
        if home is None:
            lines.append([block])
        else:
            home.append(block)
    return lines


def _shared_prefix(rows: list[Row]) -> tuple[int, ...]:
    """The longest common start that holds no target and leaves each row at least one token."""
    if len(rows) == 1:
        return ()
    limit = min(min(len(row.ids) - 1, _first_target(row)) for row in rows)
    first = rows[0].ids
    for position in range(limit):
        if any(row.ids[position] != first[position] for row in rows):
            return first[:position]
    return first[:limit]


def _first_target(row: Row) -> int:
    return row.learn.index(True) if True in row.learn else len(row.ids)


def _assemble(rows: Sequence[Row], lines: list[list[_Block]]) -> Packed:
    width = -(-max(map(_width, lines)) // GRAIN) * GRAIN
    ids = torch.zeros(len(lines), width, dtype=torch.long)
    positions = torch.zeros(len(lines), width, dtype=torch.long)
    segments = torch.full((len(lines), width), -1)  # padding; else one number for each prefix and each row
    hosts = torch.full((len(lines), width), -2)  # the segment of the prefix that a token may see besides its own
    asked: list[tuple[int, int, int, bool]] = []  # row, where it is predicted from, target, whether it opens an answer
    places: dict[int, tuple[Place, Place]] = {}
    for number, line in enumerate(lines):
        at = segment = 0
        for block in line:
            begin, start, host = at, len(block.prefix), segment
            at = begin + start
            ids[number, begin:at] = torch.tensor(block.prefix, dtype=torch.long)
            positions[number, begin:at] = torch.arange(start)
            segments[number, begin:at] = host
            for owner, row in block.members:
                segment += 1
                stop = at + len(row.ids) - start
                ids[number, at:stop] = torch.tensor(row.ids[start:])
                positions[number, at:stop] = torch.arange(start, len(row.ids))
                segments[number, at:stop] = segment
                hosts[number, at:stop] = host
                places[owner] = (Place(number, begin, 0, start), Place(number, at, start, len(row.ids)))
                asked += _predictions(owner, row, places[owner], width)
                at = stop
            segment += 1
    asked.sort(key=lambda entry: entry[0])
    owners_N, predict_N, targets_N, opening_N = torch.tensor(asked, dtype=torch.long).reshape(-1, 4).unbind(1)
    where = tuple(places[index] for index in range(len(rows)))
    mask_BTT = _mask(segments, hosts)
    return Packed(ids, positions, mask_BTT, predict_N, targets_N, owners_N, opening_N.bool(), tuple(rows), where)


def _predictions(owner: int, row: Row, places: tuple[Place, Place], width: int) -> list[tuple[int, int, int, bool]]:
    """For each target of a row: the row, the place in the flattened batch that predicts it, the token, whether it
    opens an answer."""
    prefix, rest = places
    found = []
    for position, learn in enumerate(row.learn):
        if learn and position > 0:
            before = position - 1
            place = rest if before >= rest.start else prefix
            at = place.line * width + place.at + before - place.start
            found.append((owner, at, row.ids[position], before > 0 and not row.learn[before]))
    return found


def _mask(segments_BT: torch.Tensor, hosts_BT: torch.Tensor) -> torch.Tensor:
    width = segments_BT.shape[1]
    same = segments_BT[:, :, None] == segments_BT[:, None, :]
    shared = hosts_BT[:, :, None] == segments_BT[:, None, :]
    causal = torch.ones(width, width, dtype=torch.bool).tril()
    return (same | shared) & causal
