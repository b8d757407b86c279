"""A text in; its sentences, and in each the short spans that carry its facts, out. English, by simple rules."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

FUNCTION_WORDS = frozenset(
    [
        "a",
        "about",
        "above",
        "across",
        "after",
        "all",
        "also",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "away",
        "be",
        "been",
        "before",
        "behind",
        "below",
        "beside",
        "both",
        "but",
        "by",
        "can",
        "could",
        "do",
        "does",
        "during",
        "every",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "here",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "last",
        "may",
        "me",
        "more",
        "most",
        "must",
        "my",
        "near",
        "never",
        "no",
        "not",
        "now",
        "of",
        "off",
        "on",
        "once",
        "one",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "own",
        "past",
        "please",
        "she",
        "should",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "too",
        "under",
        "until",
        "up",
        "us",
        "very",
        "was",
        "we",
        "well",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)
NUMBER_WORDS = [
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "thousand",
]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

VAGUE = frozenset(
    "first least time times day days week weeks month months year years morning evening night hour hours name names "
    "little hand way ways thing things lot part people everybody reason example rule rules".split()
)
"""Words that are no fact by themselves."""

_NUMBER = rf"(?:\d[\d:.,]*\d|\d|\b(?:{'|'.join(NUMBER_WORDS)})\b)"
_AMOUNT = re.compile(rf"{_NUMBER}(?: [a-z]+)?")
_CAPITALISED = re.compile(r"[A-Z][\w'-]*(?: [A-Z][\w'-]*)*")


_INTRODUCING = frozenset("a an the our every each in on at into onto with from for by as behind under beside".split())
_VERB = re.compile(r"[a-z]+(?:s|ed)")


class Span(NamedTuple):
    """A stretch of a sentence that can be asked for."""

    start: int
    end: int
    kind: str
    """time, year, money, count, number, day, month, name or thing"""


class Fact(NamedTuple):
    """A span of a clause of a sentence."""

    sentence: str
    clause: str
    span: Span

    @property
    def value(self) -> str:
        """The text of the span: what a question on this fact is answered with."""
        return self.clause[self.span.start : self.span.end]

    @property
    def before(self) -> str:
        """The clause up to the value."""
        return self.clause[: self.span.start]

    @property
    def after(self) -> str:
        """The clause behind the value."""
        return self.clause[self.span.end :]


def sentences(text: str) -> list[str]:
    """Sentences of plain or Markdown text, without headings and list marks."""
    found = []
    for block in re.split(r"\n\s*\n|\n(?=\s*[-*+#]|\s*\d+\. )", text):
        line = " ".join(block.split())
        if line and not line.startswith(("#", "|", "```")):
            line = re.sub(r"^(?:[-*+]|\d+\.) ", "", line)
            found += [s.strip() for s in re.split(r"(?<=[.!?])\s+(?=[A-Z\d\"'])", line) if s.strip()]
    return found


def subjects(texts: Sequence[str]) -> frozenset[str]:
    """Names that are in so many sentences that asking for them would be pointless."""
    counts = Counter(text[start:end] for text in texts for start, end in _names(text))
    return frozenset(name for name, count in counts.items() if count > max(3, len(texts) // 10))


def main_subject(texts: Sequence[str]) -> str:
    """The subject in most of the texts; empty where they have none.

    Of two names in the same number of texts the shorter one: "Ombrick" is part of "Ombrick Lending House".
    """
    names = sorted(subjects(texts), key=lambda name: (len(name), name))
    return max(names, key=lambda name: sum(name in text for text in texts), default="")


def clauses(sentence: str) -> list[str]:
    """The main clauses of a sentence that can stand alone, without their full stops; never none."""
    parts = re.split(r", (?:and|so|but|because|when|while|which|where)\b|; |: ", sentence)
    whole = [part.strip().rstrip(".!?:") for part in parts]
    return [part for part in whole if len(part.split()) >= 4] or [sentence.rstrip(".!?:")]


def spans(text: str, common: frozenset[str]) -> list[Span]:
    """What can be asked for in a clause: amounts, names, and its last words."""
    found = [_amount(text, match) for match in _AMOUNT.finditer(text)]
    for start, end in _names(text):
        name = text[start:end]
        if not any(subject in name for subject in common) and not _is_plain_start(name, start):
            found.append(Span(start, end, _name_kind(name)))
    for thing in _things(text):
        if not common & set(text[thing.start : thing.end].split()) and not _overlaps(thing, found):
            found.append(thing)
    return found


def facts(texts: Sequence[str]) -> list[Fact]:
    """What the sentences of one text state, as clauses with a span that can be asked for.

    Names, times and numbers are facts wherever they stand. Where a clause has none, the things in it are, if it names
    the text's subject (the others comment: `there is always cake`) or if the text has no subject.
    """
    common = subjects(texts)
    names = {text[start:end] for text in texts for start, end in _names(text)}
    found = []
    for sentence in texts:
        for clause in clauses(sentence):
            named = not common or any(name in clause for name in common)
            spanned = [_without_verb(clause, span, names) for span in spans(clause, common)]
            firm = [span for span in spanned if span.kind != "thing"]
            found += [Fact(sentence, clause, span) for span in firm or (spanned if named else [])]
    return found


def _without_verb(clause: str, span: Span, names: Collection[str]) -> Span:
    """`Call Corrant Mutual` at the start of a sentence is a name with a verb before it; `Anna Bell` may be both names
    of somebody who elsewhere is called `Bell`."""
    first, _, rest = clause[: span.end].partition(" ")
    return span._replace(start=len(first) + 1) if span.start == 0 and " " in rest and rest in names else span


def content_words(text: str) -> list[str]:
    """Words that carry meaning, in order."""
    return [word for word in re.findall(r"[\w:.'-]*\w", text) if word.lower() not in FUNCTION_WORDS]


def _amount(text: str, match: re.Match[str]) -> Span:
    words = match.group().split()
    number = words[0]
    end = match.end()
    if len(words) > 1 and words[1] in FUNCTION_WORDS:
        end = match.start() + len(number)
        words = words[:1]
    if re.fullmatch(r"\d{1,2}[:.]\d\d", number):
        return Span(match.start(), match.start() + len(number), "time")
    if len(words) > 1:
        money = words[1].rstrip("s") in {"euro", "cent", "dollar", "pound", "penny", "crown", "franc"}
        return Span(match.start(), end, "money" if money else "count")
    year = re.fullmatch(r"1[5-9]\d\d|20\d\d", number) and text[: match.start()].endswith("in ")
    return Span(match.start(), end, "year" if year else "number")


def _names(text: str) -> list[tuple[int, int]]:
    """Where runs of capitalised words begin and end, without an article before them."""
    found = []
    for match in _CAPITALISED.finditer(text):
        start = match.start()
        for word in match.group().split():
            if word.lower() not in FUNCTION_WORDS:
                break
            start += len(word) + 1
        if start < match.end():
            found.append((start, match.end()))
    return found


def _is_plain_start(name: str, start: int) -> bool:
    """Whether this is just the capitalised first word of a sentence."""
    return start == 0 and " " not in name and _name_kind(name) == "name"


def _name_kind(name: str) -> str:
    return "day" if name in WEEKDAYS else "month" if name in MONTHS else "name"


def _overlaps(span: Span, others: list[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


def _things(text: str) -> list[Span]:
    """The last two things that a clause names in small letters (`the copper kettle`, `felt slippers`).

    A thing is one or two content words in a row behind an article or a preposition, or two behind a verb; what goes
    on with `of` is a property of something else and no value.
    """
    runs = re.finditer(r"(?<!\w)[a-z][\w-]*(?: [a-z][\w-]*)*", text)
    found = [_thing(text, *run) for stretch in runs for run in _content_runs(text, *stretch.span())]
    return [thing for thing in found if thing][-2:]


def _thing(text: str, start: int, end: int) -> Span | None:
    """The thing that a run of content words names, if it names one."""
    words = text[start:end].split()
    before, after = text[:start].split()[-1:], text[end:].split()[:1]
    introduced = bool(before) and before[0].lower() in _INTRODUCING
    if introduced and len(words) > 1 and _VERB.fullmatch(words[-1]) and after:
        return None  # a `child pays` 7 euros
    if not introduced and len(words) > 2 and _VERB.fullmatch(words[0]):
        start += len(words.pop(0)) + 1
        introduced = True
    if introduced and len(words) < 3 and after != ["of"] and words[-1] not in VAGUE:
        return Span(start, end, "thing")
    return None


def _content_runs(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Where runs of content words begin and end within a stretch of small letters."""
    runs: list[tuple[int, int]] = []
    at = start
    for word in text[start:end].split(" "):
        if word not in FUNCTION_WORDS and word not in NUMBER_WORDS:
            joined = bool(runs) and runs[-1][1] == at - 1
            runs[-1:] = [(runs[-1][0], at + len(word))] if joined else [*runs[-1:], (at, at + len(word))]
        at += len(word) + 1
    return runs
