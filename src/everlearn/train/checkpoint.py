"""Work done so far in, the same work out after a crash: tensors and texts in one scratch folder.

Each file also holds what the run had cost when it was written, so that a resumed run's cost counts all of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from everlearn.errors import StoreError
from everlearn.records import decode, encode
from everlearn.train.meter import Meter

Made = TypeVar("Made")


class Checkpoints:
    """A folder that holds what a run has finished; each file appears whole or not at all."""

    def __init__(self, folder: Path, meter: Meter, every_seconds: float | None = 60.0) -> None:
        """
        Args:
            every_seconds: between two states of training; None to keep none, where a crash costs little.
        """
        self.folder = folder
        self.meter = meter
        self.every_seconds = every_seconds
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether so much time has passed that a checkpoint should be written."""
        return self.every_seconds is not None and time.monotonic() - self._last >= self.every_seconds

    def save(self, step: int, tensors: dict[str, torch.Tensor]) -> None:
        """Keep the state after `step` steps, if any is kept at all; replaces the one before.

        Raises:
            StoreError: the disk is full or cannot be written to.
        """
        if self.every_seconds is None:
            return
        self._save("training", tensors, step)
        self._last = time.monotonic()

    def load(self) -> tuple[int, dict[str, torch.Tensor]] | None:
        """The number of steps done and the state after them; None where nothing was kept."""
        return self._load("training")

    def tensors_once(self, name: str, make: Callable[[], dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
        """The tensors that `make` returns; made only if they are not kept from before the crash."""
        kept = self._load(name)
        if kept is not None:
            return kept[1]
        made = make()
        self._save(name, made)
        return made

    def once(self, name: str, kind: type[Made], make: Callable[[], Made]) -> Made:
        """What `make` returns; made only if it is not kept from before the crash."""
        path = self.folder / f"{name}.json"
        if path.is_file():
            spent, _, kept = path.read_bytes().partition(b"\n")
            self.meter.restore(spent.decode())
            return decode(kind, kept)
        made = make()
        self.folder.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".tmp")
        scratch.write_bytes(self.meter.state().encode() + b"\n" + encode(made))
        _into_place(scratch, path)
        return made

    def _save(self, name: str, tensors: dict[str, torch.Tensor], step: int = 0) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        path = self.folder / f"{name}.safetensors"
        scratch = path.with_suffix(".tmp")
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            save_file(tensors, scratch, metadata={"step": str(step), "meter": self.meter.state()})
        except SafetensorError as error:  # this is how it words a full disk
            raise StoreError(
                f"{scratch}: {error}", "free some disk space, then go on: everlearn learn --resume"
            ) from None
        _into_place(scratch, path)

    def _load(self, name: str) -> tuple[int, dict[str, torch.Tensor]] | None:
        from safetensors import safe_open

        path = self.folder / f"{name}.safetensors"
        if not path.is_file():
            return None
        with safe_open(path, framework="pt") as file:
            self.meter.restore(file.metadata()["meter"])
            tensors = {tensor: file.get_tensor(tensor) for tensor in file.keys()}  # noqa: SIM118
            return int(file.metadata()["step"]), tensors


def _into_place(scratch: Path, path: Path) -> None:
    _sync(scratch)
    scratch.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
