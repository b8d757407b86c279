"""What happens in a cell in; files out, and the same back."""

from __future__ import annotations

import json

import pytest

from everlearn.bench.recording import (
    Examined,
    Learning,
    Learnt,
    StreamRecord,
    is_finished,
    read_learning,
    read_record,
    read_stream,
    read_trial,
    write_learning,
    write_stream,
    write_trial,
    write_whole,
)
from everlearn.desiderata.contract import Asked, Moment, Reply, Trial
from everlearn.errors import StoreError
from everlearn.records import Cost

REPLIES = (Reply("a", True, 0.25, True, "x y"), Reply("b", False, 1.5, None, "line\nbreak \u2028 é"))
TRIAL = Trial(
    "replay",
    3,
    (
        Moment(1, 0.5, REPLIES[:1], cost=Cost({"new": 7}, 2.0, 0.5, 9, 4)),
        Moment(1, 1.0, REPLIES, text_nll=1.25, bytes_kept=11),
        Moment(2, 1.0, ()),
    ),
    {"budget": 5, "weights": "full"},
    ("full replay",),
)


def test_a_trial_comes_back_as_it_was(tmp_path):
    write_trial(tmp_path / "cell", TRIAL)
    assert read_trial(tmp_path / "cell") == TRIAL


def test_answers_are_a_line_each_and_say_at_which_moment(tmp_path):
    write_trial(tmp_path, TRIAL)
    lines = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]
    assert [(line["moment"], line["probe"]) for line in lines] == [(0, "a"), (1, "a"), (1, "b")]


def test_a_trial_without_replies_comes_back(tmp_path):
    bare = Trial("base", 1, (Moment(0),))
    write_trial(tmp_path, bare)
    assert read_trial(tmp_path) == bare


def test_a_cell_is_finished_only_with_its_last_file(tmp_path):
    write_trial(tmp_path, TRIAL)
    (tmp_path / "trial.json").unlink()
    assert not is_finished(tmp_path)
    with pytest.raises(StoreError, match="the cell is not finished"):
        read_trial(tmp_path)


def test_a_damaged_cell_is_named(tmp_path):
    write_trial(tmp_path, TRIAL)
    (tmp_path / "answers.jsonl").write_text('{"moment": 0, "probe": "a"', encoding="utf-8")
    with pytest.raises(StoreError, match="is damaged") as error:
        read_trial(tmp_path)
    assert "remove" not in error.value.hint, "it would be learnt after the probes were drawn"
    for line in ('{"probe": "a"}', "7"):
        (tmp_path / "answers.jsonl").write_text(line, encoding="utf-8")
        with pytest.raises(StoreError, match="is damaged"):
            read_trial(tmp_path)


def test_a_record_that_is_missing_or_empty_is_named(tmp_path):
    path = tmp_path / "examined.json"
    with pytest.raises(StoreError, match="is not there"):
        read_record(Examined, path)
    path.touch()
    with pytest.raises(StoreError, match=r"examined\.json is damaged"):
        read_record(Examined, path)


def test_what_was_learnt_comes_back(tmp_path):
    learning = Learning(
        "solo",
        2,
        {"epochs": 3},
        ("lora", 8, "all"),
        (Learnt(1, 1.0, "w.safetensors", Cost(), 5, 3),),
        ("x",),
        "h:1",
        2.5,
    )
    write_learning(tmp_path, learning)
    assert read_learning(tmp_path) == learning
    assert read_learning(tmp_path / "other") is None


def test_a_stream_comes_back_with_its_probes_on_lines_of_their_own(tmp_path):
    probes = tuple(Asked(name, "f", "k", "atom", (1, 2), "key", 0.25, ("x",)) for name in "ab")
    record = StreamRecord(4, "salt", 2, {1: "facts", 2: "rules"}, 1000, probes, {"a": 7})
    write_stream(tmp_path, record)
    assert read_stream(tmp_path) == record
    assert len((tmp_path / "probes.jsonl").read_text(encoding="utf-8").splitlines()) == 3


def test_probes_that_were_not_drawn_are_missed_in_words(tmp_path):
    with pytest.raises(StoreError, match="no cell of this stream was examined"):
        read_stream(tmp_path)


def test_a_file_appears_whole_in_a_folder_that_is_made(tmp_path):
    write_whole(tmp_path / "a" / "b.json", b"1")
    write_whole(tmp_path / "a" / "b.json", b"22")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.json"]
    assert (tmp_path / "a" / "b.json").read_bytes() == b"22"
