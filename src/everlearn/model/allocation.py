"""Nothing in; a C library that keeps the memory it was given back, out.

A forward pass frees tensors of megabytes and asks for them again at once. glibc hands such memory back to the system in
between, and every page of it is cleared and mapped anew: 200,000 pages, a quarter of the time of a pass.
"""

from __future__ import annotations

import ctypes
import functools
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
"""What `mallopt` calls its settings (malloc.h)."""

KEPT = 1 << 30
"""Bytes that may lie free at the end of the heap."""

LARGEST = 32 << 20
"""Bytes from which on a tensor is mapped by itself after all; glibc allows no more."""


@functools.cache
def keep_freed_memory() -> None:
    """Tell glibc, once; elsewhere nothing happens."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST)
        mallopt(M_TRIM_THRESHOLD, KEPT)
        mallopt(M_TOP_PAD, LARGEST)
