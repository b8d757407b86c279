"""Good and broken JSON in, rows with their lines or errors with line and column out."""

import sys

import pytest

from everlearn.data import read_items
from everlearn.data.rows import Row, kind_of

GOOD = '{"prompt": "p", "completion": "c"}'
OTHER = '{"prompt": "q", "completion": "d"}'
LINE_HINT = "each line must be one whole JSON object; mend or delete this one"
LIST_HINT = "the file must be one JSON list of objects: [{...}, {...}]"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"prompt": "p" "completion": "c"}', "column 16: expecting ',' delimiter"),
        ('  {"prompt": "p" "completion": "c"}', "column 18: expecting ',' delimiter"),
        ('{"prompt": "p, "completion"}', "column 17: expecting ',' delimiter"),
        ("{'prompt': 'p'}", "column 2: expecting property name enclosed in double quotes"),
        ('{"prompt": "p", "completion": "c', "column 31: unterminated string"),
        ('{"prompt": "p", "completion": ["c"', "column 35: the row stops before its end"),
        ('{"prompt": "p", "completion":', "column 30: the row stops before its end"),
        ('{"prompt": "p", "completion": c}', "column 31: expecting value"),
        ('{"prompt": "a\tb"}', "column 14: invalid control character"),
        (GOOD + " " + OTHER, "column 36: extra data"),
        ("plain words", "column 1: expecting value"),
    ],
)
def test_broken_json_names_line_column_and_fault(write, fails, line, problem):
    found, hint = fails(write("data.jsonl", f"{GOOD}\n\n{line}\n{OTHER}\n"))
    assert found == f"data.jsonl:3: broken JSON at {problem}"
    assert hint == LINE_HINT


def test_broken_json_on_the_first_line_is_not_taken_for_prose(write, fails):
    for name in ("data.jsonl", "data.txt"):
        assert fails(write(name, "{'prompt': 'p'}\n"))[0].startswith(f"{name}:1: broken JSON at column 2")


def test_deep_nesting(write, fails):
    deep = "[" * 100_000
    problem, _ = fails(write("data.jsonl", f'{GOOD}\n{{"prompt": {deep}\n'))
    assert problem == "data.jsonl:2: broken JSON: lists or objects are nested too deeply"
    problem, _ = fails(write("data.json", f'[\n{{"prompt": {deep}'))
    assert problem == "data.json:2: broken JSON: lists or objects are nested too deeply"


def test_number_with_too_many_digits(write, fails):
    digits = "9" * (sys.get_int_max_str_digits() + 1)
    problem, _ = fails(write("data.jsonl", f'{{"prompt": {digits}}}'))
    assert problem == "data.jsonl:1: broken JSON: a number has too many digits"


@pytest.mark.parametrize(("line", "kind"), [("[1]", "a list"), ("3", "a number"), ('"x"', "a text"), ("null", "null")])
def test_row_that_is_no_object(write, fails, line, kind):
    problem, hint = fails(write("data.jsonl", f"{GOOD}\n{line}\n"))
    assert problem == f"data.jsonl:2: this row is {kind}, not an object"
    assert hint == 'each row must be an object, such as {"prompt": "...", "completion": "..."}'


def test_blank_lines_are_skipped_and_counted(write):
    items = read_items(write("data.jsonl", f"\n{GOOD}\n  \n\r\n{OTHER}\n\n")).items
    assert [item.origin.line for item in items] == [2, 5]


def test_last_line_without_an_end(write):
    assert len(read_items(write("data.jsonl", f"{GOOD}\n{OTHER}")).items) == 2


def test_array_elements_have_the_line_they_start_on(write):
    pretty = '{\n  "prompt": "r",\n  "completion": "e"\n}'
    items = read_items(write("data.json", f"\n[\n {GOOD},\n\n {pretty}, {OTHER}]\n")).items
    assert [item.origin.line for item in items] == [3, 5, 8]
    assert [item.messages[1].content for item in items] == ["c", "e", "d"]


def test_array_without_spaces(write):
    assert len(read_items(write("data.json", f"[{GOOD},{OTHER}]")).items) == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"[{GOOD}]x", "1: broken JSON at column 37: something follows the closing ]"),
        (f"[{GOOD},\n {OTHER}", "2: broken JSON at column 36: expecting ',' or ']' after a row"),
        (f"[{GOOD}\n {OTHER}]", "2: broken JSON at column 2: expecting ',' or ']' after a row"),
        (f"[{GOOD},\n]", "2: broken JSON at column 1: a comma before the closing ]"),
        (f"[{GOOD}]\n\n{OTHER}", "3: broken JSON at column 1: something follows the closing ]"),
        (f'[{GOOD},\n{{"prompt": p}}]', "2: broken JSON at column 12: expecting value"),
        (f"[{GOOD},\n", "2: broken JSON at column 1: expecting value"),
    ],
)
def test_broken_array(write, fails, text, problem):
    assert fails(write("data.json", text)) == (f"data.json:{problem}", LIST_HINT)


def test_array_of_texts_and_empty_array(write, fails):
    assert fails(write("a.json", '["x"]'))[0] == "a.json:1: this row is a text, not an object"
    problem, hint = fails(write("b.json", "[]"))
    assert (problem, hint) == ("b.json: the file has no rows", "put at least one row into it")


def test_half_a_character_is_refused(write, fails):
    problem, hint = fails(write("data.jsonl", '{"prompt": "p", "completion": "ab\\ud83d"}'))
    assert problem == 'data.jsonl:1: "completion" has half a character at position 3: \\ud83d'
    assert hint == "write the character itself, or both halves of its escape"
    whole = read_items(write("data.jsonl", '{"prompt": "p", "completion": "\\ud83d\\ude00"}'))
    assert whole.items[0].messages[1].content == "😀"


def test_lists_of_texts(fails):
    row = Row("f", 1, {"good": ["a", "b"], "null": None})
    assert (row.texts("good"), row.texts("null"), row.texts("missing")) == (("a", "b"), (), ())

    def reading(value):
        return fails(None, lambda _: Row("f", 1, {"x": value}).texts("x"))

    assert reading("a") == ('f:1: "x" is a text, not a list', 'write it as "x": ["first", "second"]')
    assert reading(["a", 2])[0] == 'f:1: entry 2 of "x" is a number, not a text'
    assert reading(["a", " "])[0] == 'f:1: "x" has an empty entry'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true or false"),
        (1.5, "a number"),
        ({}, "an object"),
        ([], "a list"),
        ("", "a text"),
        (b"", "a bytes"),
    ],
)
def test_kinds_of_values_in_words(value, words):
    assert kind_of(value) == words
