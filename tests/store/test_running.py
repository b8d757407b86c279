"""The files of an unfinished run: replaced in one step, checked, forgotten in one step."""

import pytest
from sample_commits import files

from everlearn.errors import StoreError
from everlearn.store.running import Running


def test_what_is_written_is_read_in_another_process(store):
    assert store.read_running("state.json") is None
    store.write_running("state.json", b"old")
    store.write_running("state.json", b"new")
    store.write_running("state.json", b"new")
    assert store.read_running("state.json") == b"new"
    assert store.running_path("state.json").read_bytes() == b"new"
    assert Running(store.running_path("x").parent).names() == ["state.json"]
    assert len(list(store.running_path("x").parent.iterdir())) == 2


def test_clear_forgets_everything(store):
    store.write_running("a", b"1")
    store.write_running("b", b"2")
    (store.running_path("folder")).mkdir()
    (store.running_path("folder") / "file").touch()
    store.clear_running()
    assert store.read_running("a") is None
    assert store.running_path("a").parent.is_dir()
    assert not any(name.startswith("running/") for name in files(store.folder / ".everlearn"))
    assert store.leftovers() == []
    store.clear_running()


@pytest.mark.parametrize("damage", [b"", b"stat", b"State", b"\0\0\0\0\0", b"state "])
def test_a_damaged_checkpoint_is_refused(store, damage):
    store.write_running("state", b"state")
    store.running_path("state").write_bytes(damage)
    with pytest.raises(StoreError) as caught:
        store.read_running("state")
    assert str(caught.value) == f"{store.running_path('state')}: this file of an unfinished run is damaged"
    assert "without --resume" in caught.value.hint
    assert [fault.path for fault in store.verify()] == [store.running_path("state")]


def test_names_are_told_apart(store):
    store.write_running("a", b"1")
    store.write_running("a.b", b"2")
    store.write_running("a", b"3")
    assert (store.read_running("a"), store.read_running("a.b")) == (b"3", b"2")
    assert store.verify() == []


def test_a_file_that_the_run_wrote_by_itself_is_read_unchecked(store):
    store.running_path("log.jsonl").write_bytes(b"{}\n")
    assert store.read_running("log.jsonl") == b"{}\n"
    assert store.verify() == []


def test_a_reader_sees_no_damage_while_the_run_writes(store, monkeypatch):
    from everlearn.store import durable

    store.write_running("state", b"old")
    read = durable.read_file

    def read_then_replace(path):
        data = read(path)
        store._running.write("state", b"new")
        return data

    monkeypatch.setattr(durable, "read_file", read_then_replace)
    assert store.read_running("state") == b"old"


@pytest.mark.parametrize("name", ["", "../HEAD", "a/b", ".hidden", "x.sha256"])
def test_bad_names_are_refused(store, name):
    with pytest.raises(StoreError, match="cannot be the name of a file of a run"):
        store.write_running(name, b"")
