"""CSV and TSV tables in, items and questions out."""

from pathlib import Path

import pytest

from everlearn.data import read_items, read_questions
from everlearn.data.formats.csv_table import CsvTable
from everlearn.data.source import Source
from everlearn.records import Correction, Document, Example, Message


def test_question_and_answer(write):
    reading = read_items(write("data.csv", "question,answer\nWhat?,This.\nWho?,Her.\n"))
    assert reading.format == "csv_table"
    assert [item.messages for item in reading.items] == [
        (Message("user", "What?"), Message("assistant", "This.", learn=True)),
        (Message("user", "Who?"), Message("assistant", "Her.", learn=True)),
    ]
    assert [item.origin.line for item in reading.items] == [2, 3]


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("prompt,completion,x", Example),
        ("x,instruction,output", Example),
        ("Question, ANSWER ,id", Example),
        ("question,wrong,right", Correction),
        ("text,title,x", Document),
    ],
)
def test_columns_decide_what_a_row_means(write, header, kind):
    reading = read_items(write("data.csv", f"{header}\na,b,c\n"))
    assert reading.format == "csv_table"
    assert isinstance(reading.items[0], kind)


def test_one_column_of_texts(write):
    assert read_items(write("data.csv", 'text\n"Hello, world"\n')).items[0].text == "Hello, world"


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ";"), ("a.tsv", "\t"), ("a.txt", ","), ("a.csv", "\t")])
def test_separators(write, name, mark):
    text = f"question{mark}answer\nWhat, then?{mark}This\n".replace(", ", " " if mark == "," else ", ")
    assert read_items(write(name, text)).items[0].messages[1].content == "This"


def test_quotes_line_ends_inside_cells_blank_rows_and_crlf(write):
    text = 'question,answer\n\n"Say ""hi"",\nplease", "Hi, you"\n , \nWho?,"Zoë ☕"\n'
    for content in (text, text.replace("\n", "\r\n")):
        items = read_items(write("data.csv", content)).items
        assert [item.origin.line for item in items] == [3, 6]
        assert items[0].messages[0].content.replace("\r", "") == 'Say "hi",\nplease'
        assert items[0].messages[1].content == "Hi, you"
        assert items[1].messages[1].content == "Zoë ☕"


def test_cells_may_be_long(write):
    long = "word " * 50_000
    assert read_items(write("data.csv", f"text\n{long}\n")).items[0].text == long


def test_alternatives_group_and_check(write):
    text = "question,answer,alternatives,group,check\nq,a,b | c|,maths,starts_with\nr,s,,,\n"
    first, second = read_questions(write("data.csv", text))
    assert (first.gold, first.group, first.grade) == (("a", "b", "c"), "maths", "starts_with")
    assert (second.gold, second.group, second.grade) == (("s",), "", "exact")


def test_unknown_columns(write, fails):
    problem, hint = fails(write("data.csv", "frage,antwort\nWas?,Das.\n"))
    assert problem == 'data.csv:2: no known format has the keys "antwort", "frage"'
    assert hint.startswith('formats: alpaca ("instruction", "output"); ')


def test_a_row_with_too_many_or_too_few_cells(write, fails):
    problem, hint = fails(write("data.csv", "question,answer\nq,a\nq,a, b\n"))
    assert problem == "data.csv:3: 3 cells under a header of 2 columns"
    assert hint == 'put cells that hold the separator in quotes: "a, b"'
    assert fails(write("data.csv", "question,answer\nq\n"))[0] == ("data.csv:2: 1 cell under a header of 2 columns")


def test_an_open_quote_is_told_where_it_opens(write, fails):
    problem, hint = fails(write("data.csv", 'question,answer\nq,a\nq,"b\nq,c\nq,d\n'))
    assert problem == ("data.csv:3: broken CSV in the record that starts here: unexpected end of data")
    assert hint == 'close every quote, and write a quote inside a cell twice: ""'


def test_a_column_twice(write, fails):
    problem, hint = fails(write("data.csv", "question,answer,Answer\nq,a,b\n"))
    assert problem == 'data.csv:1: the header has a column twice: "answer"'
    assert hint == "rename or remove one of them"


def test_columns_without_a_name_are_no_fault(write):
    assert len(read_items(write("data.csv", "question,answer,,\nq,a,,\n")).items) == 1


def test_a_binary_file_called_csv(write, fails):
    assert fails(write("data.csv", b"\0\1\2\3"))[0] == "data.csv: this is a binary file, not text"


def test_a_folder_called_csv(write):
    write("folder.csv/a.md", "# A\n")
    assert read_items(Path("folder.csv")).format == "markdown"


@pytest.mark.parametrize("text", ["question,answer\n", ",,\n,,\n"])
def test_no_rows(write, fails, text):
    assert fails(write("data.csv", text))[0] == "data.csv: the file has no rows"


def test_empty_target(write, fails):
    assert fails(write("data.csv", "question,answer\nq,\n"))[0] == 'data.csv:2: "answer" is empty'


def test_a_broken_table_under_another_name_is_not_claimed(write):
    assert not CsvTable().recognises(Source(write("a.txt", 'question,answer\n"open,b\n')))
