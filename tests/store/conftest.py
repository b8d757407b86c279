"""A temporary folder in; stores with and without commits, and a disk that goes wrong, out."""

import os
import tempfile
from pathlib import Path

import pytest
from sample_commits import grow
from simulated_disk import FaultyDisk, without_syncing

from everlearn.store import Store, durable


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    """Thousands of syncs would take a minute."""
    monkeypatch.setattr(durable, "perform", without_syncing)


@pytest.fixture
def tmp_path():
    """A temporary folder, in memory where there is such a place: these tests make thousands of files."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name).resolve()


@pytest.fixture
def store(tmp_path):
    """A store without commits."""
    return Store.create(tmp_path)


@pytest.fixture
def grown(store):
    """A store with three commits on `main`."""
    for text in ("base", "one", "two"):
        grow(store, text)
    return store


@pytest.fixture
def disk(monkeypatch):
    """Puts a FaultyDisk (or any stand-in) under the store."""

    def put(fault_at, fault, lasting=False):
        faulty = FaultyDisk(fault_at, fault, lasting)
        monkeypatch.setattr(durable, "perform", faulty)
        return faulty

    return put
