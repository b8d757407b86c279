"""Rows in, the questions and answers of the final moment as text that a page can hold and its script unpack out.

The text is base64 of gzipped JSON: columns of indices into lists, so that ten thousands of answers take little room.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from everlearn.bench.report.scoring import Row
from everlearn.desiderata.contract import Asked, Reply

MOST = 2_500_000
"""Characters of base64 in one page."""
LONGEST = 2_000
"""Characters of one prompt, answer or reply; what is longer is cut, and ends in …"""
LEAST = 0.001
"""Share of the questions below which nothing more is left out."""
RIGHT, WRONG, FAILED, UNASKED = "1", "0", "!", "-"


@dataclass(frozen=True)
class Packed:
    """What the page embeds."""

    text: str
    """Base64 of gzipped JSON."""
    shown: int
    """Questions that are in it."""
    asked: int
    """Questions that were asked."""


@dataclass
class _Names:
    """Texts, each once, and their places."""

    texts: list[str] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    def place(self, text: str) -> int:
        if text not in self.places:
            self.places[text] = len(self.texts)
            self.texts.append(text)
        return self.places[text]


def pack(rows: Sequence[Row], most: int = MOST) -> Packed:
    """Questions and final answers of all methods; where they are too many, evenly fewer of every kind and stream."""
    probes = _probes(rows)
    share, chosen = 1.0, probes
    while True:
        text = _encode(_columns(rows, chosen))
        if len(text) <= most or share < LEAST:
            return Packed(text, len(chosen), len(probes))
        share *= 0.95 * most / len(text)
        chosen = _sample(probes, share)


def _probes(rows: Sequence[Row]) -> list[tuple[int, Asked]]:
    """Each question of each stream once, by stream."""
    found: dict[tuple[int, str], Asked] = {}
    for row in rows:
        for case in row.cases:
            for probe in case.probes:
                found.setdefault((case.trial.stream, probe.id), probe)
    return [(stream, found[stream, name]) for stream, name in sorted(found, key=lambda key: key[0])]


def _sample(probes: Iterable[tuple[int, Asked]], share: float) -> list[tuple[int, Asked]]:
    """About such a share of every stream's probes of every kind: the first, and each at which the running share
    passes a whole number."""
    seen: dict[tuple[int, str, str], int] = defaultdict(int)
    chosen = []
    for stream, probe in probes:
        group = (stream, probe.family, probe.kind)
        if math.ceil((seen[group] + 1) * share) > math.ceil(seen[group] * share):
            chosen.append((stream, probe))
        seen[group] += 1
    return chosen


def _columns(rows: Sequence[Row], probes: Sequence[tuple[int, Asked]]) -> dict[str, Any]:
    families, kinds, axes, said = _Names(), _Names(), _Names(), _Names()
    asked = {
        "stream": [stream for stream, _ in probes],
        "family": [families.place(probe.family) for _, probe in probes],
        "kind": [kinds.place(probe.kind) for _, probe in probes],
        "axis": [axes.place(probe.axis) for _, probe in probes],
        "stages": [list(probe.stages) for _, probe in probes],
        "prompt": [_cut(probe.prompt) for _, probe in probes],
        "gold": [_cut(probe.gold) for _, probe in probes],
    }
    methods = [_answers(row, probes, said) for row in rows]
    return {
        "probes": asked,
        "methods": methods,
        "families": families.texts,
        "kinds": kinds.texts,
        "axes": axes.texts,
        "said": said.texts,
    }


def _answers(row: Row, probes: Sequence[tuple[int, Asked]], said: _Names) -> dict[str, Any]:
    """The marks of one method as one string, and for each probe the place of its reply; −1 where it is the gold one."""
    replies = {case.trial.stream: _last_replies(row, case.trial.stream) for case in row.cases}
    marks, places = [], []
    for stream, probe in probes:
        reply = replies.get(stream, {}).get(probe.id)
        marks.append(_mark(reply))
        text = "" if reply is None else reply.error or reply.text
        places.append(-1 if reply is None or text == probe.gold else said.place(_cut(text)))
    return {"name": row.method, "marks": "".join(marks), "said": places}


def _last_replies(row: Row, stream: int) -> dict[str, Reply]:
    """The last reply to every question: of solo training the one after the question's own stage."""
    found: dict[str, Reply] = {}
    for case in row.cases:
        if case.trial.stream != stream:
            continue
        stages = {probe.id: probe.stage for probe in case.probes}
        apart = row.method == "solo"
        for moment in case.trial.moments if apart else case.trial.moments[-1:]:
            found |= {r.probe: r for r in moment.replies if not apart or stages.get(r.probe) == moment.stage}
    return found


def _mark(reply: Reply | None) -> str:
    if reply is None:
        return UNASKED
    return FAILED if reply.error else RIGHT if reply.correct else WRONG


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _encode(columns: dict[str, Any]) -> str:
    plain = json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(gzip.compress(plain, 9, mtime=0)).decode()
