"""Stores are created, found, and refused where they cannot be read."""

import json

import pytest

from everlearn.errors import StoreError
from everlearn.store import Store


def test_a_store_is_found_from_any_folder_below(tmp_path):
    created = Store.create(tmp_path)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    for start in (tmp_path, below, below / "not there yet"):
        assert Store.find(start).folder == created.folder == tmp_path.resolve()
    inner = Store.create(tmp_path / "a")
    assert Store.find(below).folder == inner.folder


def test_no_store_is_an_error_with_a_way_out(tmp_path):
    for look in (Store.open, Store.find):
        with pytest.raises(StoreError) as caught:
            look(tmp_path)
        assert caught.value.problem.startswith(f"{tmp_path}: there is no store")
        assert "everlearn learn" in caught.value.hint


def test_a_second_store_is_refused(tmp_path):
    Store.create(tmp_path)
    with pytest.raises(StoreError, match="there is a store already"):
        Store.create(tmp_path)


def test_a_store_needs_a_folder(tmp_path):
    with pytest.raises(StoreError, match="there is no such folder"):
        Store.create(tmp_path / "nothing")


def test_the_format_file_is_what_it_says(tmp_path):
    Store.create(tmp_path)
    assert json.loads((tmp_path / ".everlearn" / "format.json").read_text()) == {"version": 1}


def test_a_store_of_a_newer_version_is_refused(tmp_path):
    Store.create(tmp_path)
    path = tmp_path / ".everlearn" / "format.json"
    path.write_text('{"version": 2, "compression": "zstd"}')
    with pytest.raises(StoreError) as caught:
        Store.find(tmp_path)
    assert str(caught.value) == f"{path}: the store has version 2, this everlearn reads version 1"
    assert "newer everlearn" in caught.value.hint


@pytest.mark.parametrize("text", ["", "null", "{}", '{"version": "x"}', '{"version": 0}', "\0", '{"version": 1}'])
def test_a_damaged_format_file_is_refused(tmp_path, text):
    Store.create(tmp_path)
    path = tmp_path / ".everlearn" / "format.json"
    path.write_text(text)
    with pytest.raises(StoreError) as caught:
        Store.open(tmp_path)
    assert str(caught.value) == f"{path}: the file is damaged"
    assert '{"version": 1}' in caught.value.hint


def test_a_lost_format_file_is_written_anew_by_create(tmp_path):
    digest = Store.create(tmp_path).put(b"kept")
    (tmp_path / ".everlearn" / "format.json").unlink()
    with pytest.raises(StoreError, match="the file is missing"):
        Store.open(tmp_path)
    assert Store.create(tmp_path).get(digest) == b"kept"
