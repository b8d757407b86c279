"""Bytes and commits in, a content-addressed store of versions out that crashes cannot break."""

from everlearn.store.garbage import Collected
from everlearn.store.history import Entry
from everlearn.store.repository import Store
from everlearn.store.verification import Fault

__all__ = ["Collected", "Entry", "Fault", "Store"]
