"""Writes that succeed or leave nothing behind, and the text of each error."""

import os
import stat

import pytest
from simulated_disk import disk_full, input_output_error, read_only

from everlearn.errors import StoreError
from everlearn.store import durable


def test_write_replaces_the_file_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "file"
    durable.write_file(target, [b"old"], 3)
    durable.write_file(target, [b"ne", b"", b"w"], 3)
    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_write_syncs_the_file_renames_it_and_syncs_the_folder_in_this_order(tmp_path, monkeypatch):
    calls = []

    def record(call, *arguments):
        on_folder = call is os.fsync and stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
        calls.append("fsync folder" if on_folder else call.__name__)
        return call(*arguments)

    monkeypatch.setattr(durable, "perform", record)
    durable.write_file(tmp_path / "file", [b"data"], 4)
    assert calls == ["open", "write", "fsync", "replace", "fsync folder"]


def test_short_writes_are_continued(tmp_path, monkeypatch):
    def three_bytes_at_a_time(call, *arguments):
        return call(arguments[0], arguments[1][:3]) if call is os.write else call(*arguments)

    monkeypatch.setattr(durable, "perform", three_bytes_at_a_time)
    durable.write_file(tmp_path / "file", [b"0123456789"], 10)
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_a_failed_write_keeps_the_old_file_and_removes_the_new_one(tmp_path, disk):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    for call in range(1, 5):
        disk(call, input_output_error)
        with pytest.raises(StoreError):
            durable.write_file(target, [b"new"], 3)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"old"}


def test_an_interrupted_write_removes_the_new_file(tmp_path):
    def chunks():
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        durable.write_file(tmp_path / "file", chunks(), 8)
    assert not list(tmp_path.iterdir())


def test_full_disk_says_what_is_needed_and_what_is_free(tmp_path, disk):
    disk(2, disk_full)
    with pytest.raises(StoreError) as caught:
        durable.write_file(tmp_path / "file", [b"x" * 2_500_000], 2_500_000)
    assert caught.value.problem.startswith(f"{tmp_path / 'file'}: the disk is full; 2.5 MB needed, ")
    assert caught.value.problem.endswith(" free")
    assert "everlearn gc" in caught.value.hint


def test_read_only_disk_says_so(tmp_path, disk):
    disk(1, read_only)
    with pytest.raises(StoreError) as caught:
        durable.write_file(tmp_path / "file", [b"x"], 1)
    assert caught.value.problem == f"{tmp_path / 'file'}: the store is read-only (Read-only file system)"
    assert "copy of the store" in caught.value.hint


def test_other_errors_name_the_file_and_the_cause(tmp_path, disk):
    disk(1, input_output_error)
    with pytest.raises(StoreError) as caught:
        durable.write_file(tmp_path / "file", [b"x"], 1)
    assert caught.value.problem == f"{tmp_path / 'file'}: cannot write it (Input/output error)"
    assert "everlearn verify" in caught.value.hint
    with pytest.raises(StoreError, match="cannot read it"):
        durable.read_file(tmp_path)


def test_remove_tree_removes_all_of_it_and_follows_no_link(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    doomed = tmp_path / "doomed"
    (doomed / "deep").mkdir(parents=True)
    (doomed / "deep" / "file").touch()
    (doomed / "link").symlink_to(outside)
    durable.remove_tree(doomed)
    assert not doomed.exists()
    assert (outside / "kept").exists()


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_500_000, "2.5 MB"), (3 * 10**12, "3000.0 GB")],
)
def test_sizes_for_people(count, text):
    assert durable.readable_size(count) == text
