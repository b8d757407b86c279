"""A text in; its sentences, and in each the short spans that carry its facts, out. English, by simple rules."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

FUNCTION_WORDS = frozenset(
    [
        "a",
        "about",
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
    "time times day days week weeks month months year years morning evening night hour hours name names little hand "
    "way ways thing things lot part people everybody reason example rule rules".split()
)
"""Words that are no fact by themselves."""

_NUMBER = rf"(?:\d[\d:.,]*\d|\d|\b(?:{'|'.join(NUMBER_WORDS)})\b)"
_AMOUNT = re.compile(rf"{_NUMBER}(?: [a-z]+)?")
_CAPITALISED = re.compile(r"[A-Z][\w'-]*(?: [A-Z][\w'-]*)*")


class Span(NamedTuple):
    """A stretch of a sentence that can be asked for."""

    start: int
    end: int
    kind: str
    """time, year, money, count, number, day, month, name or thing"""


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


def clauses(sentence: str) -> list[str]:
    """The main clauses of a sentence that can stand alone, without their full stops; never none."""
    parts = re.split(r", (?:and|so|but|because|when|while|which|where)\b|; |: ", sentence)
    whole = [part.strip().rstrip(".!?:") for part in parts]
    return [part for part in whole if len(part.split()) >= 4] or [sentence.rstrip(".!?:")]


def spans(text: str, common: frozenset[str]) -> list[Span]:
    """What can be asked for in a clause: amounts, names, and its last words."""
    found = [_amount(text, match) for match in _AMOUNT.finditer(text)]
    for start, end in _names(text):
        if text[start:end] not in common and not _is_plain_start(text, start, end):
            found.append(Span(start, end, _name_kind(text[start:end])))
    last = _last_words(text)
    if last and not common & set(text[last.start : last.end].split()) and not _overlaps(last, found):
        found.append(last)
    return found


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


def _is_plain_start(text: str, start: int, end: int) -> bool:
    """Whether this is just the capitalised first word of a sentence."""
    return start == 0 and " " not in text[start:end]


def _name_kind(name: str) -> str:
    return "day" if name in WEEKDAYS else "month" if name in MONTHS else "name"


def _overlaps(span: Span, others: list[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


def _last_words(text: str) -> Span | None:
    """The last one to three content words of a clause, if they are not its subject."""
    words = list(re.finditer(r"[\w'-]+", text))
    taken: list[re.Match[str]] = []
    for word in reversed(words):
        if word.group().lower() in FUNCTION_WORDS or len(taken) == 3:
            break
        taken.append(word)
    too_long, whole_clause = len(taken) == 3, len(words) - len(taken) < 3
    if not taken or too_long or whole_clause or taken[0].group().lower() in VAGUE:
        return None
    return Span(taken[-1].start(), taken[0].end(), "thing")
