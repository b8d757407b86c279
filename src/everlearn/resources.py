"""This machine in, what it has left for a run out: memory and processor cores."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")


def free_memory() -> int | None:
    """Bytes that a process can still take without being killed, swap included; None where nobody can tell."""
    if not MEMINFO.is_file():
        return None
    lines = (line.split() for line in MEMINFO.read_text(encoding="ascii").splitlines())
    known = {words[0].rstrip(":"): 1024 * int(words[1]) for words in lines}
    free = known["MemAvailable"] + known.get("SwapFree", 0)
    granted = _granted_memory()
    return free if granted is None else min(free, granted)


def cores() -> int:
    """Processor cores that this process may use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota()
    return max(1, min(allowed, round(quota))) if quota else allowed


def _quota() -> float | None:
    """Cores' worth of time that the container grants; None where it sets no limit."""
    path = CGROUP / "cpu.max"
    granted, _, period = path.read_text(encoding="ascii").strip().partition(" ") if path.is_file() else ("max", "", "")
    return int(granted) / int(period) if granted.isdecimal() and period.isdecimal() else None


def _granted_memory() -> int | None:
    """Bytes left of what the container may take, its file cache counted as free; None where it sets no limit."""
    limit, used = _number(CGROUP / "memory.max"), _number(CGROUP / "memory.current")
    if limit is None or used is None:
        return None
    lines = (CGROUP / "memory.stat").read_text(encoding="ascii").splitlines()
    cached = next((int(line.split()[1]) for line in lines if line.startswith("file ")), 0)
    return limit - used + cached


def _number(path: Path) -> int | None:
    text = path.read_text(encoding="ascii").strip() if path.is_file() else ""
    return int(text) if text.isdecimal() else None
