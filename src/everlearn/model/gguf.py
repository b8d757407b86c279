"""A GGUF file in, its metadata and its tensors, dequantised, out.

The reader of the `gguf` package takes ten seconds for a vocabulary, as it keeps every string as arrays; here the file
is read once, front to back. The values of quantised blocks are that package's to compute.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from everlearn.errors import ModelError

NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""How `struct` writes the types of numbers; 8 is a string, 9 a list (GGUF specification, version 3)."""
STRING, LIST = 8, 9


class Stored(NamedTuple):
    """One tensor of a file."""

    name: str
    shape: tuple[int, ...]
    kind: int
    """How its numbers are quantised."""
    offset: int
    """Where its data begins, in bytes from the start of all data."""


class GGUF:
    """An open file."""

    def __init__(self, path: Path) -> None:
        """Read everything but the tensors' data.

        Raises:
            ModelError: this is no GGUF file of version 2 or 3.
        """
        with path.open("rb") as stream:
            known = stream.read(8) in {b"GGUF" + struct.pack("<I", version) for version in (2, 3)}
            if not known:
                raise ModelError(
                    f"{path} is not a GGUF file of version 2 or 3", "give a directory saved by transformers"
                )
            self._data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self._at = 8
        tensors, entries = self._number("Q"), self._number("Q")
        self.metadata = {self._string(): self._value(self._number("I")) for _ in range(entries)}
        self._stored = [self._tensor() for _ in range(tensors)]
        grain = self.metadata.get("general.alignment", 32)
        self._begin = math.ceil(self._at / grain) * grain

    def tensors(self) -> Iterator[tuple[str, np.ndarray]]:
        """Each tensor by name, in fp32."""
        from gguf import GGMLQuantizationType
        from gguf.constants import GGML_QUANT_SIZES
        from gguf.quants import dequantize

        for stored in self._stored:
            kind = GGMLQuantizationType(stored.kind)
            block, size = GGML_QUANT_SIZES[kind]
            length = math.prod(stored.shape) // block * size
            raw = np.frombuffer(self._data, np.uint8, length, self._begin + stored.offset)
            yield stored.name, dequantize(raw.reshape(*stored.shape[:-1], -1), kind).astype(np.float32)

    def _tensor(self) -> Stored:
        name = self._string()
        sizes = [self._number("Q") for _ in range(self._number("I"))]
        # the fastest-moving axis comes first here, last elsewhere
        return Stored(name, tuple(reversed(sizes)), self._number("I"), self._number("Q"))

    def _value(self, kind: int) -> Any:
        if kind == STRING:
            return self._string()
        if kind == LIST:
            each, count = self._number("I"), self._number("Q")
            return [self._value(each) for _ in range(count)]
        return self._number(NUMBERS[kind])

    def _number(self, form: str) -> Any:
        (value,) = struct.unpack_from(f"<{form}", self._data, self._at)
        self._at += struct.calcsize(f"<{form}")
        return value

    def _string(self) -> str:
        size = self._number("Q")
        text = self._data[self._at : self._at + size].decode("utf-8")
        self._at += size
        return text
