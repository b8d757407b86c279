"""Files and folders in, items with notes and questions out; random data comes back unharmed."""

import json
import random
from pathlib import Path

import pytest

from everlearn.data import read_items, read_questions
from everlearn.records import Document, Example, Message, Origin, decode, encode


def rows(*answers):
    return [{"question": f"about {answer}", "answer": answer} for answer in answers]


def test_duplicates_are_kept_once_and_told_with_their_lines(write):
    reading = read_items(write("data.jsonl", rows("a", "b", "c", "a", "d", "e", "f", "g", "b", "h", "i", "a")))
    assert reading.notes == ("3 duplicate rows left out (lines 4, 9, 12)",)
    assert [item.origin.line for item in reading.items] == [1, 2, 3, 5, 6, 7, 8, 10, 11]
    assert reading.duplicates == tuple(Origin("data.jsonl", line) for line in (4, 9, 12))


def test_one_duplicate_and_many(write):
    assert read_items(write("a.jsonl", rows("a", "a"))).notes == ("1 duplicate row left out (line 2)",)
    notes = read_items(write("b.jsonl", rows(*"a" * 1300))).notes
    assert notes == ("1,299 duplicate rows left out (lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 1,289 more)",)


def test_rows_that_differ_in_the_answer_only_are_no_duplicates(write):
    same = [{"question": "q", "answer": answer} for answer in "ab"]
    reading = read_items(write("data.jsonl", same))
    assert (len(reading.items), reading.notes) == (2, ())


def test_a_folder_is_read_in_sorted_order(write):
    write("data/b.jsonl", rows("b"))
    write("data/a/z.md", "# Zed\n")
    write("data/a.csv", "question,answer\nx,y\n")
    write("data/c.jsonl", rows("c", "b"))
    write("data/.hidden.jsonl", "broken")
    write("data/.git/config.md", "broken \0")
    reading = read_items(Path("data"))
    assert [item.origin.file for item in reading.items] == [
        "data/a/z.md",
        "data/a.csv",
        "data/b.jsonl",
        "data/c.jsonl",
    ]
    assert reading.format == "markdown + csv_table + question_answer"
    assert reading.notes == ("1 duplicate row left out (line 2)",)


def test_duplicates_in_several_files_are_told_by_file(write):
    for name in "abc":
        write(f"data/{name}.jsonl", rows("same"))
    assert read_items(Path("data")).notes == ("2 duplicate rows left out (data/b.jsonl line 1; data/c.jsonl line 1)",)


def test_what_is_no_data_in_a_folder_is_noted(write):
    write("data/a.md", "# A\n")
    write("data/logo.png", b"\x89PNG\0")
    write("data/run.bin", b"\1\2\3\0")
    write("elsewhere/b.md", "# B\n")
    Path("data/link").symlink_to(Path("elsewhere").absolute())
    Path("data/lost.md").symlink_to("nowhere.md")
    Path("data/more.md").symlink_to(Path("elsewhere/b.md").absolute())
    reading = read_items(Path("data"))
    assert [item.title for item in reading.items] == ["A", "B"]
    assert reading.notes == (
        "left out: data/link (a link to a folder), data/logo.png (a PNG image), "
        "data/lost.md (not a regular file), data/run.bin (binary)",
    )


def test_a_long_list_of_what_is_no_data_is_cut(write):
    write("data/a.md", "# A\n")
    for number in range(7):
        write(f"data/{number}.png", b"\0")
    assert read_items(Path("data")).notes[0].endswith("data/4.png (binary) and 2 more")


def test_a_link_to_the_folder_itself_does_not_loop(write):
    write("data/a.md", "# A\n")
    Path("data/loop").symlink_to(Path("data").absolute())
    assert len(read_items(Path("data")).items) == 1


def test_a_fault_inside_a_folder_names_the_file(write, fails):
    write("data/a.md", "# A\n")
    write("data/b/c.jsonl", "{broken\n")
    problem, _ = fails(Path("data"))
    assert problem.startswith("data/b/c.jsonl:1: broken JSON at column 2")


@pytest.mark.parametrize("read", [read_items, read_questions])
def test_a_folder_without_data(write, fails, read):
    Path("empty/inner").mkdir(parents=True) if write("x", "x") else None
    write("empty/.hidden", "x")
    problem, hint = fails(Path("empty"), read)
    assert problem == "empty: no data in this folder"
    assert hint == "give JSONL, JSON, CSV, Markdown, plain text, a skill folder or a saved dataset"
    write("empty/photo.png", b"\x89PNG\0")
    assert fails(Path("empty"), read)[0] == ("empty: no data in this folder, only empty/photo.png (a PNG image)")


def test_an_unreadable_folder(write, fails, monkeypatch):
    folder = write("data/a.md", "x").parent

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(folder), "iterdir", refuse)
    assert fails(folder)[0] == "data: cannot be read: permission denied"


