"""A method's memory in, stored objects out, and back."""

from __future__ import annotations

import json
from typing import Any

from everlearn.records import Example, decode, encode
from everlearn.store import Store

EXAMPLES = "examples"
"""The one name under which methods keep examples of earlier stages; where several train together, behind their own."""


def holds_examples(name: str) -> bool:
    """Whether examples are kept under this name, by a method alone or as a part of several."""
    return name.rpartition(".")[2] == EXAMPLES


def keep(store: Store, memory: dict[str, Any]) -> dict[str, str]:
    """Store each part of a memory; returns name and object digest of each. What is unchanged costs nothing."""
    return {name: store.put(data) for name, data in as_files(memory).items()}


def recall(store: Store, objects: dict[str, str]) -> dict[str, Any]:
    """The memory that `keep` stored."""
    return from_files({name: store.get(digest) for name, digest in objects.items()})


def as_files(memory: dict[str, Any]) -> dict[str, bytes]:
    """Each part of a memory as a file: its name with an ending, and its content."""
    return {_file_name(name, value): _to_bytes(value) for name, value in memory.items()}


def from_files(files: dict[str, bytes]) -> dict[str, Any]:
    """The memory that `as_files` made files of."""
    memory: dict[str, Any] = {}
    for file_name, data in files.items():
        name, _, form = file_name.rpartition(".")
        memory[name] = _from_bytes(name, form, data)
    return memory


def _file_name(name: str, value: Any) -> str:
    return f"{name}.{'safetensors' if _is_tensors(value) else 'json'}"


def _to_bytes(value: Any) -> bytes:
    if _is_tensors(value):
        from safetensors.torch import save

        tensors: bytes = save(value)
        return tensors
    return encode(value)


def _from_bytes(name: str, form: str, data: bytes) -> Any:
    if form == "safetensors":
        from safetensors.torch import load

        return load(data)
    return decode(list[Example], data) if holds_examples(name) else json.loads(data)


def _is_tensors(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(hasattr(entry, "dtype") for entry in value.values())
