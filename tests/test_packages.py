"""A package is fetched exactly once however many ask at the same time, and nothing but the file expected is used."""

from __future__ import annotations

import hashlib
import os
import time

import pytest

from everlearn import packages
from everlearn.errors import PackageError
from everlearn.packages import Package, kept


def test_processes_that_start_at_once_make_it_once(tmp_path, monkeypatch):
    monkeypatch.setenv("EVERLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(packages, "_download", lambda package, scratch: scratch / "file")

    def make(file, folder):
        with (tmp_path / "made").open("a") as log:
            log.write("one\n")
        time.sleep(0.5)
        folder.mkdir()

    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            kept("things/a", Package("thing==1", "0" * 64, 1), make)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert (tmp_path / "made").read_text() == "one\n"


def test_what_could_not_be_made_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("EVERLEARN_CACHE", str(tmp_path))
    monkeypatch.setattr(packages, "_download", lambda package, scratch: scratch / "file")

    def fail(file, folder):
        folder.mkdir()
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        kept("things/a", Package("thing==1", "0" * 64, 1), fail)
    assert not (tmp_path / "things" / "a").exists()


def test_pip_is_told_the_hash_and_a_mismatch_has_a_way_out(tmp_path, monkeypatch):
    """The real pip, on a package of one file in a folder that stands for the index."""
    index = tmp_path / "index"
    index.mkdir()
    wheel = index / "thing-1.0-py3-none-any.whl"
    write_wheel(wheel)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert packages._download(Package("thing==1.0", digest, 1), scratch).read_bytes() == wheel.read_bytes()
    with pytest.raises(PackageError, match="is not the file that was expected") as refused:
        packages._download(Package("thing==1.0", "f" * 64, 1), scratch)
    assert "tampered" in refused.value.hint
    with pytest.raises(PackageError, match="could not fetch other==1") as missing:
        packages._download(Package("other==1", "f" * 64, 1), tmp_path / "scratch")
    assert "PyPI" in missing.value.hint


def write_wheel(path):
    import zipfile

    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("thing.py", "")
        wheel.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        wheel.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("thing-1.0.dist-info/RECORD", "")
