"""Saved datasets and Parquet in, items out; small stand-ins play the part of the optional libraries."""

import json
import sys
import types

import pytest

from everlearn.data import read_items, read_questions

ROWS = [
    {"question": "q", "answer": "a", "alternatives": ["b"], "group": None},
    {"question": "r", "answer": "s", "alternatives": None, "group": "g"},
]


@pytest.fixture
def saved(write):
    write("set/dataset_info.json", "{}")
    write("set/data-00000-of-00001.arrow", b"\xff\xff\xff\xff\0\0")
    return write("set/state.json", "{}").parent


@pytest.fixture
def parquet(write):
    return write("set.parquet", b"PAR1\0\0\0\0PAR1")


@pytest.fixture
def install(monkeypatch):
    """Puts stand-ins for `datasets` and `pyarrow` in place, both of which give the same rows or error."""

    def install_standins(rows=ROWS, error: Exception | None = None) -> list[str]:
        asked: list[str] = []

        class File:
            def __init__(self, path):
                asked.append(str(path))
                if error:
                    raise error

            def __enter__(self):
                return self

            def __exit__(self, *_):
                return None

            def iter_batches(self, batch_size):
                assert batch_size > 0
                return [types.SimpleNamespace(to_pylist=lambda row=row: [row]) for row in rows]

        def load_from_disk(path):
            asked.append(path)
            if error:
                raise error
            return rows

        monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_from_disk=load_from_disk))
        reader = types.SimpleNamespace(ParquetFile=File)
        monkeypatch.setitem(sys.modules, "pyarrow", types.SimpleNamespace(parquet=reader))
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", reader)
        return asked

    return install_standins


@pytest.mark.parametrize("kind", ["saved", "parquet"])
def test_without_the_extra(kind, request, fails, monkeypatch):
    path = request.getfixturevalue(kind)
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    problem, hint = fails(path)
    missing = {"saved": "datasets", "parquet": "pyarrow"}[kind]
    assert problem == f"{path}: a dataset of this kind cannot be read without {missing}"
    assert hint == "pip install 'everlearn[data]'"


@pytest.mark.parametrize("kind", ["saved", "parquet"])
def test_rows_go_through_the_row_formats(kind, request, install):
    path = request.getfixturevalue(kind)
    asked = install()
    reading = read_items(path)
    assert (reading.format, asked) == ("hf_dataset", [str(path)])
    assert [(item.messages[1].content, item.origin.line) for item in reading.items] == [("a", 1), ("s", 2)]
    assert [(question.gold, question.group) for question in read_questions(path)] == [
        (("a", "b"), ""),
        (("s",), "g"),
    ]


def test_faults_in_rows_have_the_row_number(saved, install, fails):
    install([ROWS[0], {**ROWS[1], "answer": 3}])
    assert fails(saved)[0] == 'set:2: "answer" is a number, not a text'
    install([])
    assert fails(saved)[0] == "set: the file has no rows"


@pytest.mark.parametrize("error", [OSError("bad magic\nmore"), ValueError("bad magic")])
def test_damaged_dataset(parquet, install, fails, error):
    install(error=error)
    problem, hint = fails(parquet)
    assert problem == "set.parquet: damaged dataset: bad magic"
    assert hint == "save or download it again"


def test_one_split_is_read_and_of_several_one_must_be_chosen(saved, write, install, fails):
    asked = install()
    folder = write("all/dataset_dict.json", json.dumps({"splits": ["train"]})).parent
    assert len(read_items(folder).items) == 2
    assert asked == ["all/train"]
    write("all/dataset_dict.json", json.dumps({"splits": ["train", "test"]}))
    problem, hint = fails(folder)
    assert problem == "all: the dataset has several splits: train, test"
    assert hint == "give one: all/train"


@pytest.mark.parametrize("content", ["{}", "[]", '{"splits": []}', '{"splits": "train"}'])
def test_splits_that_are_not_named(write, fails, content):
    folder = write("all/dataset_dict.json", content).parent
    assert fails(folder)[0] == "all: damaged dataset: dataset_dict.json names no splits"


@pytest.mark.parametrize("name", ["state.json", "dataset_info.json"])
def test_a_folder_with_one_of_the_two_files_is_no_dataset(write, name):
    folder = write(f"set/{name}", '[{"text": "a"}]').parent
    assert read_items(folder).format == "plain_text_rows"


def test_datasets_inside_a_folder_are_found(saved, write, install):
    install()
    write("set.parquet", b"PAR1\0\0\0\0PAR1")
    reading = read_items(saved.parent)
    assert (reading.format, len(reading.items), len(reading.duplicates)) == ("hf_dataset", 2, 2)
