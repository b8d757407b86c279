"""Files of the kernel in, memory and cores out."""

import os

import pytest

from everlearn import resources


@pytest.fixture
def machine(tmp_path, monkeypatch):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 900 kB\nMemAvailable: 500 kB\nSwapFree: 100 kB\nHugePages_Total: 0\n")
    monkeypatch.setattr(resources, "MEMINFO", meminfo)
    monkeypatch.setattr(resources, "CGROUP", tmp_path)
    return tmp_path


def test_free_memory_counts_swap(machine):
    assert resources.free_memory() == 600 * 1024


def test_a_containers_limit_counts_without_its_file_cache(machine):
    (machine / "memory.max").write_text("300000\n")
    (machine / "memory.current").write_text("250000\n")
    (machine / "memory.stat").write_text("anon 50000\nfile 200000\nfile_mapped 5\n")
    assert resources.free_memory() == 250_000
    (machine / "memory.max").write_text("max\n")
    assert resources.free_memory() == 600 * 1024


def test_elsewhere_nobody_can_tell(machine):
    (machine / "meminfo").unlink()
    assert resources.free_memory() is None


def test_cores_are_those_the_container_grants(machine, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    assert resources.cores() == 8
    (machine / "cpu.max").write_text("max 100000\n")
    assert resources.cores() == 8
    (machine / "cpu.max").write_text("250000 100000\n")
    assert resources.cores() == 2
    (machine / "cpu.max").write_text("50000 100000\n")
    assert resources.cores() == 1
