"""Contents under misleading names in, the right format or a clear error out."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from everlearn import plugins
from everlearn.data import detection, read_items
from everlearn.data.detection import FOLDER, fitting, formats_of
from everlearn.data.formats.contract import DocumentFormat, Format, RowFormat, TableFormat
from everlearn.data.source import Source

SAMPLES = {
    "chat_messages": '{"messages": [{"role": "assistant", "content": "b"}]}\n',
    "sharegpt": '{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}\n',
    "prompt_completion": '{"prompt": "a", "completion": "b"}\n',
    "alpaca": '{"instruction": "a", "input": "", "output": "b"}\n',
    "question_answer": '{"question": "a", "answer": "b"}\n',
    "corrections": '{"question": "a", "wrong": "b", "right": "c"}\n',
    "plain_text_rows": '{"text": "a"}\n',
    "csv_table": "question,answer\na,b\n",
    "markdown": "# Title\n\nSome text.\n",
}


def test_every_format_has_one_class_with_a_docstring_and_a_test_file():
    names = plugins.names(FOLDER)
    assert set(SAMPLES) | {"skill_folder", "hf_dataset"} == set(names)
    for name in names:
        found = plugins.find(FOLDER, name, Format)
        assert found.__doc__
        assert issubclass(found, (RowFormat, TableFormat, DocumentFormat))
        assert (Path(__file__).parent / "formats" / f"test_{name}.py").is_file()


def test_a_new_format_is_one_file(write, monkeypatch, tmp_path):
    write(
        "haiku_rows.py",
        "from everlearn.data.formats.contract import RowFormat\n"
        "from everlearn.records import Document\n"
        "class HaikuRows(RowFormat):\n"
        "    keys = frozenset({'haiku'})\n"
        "    def item(self, row):\n"
        "        return Document(row.text('haiku'), origin=row.origin)\n",
    )
    from everlearn.data import formats

    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    detection._formats.cache_clear()
    try:
        reading = read_items(write("data.jsonl", [{"haiku": "frog"}]))
    finally:
        detection._formats.cache_clear()
        sys.modules.pop("everlearn.data.formats.haiku_rows", None)
    assert (reading.format, reading.items[0].text) == ("haiku_rows", "frog")


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".txt", ".md", ".csv", ".tsv", "", ".parquet", ".PY"])
@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "markdown"])
def test_the_content_decides_and_not_the_suffix(write, name, suffix):
    assert read_items(write(f"data{suffix}", SAMPLES[name])).format == name


@pytest.mark.parametrize("suffix", [".md", ".txt", "", ".json", ".jsonl", ".py"])
def test_prose_is_prose_under_most_names(write, suffix):
    assert read_items(write(f"data{suffix}", SAMPLES["markdown"])).format == "markdown"


@pytest.mark.parametrize(
    "text",
    [
        "[Home](index.html) is where it starts.\n",
        "{% extends 'page' %}\nHello\n",
        "{{ title }}\n",
        "[1] A reference\n",
        "question, answer, and more\nThe second line, too, has commas\n",
        "question,answer\n\nThat was the title of a text.\n",
        "text\n\nA text that happens to start so.\n",
        "prompt\tcompletion\n",
        "apples,pears\nred,green\n",
    ],
)
def test_prose_that_only_looks_like_data(write, text):
    assert read_items(write("notes.md", text)).format == "markdown"


def test_recognising_never_fails_on_the_content_of_another_format(write):
    contents = [*SAMPLES.values(), 'question,answer\n"open,b\n', b"PAR1 damaged", b"\0\1\2", "---\nname: x\n"]
    shapes = [*formats_of(TableFormat).values(), *formats_of(DocumentFormat).values()]
    for number, content in enumerate(contents):
        for path in (write(f"{number}/a.bin", content), Path(str(number))):
            assert {type(shape.recognises(Source(path))) for shape in shapes} == {bool}


def test_mixed_formats_name_both_formats_and_both_lines(write, fails):
    text = "\n" + SAMPLES["chat_messages"] * 3 + SAMPLES["prompt_completion"]
    problem, hint = fails(write("data.jsonl", text))
    assert problem == ("data.jsonl:5: mixed formats: this row is prompt_completion, but line 2 is chat_messages")
    assert hint == "put each format into a file of its own"


def test_unknown_keys_are_named_with_the_formats_there_are(write, fails):
    problem, hint = fails(write("data.jsonl", [{"prompt": "a", "completion": "b"}, {"q": "a", "a": "b"}]))
    assert problem == 'data.jsonl:2: no known format has the keys "a", "q"'
    assert hint == (
        'formats: alpaca ("instruction", "output"); chat_messages ("messages"); '
        'corrections ("question", "right", "wrong"); prompt_completion ("completion", "prompt"); '
        'question_answer ("answer", "question"); sharegpt ("conversations"); plain_text_rows ("text")'
    )


def test_a_row_without_keys(write, fails):
    assert fails(write("a.jsonl", "{}\n"))[0] == "a.jsonl:1: this row has no keys"


def test_keys_of_two_formats(write, fails):
    row = {"prompt": "a", "completion": "b", "question": "a", "answer": "b"}
    problem, hint = fails(write("data.jsonl", [row]))
    assert problem == (
        'data.jsonl:1: this row could be prompt_completion ("completion", "prompt") '
        'and question_answer ("answer", "question")'
    )
    assert hint == "keep the keys of one of them"


def test_a_rendered_text_beside_known_keys_is_ignored(write):
    row = {"instruction": "a", "input": "", "output": "b", "text": "### Instruction: a ..."}
    assert read_items(write("data.jsonl", [row])).format == "alpaca"


def test_the_larger_set_of_keys_wins(monkeypatch):
    class Wider(RowFormat):
        keys = frozenset({"question", "answer", "hint"})

    found = {"wider": Wider(), **detection._formats()}
    monkeypatch.setattr(detection, "_formats", lambda: found)
    assert list(fitting({"question", "answer", "hint"})) == ["wider"]
    assert list(fitting({"question", "answer"})) == ["question_answer"]


def test_reading_data_imports_no_model_library(write):
    write("data.jsonl", SAMPLES["chat_messages"])
    code = (
        "import sys; from pathlib import Path; from everlearn.data import read_items, check\n"
        "read_items(Path('data.jsonl'))\n"
        "print(sorted({'torch', 'transformers', 'datasets', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == []
