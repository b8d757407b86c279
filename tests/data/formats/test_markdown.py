"""Markdown and plain text in, titled documents out."""

import pytest

from everlearn.data import read_items, read_questions
from everlearn.records import Document, Origin


def test_the_whole_text_is_one_document(write):
    text = "\n# Häuser ##\n\nOne.\n\n## Two\n"
    reading = read_items(write("book/notes.md", text))
    assert reading.format == "markdown"
    assert reading.items == (Document(text, "Häuser", Origin("book/notes.md", 0)),)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("No heading here.\n", "my notes"),
        ("Intro.\n\n### Third level first\n# Top\n", "Third level first"),
        ("# C# and F#\n", "C# and F#"),
        ("```\n# a comment\n```\n# Real\n", "Real"),
        ("~~~\n# a comment\n", "my notes"),
        ("Underlined\n===\ntext\n", "Underlined"),
        ("Underlined\n---\ntext\n", "Underlined"),
        ("text\n\n---\n\n- item\n", "my notes"),
        ("#hashtag\n#\n", "my notes"),
        ("    # code\n", "my notes"),
        ("# \n# Real\n", "Real"),
        ("---\n\n# Real\n", "Real"),
        ("===\n# Real\n", "Real"),
        ("---\nlayout: page\n# no heading\n---\n\n# Real\n", "Real"),
        ("---\nlayout: page\n---", "my notes"),
        ("Intro.\n\n---\n# Real\n---\n", "Real"),
        ("\ufeff# Marked\r\n", "Marked"),
    ],
)
def test_the_title_is_the_first_heading_or_the_file_name(write, text, title):
    assert read_items(write("my notes.txt", text)).items[0].title == title


def test_a_text_asks_nothing(write, fails):
    assert fails(write("notes.md", "# A\n"), read_questions)[0] == "notes.md: markdown holds no questions"
