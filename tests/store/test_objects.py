"""What is put can be got, damage is noticed, and the same content is written once."""

import hashlib

import pytest

from everlearn.errors import StoreError
from everlearn.store import durable
from everlearn.store.objects import Objects


@pytest.fixture
def objects(tmp_path):
    (tmp_path / "objects").mkdir()
    return Objects(tmp_path / "objects")


def test_an_object_is_named_by_its_sha256_and_lies_where_the_name_says(objects):
    digest = objects.put(b"content")
    assert digest == hashlib.sha256(b"content").hexdigest()
    assert (objects.folder / digest[:2] / digest[2:]).read_bytes() == b"content"
    assert objects.get(digest) == b"content"
    assert objects.path(digest).read_bytes() == b"content"
    assert objects.size(digest) == 7
    assert digest in objects


def test_a_file_of_many_chunks_is_copied(objects, tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "CHUNK", 5)
    source = tmp_path / "source"
    source.write_bytes(b"0123456789abc")
    digest = objects.put_file(source)
    assert objects.get(digest) == b"0123456789abc"
    source.write_bytes(b"changed later")
    assert objects.get(digest) == b"0123456789abc"


def test_an_empty_object_is_an_object(objects):
    assert objects.get(objects.put(b"")) == b""


def test_the_same_content_is_written_once(objects, tmp_path):
    digest = objects.put(b"content")
    before = objects.locate(digest).stat()
    source = tmp_path / "source"
    source.write_bytes(b"content")
    assert objects.put(b"content") == objects.put_file(source) == digest
    after = objects.locate(digest).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_putting_the_same_content_repairs_a_damaged_object(objects):
    digest = objects.put(b"content")
    objects.locate(digest).write_bytes(b"contemt")
    assert objects.put(b"content") == digest
    assert objects.get(digest) == b"content"


@pytest.mark.parametrize("damage", [b"", b"conten", b"Content", b"\0" * 7, b"content "])
def test_a_damaged_object_is_named_and_not_served(objects, damage):
    digest = objects.put(b"content")
    objects.locate(digest).write_bytes(damage)
    for read in (objects.get, objects.path):
        with pytest.raises(StoreError) as caught:
            read(digest)
        assert caught.value.problem.startswith(f"{objects.locate(digest)}: object {digest[:12]} is damaged")
        assert "copy of the store" in caught.value.hint


def test_a_missing_object_is_named(objects):
    digest = "ab" * 32
    assert digest not in objects
    for read in (objects.get, objects.path, objects.size, objects.require):
        with pytest.raises(StoreError, match=f"object {digest[:12]} is missing"):
            read(digest)


@pytest.mark.parametrize("name", ["", "../../HEAD", "ab", "AB" * 32, "ab" * 32 + "\n", "/" * 64])
def test_a_name_that_is_no_digest_leads_nowhere(objects, name):
    for use in (objects.get, objects.path, objects.size, objects.delete, objects.require):
        with pytest.raises(StoreError, match="is no object name"):
            use(name)


def test_a_missing_source_is_an_error(objects, tmp_path):
    with pytest.raises(StoreError, match="there is no such file"):
        objects.put_file(tmp_path / "nothing")


def test_a_source_that_changes_while_it_is_copied_is_refused(objects, tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.write_bytes(b"before")
    make_folder = durable.make_folder

    def change_the_source(path):
        source.write_bytes(b"behind")
        make_folder(path)

    monkeypatch.setattr(durable, "make_folder", change_the_source)
    with pytest.raises(StoreError, match="changed while it was copied"):
        objects.put_file(source)
    assert not [path for path in objects.folder.rglob("*") if path.is_file()]


def test_iteration_gives_objects_only_and_delete_takes_one(objects):
    digests = sorted(objects.put(bytes([number])) for number in range(20))
    (objects.folder / ".DS_Store").touch()
    (objects.folder / digests[0][:2] / f"{durable.TEMPORARY}1-ab").touch()
    assert list(objects) == digests
    objects.delete(digests[0])
    assert list(objects) == digests[1:]