def test_absolute_paths_stay_as_given(write):
    path = write("data.jsonl", rows("a")).absolute()
    assert read_items(path).items[0].origin.file == str(path)


def test_questions_carry_group_check_and_alternatives(write):
    path = write(
        "data.jsonl",
        [
            {"prompt": "p", "completion": "c", "alternatives": ["d", "c"], "group": "g", "check": "regex"},
            {"prompt": "p", "completion": "c", "alternatives": None, "group": None, "check": None},
        ],
    )
    first, second = read_questions(path)
    assert first.messages == (Message("user", "p"),)
    assert (first.gold, first.group, first.grade) == (("c", "d"), "g", "regex")
    assert (second.gold, second.group, second.grade) == (("c",), "", "exact")
    assert (first.origin, second.origin) == (Origin("data.jsonl", 1), Origin("data.jsonl", 2))


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        ({"alternatives": "d"}, '"alternatives" is a text, not a list'),
        ({"alternatives": [""]}, '"alternatives" has an empty entry'),
        ({"group": 3}, '"group" is a number, not a text'),
        ({"check": True}, '"check" is true or false, not a text'),
    ],
)
def test_faults_in_what_only_questions_have(write, fails, extra, problem):
    path = write("data.jsonl", [{"prompt": "p", "completion": "c", **extra}])
    assert len(read_items(path).items) == 1
    assert fails(path, read_questions)[0] == f"data.jsonl:1: {problem}"


def test_questions_of_a_folder(write):
    write("data/a.jsonl", rows("a"))
    write("data/b.csv", "question,answer\nx,y\n")
    assert [question.gold[0] for question in read_questions(Path("data"))] == ["a", "y"]
    write("data/c.md", "# C\n")
    with pytest.raises(ValueError, match=r"data/c\.md: markdown holds no questions"):
        read_questions(Path("data"))


ALPHABET = [
    *"abcXYZ 09.,;:!?'\"\\/{}[]()|\t\n\r#-_",
    "ß",
    "é",
    "e\u0301",
    "日",
    "🙂",
    "\u2028",
    "\ufeff",
    "\x7f",
    "\x1b",
]


def random_text(chance: random.Random) -> str:
    return "w" + "".join(chance.choices(ALPHABET, k=chance.randrange(30))) + "w"


def random_conversation(chance: random.Random) -> tuple[Message, ...]:
    turns = [Message("system", random_text(chance))] * chance.randrange(2)
    for _ in range(chance.randrange(1, 4)):
        turns.append(Message("user", random_text(chance)))
        turns.append(Message("assistant", random_text(chance), learn=True))
    return tuple(turns)


def in_chat(messages):
    return {"messages": [{"content": m.content, "role": m.role} for m in messages]}


def in_sharegpt(messages):
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    return {"conversations": [{"from": names[m.role], "value": m.content} for m in messages]}


@pytest.mark.parametrize("seed", range(40))
def test_random_conversations_come_back_as_they_were_written(write, seed):
    chance = random.Random(seed)
    conversations = [random_conversation(chance) for _ in range(chance.randrange(1, 12))]
    spelled = [chance.choice([in_chat, in_sharegpt])(conversations[0])]
    spell = in_chat if "messages" in spelled[0] else in_sharegpt
    spelled = [spell(messages) for messages in conversations]
    ascii_only, end = chance.random() < 0.5, chance.choice(["\n", "\r\n", "\n\n", "\n \n"])
    lines = [json.dumps(row, ensure_ascii=ascii_only) for row in spelled]
    text = end.join(lines) if chance.random() < 0.5 else "[" + f",{end}".join(lines) + "]"
    start = chance.choice(["", "\ufeff", "\n"])
    suffix = chance.choice(["jsonl", "json", "txt", "csv"])
    reading = read_items(write(f"data.{suffix}", start + text))
    assert [item.messages for item in reading.items] == list(dict.fromkeys(conversations))
    for item in reading.items:
        assert decode(Example, encode(item)) == item


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_never_crash_the_reader(write, seed):
    chance = random.Random(seed)
    good = json.dumps(in_chat(random_conversation(chance)), ensure_ascii=False).encode() + b"\n"
    table = b'question,answer\n"a ""b"", c",d\n'
    for number in range(60):
        content = bytearray(chance.choice([good * 2, table, b"# Title\n\nText\n", b"[" + good + b"]"]))
        for _ in range(chance.randrange(1, 6)):
            content[chance.randrange(len(content))] = chance.choice([0, 10, 34, 44, 91, 123, 125, 200, 255])
        path = write(f"{number}.{chance.choice(['jsonl', 'csv', 'md', 'json'])}", bytes(content))
        try:
            items = read_items(path).items
        except ValueError as error:  # a DataError is one
            assert str(error).startswith(str(path))
            assert error.hint
        else:
            assert items
            assert all(isinstance(item, Example | Document) for item in items)
