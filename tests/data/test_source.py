"""Files in many encodings and states in, their lines or one clear error out."""

import os

import pytest

from everlearn.data import read_items, source
from everlearn.data.source import Source

CHAT = '{"question": "Wo?", "answer": "In Köln."}\n'


def test_utf8_with_and_without_byte_order_mark_reads_the_same(write):
    plain = read_items(write("a.jsonl", CHAT)).items
    marked = read_items(write("b.jsonl", b"\xef\xbb\xbf" + CHAT.encode())).items
    assert plain[0].messages == marked[0].messages
    assert marked[0].messages[1].content == "In Köln."


def test_a_byte_order_mark_further_down_belongs_to_the_text(write):
    assert read_items(write("a.md", "\ufeffa\n\ufeffb\n")).items[0].text == "a\n\ufeffb\n"


def test_crlf_reads_as_lf(write):
    assert read_items(write("a.jsonl", CHAT.replace("\n", "\r\n"))).items[0].origin.line == 1
    assert read_items(write("b.md", "# Title\r\none\rtwo\r\n")).items[0].text == "# Title\none\ntwo\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_named(write, fails, encoding):
    problem, hint = fails(write("data.jsonl", CHAT.encode(encoding)))
    assert problem == "data.jsonl:1: this file is UTF-16, not UTF-8"
    assert hint == "save it as UTF-8: iconv -f UTF-16 -t UTF-8 data.jsonl > utf8-data.jsonl"


def test_utf32_is_named(write, fails):
    assert fails(write("a.txt", "hello".encode("utf-32")))[0] == "a.txt:1: this file is UTF-32, not UTF-8"


def test_wrong_encoding_names_line_byte_and_offset(write, fails):
    problem, hint = fails(write("notes.txt", b"first line\nK\xf6ln\n"))
    assert problem == "notes.txt:2: not UTF-8: byte 0xf6 at offset 12 of the file"
    assert hint == (
        "save it as UTF-8 (if that is its encoding): iconv -f WINDOWS-1252 -t UTF-8 notes.txt > utf8-notes.txt"
    )


def test_wrong_encoding_after_a_byte_order_mark_has_the_offset_in_the_file(write, fails):
    problem, _ = fails(write("notes.txt", b"\xef\xbb\xbfa\xff"))
    assert problem == "notes.txt:1: not UTF-8: byte 0xff at offset 4 of the file"


def test_text_in_another_alphabet_is_an_encoding_error_and_not_binary(write, fails):
    assert "not UTF-8" in fails(write("a.txt", ("Привет, мир\n" * 50).encode("cp1251")))[0]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"GIF89a\0\0\1\2\0\0\0\0more", ""),
        (bytes(range(1, 32)) * 10, ""),
        (b"%PDF-1.7\nsome text", " (a PDF)"),
        (b"PK\x03\x04rest", " (a ZIP archive or office document)"),
        (b"\x89PNG\r\n\x1a\n\0\0", " (a PNG image)"),
        (b"\0", ""),
        (b"\0\1\0", ""),
        (b"\0" * 10, ""),
        (b"a" * 100 + b"\0", ""),
    ],
)
def test_binary_file(write, fails, content, kind):
    problem, hint = fails(write("data.jsonl", content))
    assert problem == f"data.jsonl: this is a binary file{kind}, not text"
    assert hint == "give JSONL, JSON, CSV, Markdown, plain text, a skill folder or a saved dataset"


def test_nul_byte_far_into_a_text(write, fails):
    problem, _ = fails(write("a.txt", b"x" * 9999 + b"\nab\0c\n"))
    assert problem == "a.txt:2: NUL byte at offset 10002 of the file: this is not text"


@pytest.mark.parametrize("content", ["", "\n \r\n\t\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["data.jsonl", "data.csv", "data.md"])
def test_empty_file(write, fails, name, content):
    problem, hint = fails(write(name, content))
    assert problem == f"{name}: the file is empty"
    assert hint == "put at least one row or one sentence into it"


def test_huge_line_is_refused(write, fails, monkeypatch):
    monkeypatch.setattr(source, "LONGEST_LINE", 100)
    fits, exceeds = "x" * 100, "y" * 101
    assert read_items(write("a.txt", f"{fits}\n{fits}")).items
    for end in ("", "\n", "\nmore"):
        problem, hint = fails(write("b.txt", f"{fits}\n{exceeds}{end}"))
        assert problem == "b.txt:2: this line is longer than 100 bytes"
        assert hint == "split it into several rows, one per line"


def test_the_limit_of_a_line_is_100_megabytes():
    assert source.LONGEST_LINE == 100_000_000


def test_missing_file_names_the_nearest(write, fails):
    write("data/train.jsonl", CHAT)
    problem, hint = fails(write("data/x.md", "x").parent / "trian.jsonl")
    assert problem == "data/trian.jsonl: there is no such file or folder"
    assert hint == "did you mean data/train.jsonl?"


def test_missing_file_without_a_near_name_lists_the_folder(write, fails):
    for number in range(7):
        write(f"data/{number}.md", "x")
    write("data/.hidden", "x")
    path = write("data/0.md", "x").parent / "quarterly_report"
    assert fails(path)[1] == "the folder data holds: 0.md, 1.md, 2.md, 3.md, 4.md and 2 more"


def test_missing_folder(write, fails):
    path = write("a.md", "x").parent / "nowhere" / "a.md"
    assert fails(path)[1] == "there is no folder nowhere either; check the path"


def test_empty_parent_folder(write, fails):
    path = write("data/a.md", "x")
    path.unlink()
    assert fails(path)[1] == "the folder data is empty; check the path"


def test_a_pipe_is_refused(write, fails):
    path = write("a.md", "x").with_name("pipe")
    os.mkfifo(path)
    assert fails(path) == ("pipe: neither a file nor a folder", "save what it yields to a file first")


def test_unreadable_file(write, fails, monkeypatch):
    path = write("a.md", "x")

    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    problem, hint = fails(path)
    assert problem == "a.md: cannot be read: permission denied"
    assert hint == "check that it exists and that you may read it"


def test_an_error_without_a_system_message(write):
    assert source.unreadable(write("a.md", "x"), OSError("Odd")).problem == "a.md: cannot be read: odd"


def test_lines_split_at_newlines_only(write):
    assert list(Source(write("a.txt", "a\u2028b\x0cc\nd")).lines()) == ["a\u2028b\x0cc\n", "d"]
