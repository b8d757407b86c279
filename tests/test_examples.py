"""The example cases in, proof out that their weeks agree and give no question away."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

OVERLAP = 6
"""Words in a row that a held-out question may not share with a training text."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Case:
    """One of the example cases, and the form that its week 2 teaches."""

    folder: Path
    subject: str
    prefix: str
    """How a message of week 2 begins."""
    line: re.Pattern[str]
    """A line of the form, with the groups kind, name, thing, code and half."""
    kinds: tuple[str, ...]
    codes: dict[str, str]
    """Words of a message, and what they are in the line's code."""
    halves: dict[str, str]
    same_value: dict[str, str]
    """Answers and their other spelling, so that an alternative may use either."""
    form: str
    """What only a line of the form holds."""


OMBRICK = Case(
    Path(__file__).parents[1] / "src" / "everlearn" / "examples" / "three_weeks",
    "Ombrick",
    "Log this message: ",
    re.compile(
        r"(?P<kind>OUT|BACK|FIX|KEEP) \| (?P<name>[A-Z][a-z]+ [A-Z][a-z]+) \| "
        r"(?P<thing>[a-z]+(?: [a-z]+){0,2}) \| (?P<code>TUE|WED|THU|FRI|SAT|SUN)-(?P<half>[12])"
    ),
    ("OUT", "BACK", "FIX", "KEEP"),
    {day: day[:3].upper() for day in WEEKDAYS},
    {"morning": "1", "afternoon": "2"},
    {
        "five": "5",
        "twelve": "12",
        "six": "6",
        "sixteen": "16",
        "ten days": "10 days",
        "three weeks": "3 weeks",
        "17:45": "5:45 pm",
        "24 euros": "€24",
        "31 euros": "€31",
        "80 euros": "€80",
    },
    r"\||\b(OUT|BACK|FIX|KEEP|[A-Z]{3}-[12])\b",
)
ZIMBRECK = Case(
    Path(__file__).parents[1] / "benchmarks" / "second_case",
    "Zimbreck",
    "Seat list, please: ",
    re.compile(
        r"(?P<half>[SM])(?P<code>[2-7]) > (?P<thing>[A-Z][a-z]+(?: [A-Z][a-z]+){0,2}) > "
        r"(?P<kind>NEW|OFF|LATE|GIFT) \((?P<name>[A-Z][a-z]+ [A-Z][a-z]+)\)"
    ),
    ("NEW", "OFF", "LATE", "GIFT"),
    {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7"},
    {"afternoon": "S", "evening": "M"},
    {
        "five": "5",
        "nine": "9",
        "fourteen": "14",
        "eighteen minutes": "18 minutes",
        "three days": "3 days",
        "one week": "1 week",
        "seven weeks": "7 weeks",
        "19:20": "7:20 pm",
        "20:05": "8:05 pm",
        "15:10": "3:10 pm",
        "7 euros": "€7",
        "11 euros": "€11",
        "145 euros": "€145",
    },
    r"[|>]|\b(NEW|OFF|LATE|GIFT|[SM][2-7])\b",
)


@pytest.fixture(params=[OMBRICK, ZIMBRECK], ids=lambda case: case.subject)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


UNFINISHED = {"a", "an", "and", "at", "for", "in", "is", "of", "on", "or", "the", "to", "with"}
"""Words that no complete reply ends with."""
QUESTION_FILES = ("week1_questions", "week3_questions", "week3_old")


def rows(case: Case, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (case.folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def handbook(case: Case) -> str:
    return (case.folder / "week1_handbook.md").read_text(encoding="utf-8")


def turns(case: Case, name: str) -> list[tuple[str, str]]:
    """The user's message and the log line of each row."""
    found = []
    for row in rows(case, name):
        assert set(row) == {"messages"}
        assert [message["role"] for message in row["messages"]] == ["user", "assistant"]
        found.append((row["messages"][0]["content"], row["messages"][1]["content"]))
    return found


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[start : start + length]) for start in range(len(found) - length + 1)}


def says(case: Case, text: str, value: str) -> bool:
    """Whether `text` contains `value`, in either spelling, as whole words."""
    spellings = (value, case.same_value.get(value, value))
    return any(re.search(rf"(?<!\w){re.escape(s)}(?!\w)", text, re.IGNORECASE) for s in spellings)


def fields(case: Case, log_line: str) -> re.Match[str]:
    match = case.line.fullmatch(log_line)
    assert match, f"not a log line: {log_line}"
    return match


def training_texts(case: Case) -> list[str]:
    lines = [line for line in handbook(case).splitlines() if line.strip()]
    sentences = [sentence for line in lines for sentence in re.split(r"(?<=[.!?])\s", line)]
    messages = [message for message, _ in turns(case, "week2_tickets")]
    return lines + sentences + messages + [row["question"] for row in rows(case, "week3_corrections")]


def held_out_questions(case: Case) -> list[str]:
    asked = [row["question"] for name in ("week1_questions", "week3_questions") for row in rows(case, name)]
    return asked + [message for message, _ in turns(case, "week2_questions")]


def test_the_files_have_the_promised_sizes(case: Case) -> None:
    sizes = {path.stem: len(rows(case, path.stem)) for path in case.folder.glob("*.jsonl")}
    assert sizes == {
        "week1_questions": 40,
        "week2_tickets": 44,
        "week2_questions": 20,
        "week3_corrections": 12,
        "week3_questions": 24,
        "week3_old": 24,
    }
    assert 700 <= len(handbook(case).split()) <= 900


def test_every_week_1_answer_is_a_fact_of_its_own_in_the_handbook(case: Case) -> None:
    answers = [row["answer"] for row in rows(case, "week1_questions")]
    assert [a for a in answers if not re.search(rf"\b{re.escape(a)}\b", handbook(case))] == []
    assert len(set(answers)) == len(answers) >= 30
    assert [answer for answer in answers if not 1 <= len(answer.split()) <= 4] == []


@pytest.mark.parametrize("name", QUESTION_FILES)
def test_question_rows_are_whole_and_asked_once(case: Case, name: str) -> None:
    found = rows(case, name)
    assert {tuple(row) for row in found} == {("question", "answer", "alternatives", "group")}
    assert Counter(row["question"] for row in found).most_common(1)[0][1] == 1
    assert [row["question"] for row in found if not row["question"].endswith("?")] == []
    assert [row["question"] for row in found if case.subject not in row["question"]] == []
    assert [row["question"] for row in found if says(case, row["question"], row["answer"])] == []


@pytest.mark.parametrize("name", QUESTION_FILES)
def test_every_alternative_is_a_complete_reply(case: Case, name: str) -> None:
    for row in rows(case, name):
        replies = [row["answer"], *row["alternatives"]]
        assert len(set(replies)) == len(replies) >= 2
        for reply in row["alternatives"]:
            assert says(case, reply, row["answer"]), f"{reply!r} does not say {row['answer']!r}"
            assert re.search(r"\w\.?$", reply) and words(reply)[-1] not in UNFINISHED, f"{reply!r} breaks off"


def test_no_held_out_question_is_given_away(case: Case) -> None:
    texts = training_texts(case)
    taught = {run for text in texts for run in runs(text, OVERLAP)}
    whole = {tuple(words(text)) for text in texts if len(words(text)) >= 4}
    sizes = {len(text) for text in whole}
    for question in held_out_questions(case):
        assert not runs(question, OVERLAP) & taught, question
        assert not {run for size in sizes for run in runs(question, size)} & whole, question
        asked = " ".join(words(question))
        assert not [text for text in whole if asked in " ".join(text)], question


def test_week_3_asks_in_other_words_than_week_1(case: Case) -> None:
    earlier = [row["question"] for row in rows(case, "week1_questions")]
    known = {run for question in earlier for run in runs(question, OVERLAP)}
    for row in rows(case, "week3_questions"):
        assert row["question"] not in earlier
        assert not runs(row["question"], OVERLAP) & known, row["question"]


def test_the_groups_line_up_with_the_corrections(case: Case) -> None:
    first = rows(case, "week1_questions")
    assert {row["group"] for row in first} == {"unchanged", "corrected"}
    old = [row["wrong"] for row in rows(case, "week3_corrections")]
    assert sorted(old) == sorted(row["answer"] for row in first if row["group"] == "corrected")
    new = [row["right"] for row in rows(case, "week3_corrections")]
    assert len(set(old) | set(new)) == len(old) + len(new)


def test_every_corrected_fact_is_asked_twice_with_both_answers(case: Case) -> None:
    pairs = Counter((row["wrong"], row["right"]) for row in rows(case, "week3_corrections"))
    asked = list(zip(rows(case, "week3_old"), rows(case, "week3_questions"), strict=True))
    assert [(old["question"], old["group"]) for old, _ in asked] == [(new["question"], "old value") for _, new in asked]
    assert {new["group"] for _, new in asked} == {"corrected"}
    assert Counter((old["answer"], new["answer"]) for old, new in asked) == dict.fromkeys(pairs, 2)
    for old, new in asked:
        assert not {old["answer"], *old["alternatives"]} & {new["answer"], *new["alternatives"]}


def strings(value: Any) -> Iterator[str]:
    """Every text inside decoded JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from strings(entry)


def test_new_values_come_nowhere_before_week_3(case: Case) -> None:
    names = ("week1_questions", "week2_tickets", "week2_questions")
    earlier = "\n".join([handbook(case), *(text for name in names for text in strings(rows(case, name)))])
    assert [row["right"] for row in rows(case, "week3_corrections") if says(case, earlier, row["right"])] == []


@pytest.mark.parametrize("name", ["week2_tickets", "week2_questions"])
def test_every_log_line_follows_from_its_message(case: Case, name: str) -> None:
    for message, log_line in turns(case, name):
        found = fields(case, log_line)
        spoken = words(message)
        assert message.startswith(case.prefix) and 10 <= len(message.split()) <= 30, message
        assert message.count(found["name"]) == 1 and message.count(f" {found['thing']}") == 1, message
        assert [case.codes[word] for word in spoken if word in case.codes] == [found["code"]], message
        assert [case.halves[word] for word in spoken if word in case.halves] == [found["half"]], message


def test_the_examples_show_every_kind_and_every_code(case: Case) -> None:
    shown = [fields(case, log_line) for _, log_line in turns(case, "week2_tickets")]
    asked = [fields(case, log_line) for _, log_line in turns(case, "week2_questions")]
    assert Counter(line["kind"] for line in shown) == dict.fromkeys(case.kinds, 11)
    assert Counter(line["kind"] for line in asked) == dict.fromkeys(case.kinds, 5)
    codes = Counter((line["code"], line["half"]) for line in shown)
    assert len(codes) == 12 and min(codes.values()) >= 3
    assert all((line["code"], line["half"]) in codes for line in asked)


def test_names_and_things_of_the_week_2_questions_are_new(case: Case) -> None:
    learnt = " ".join([handbook(case), *(f"{message} {line}" for message, line in turns(case, "week2_tickets"))])
    for _, log_line in turns(case, "week2_questions"):
        found = fields(case, log_line)
        assert not set(words(found["name"])) & set(words(learnt)), log_line
        assert not says(case, learnt, found["thing"]), log_line


def test_the_handbook_does_not_give_the_log_form_away(case: Case) -> None:
    assert not re.search(case.form, handbook(case))
