"""This machine and a store in, findings with advice out."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from everlearn import __version__
from everlearn.cli.terminal.stores import find_store
from everlearn.data.places import counted
from everlearn.errors import StoreError
from everlearn.model.cache import ALIASES
from everlearn.packages import cache_directory
from everlearn.report.words import size
from everlearn.resources import cores, free_memory
from everlearn.study.lexicon import WORDNET

OK, ATTENTION, FAULT = "ok", "attention", "fault"

PACKAGES = ("torch", "transformers", "peft", "safetensors", "tokenizers", "numpy")

LITTLE_DISK = 2_000_000_000
LITTLE_MEMORY = 4_000_000_000
"""Bytes; below these a run of the smallest model may fail."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    found: str
    state: str = OK
    advice: str = ""


def examine_machine(folder: Path) -> Iterator[Finding]:
    """Versions, threads, number formats, memory and disk."""
    yield Finding("everlearn", f"{__version__}, Python {platform.python_version()} on {platform.platform(terse=True)}")
    yield _packages()
    yield _threads()
    yield _arithmetic()
    yield _kernels()
    yield _memory()
    yield _disk("disk of the store", folder)
    yield _disk("disk of the cache", cache_directory())
    yield _cache()


def examine_store(folder: Path) -> Iterator[Finding]:
    """The store that is found from `folder` upwards."""
    try:
        store = find_store(folder)
        faults = store.verify() if store else []
    except StoreError as error:
        yield Finding("store", error.problem, FAULT, error.hint)
        return
    if store is None:
        yield Finding("store", "none here or in any folder above; `everlearn learn FILE` makes one")
        return
    if faults:
        yield Finding(
            "store", f"{store.folder}: {counted(len(faults), 'fault')}", FAULT, "`everlearn verify` lists them"
        )
    else:
        versions = len(store.history()) if store.branches() else 0
        yield Finding("store", f"{store.folder}: {counted(versions, 'version')}, every object as it was written")
    if store.leftovers():
        found = counted(len(store.leftovers()), "unfinished file")
        yield Finding("leftovers", f"{found} of a crash, harmless", ATTENTION, "`everlearn gc` removes them")


def _packages() -> Finding:
    try:
        return Finding("packages", ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES))
    except metadata.PackageNotFoundError as error:
        return Finding("packages", f"{error.name} is missing", FAULT, "install everlearn again: pip install everlearn")


def _threads() -> Finding:
    import torch

    threads, load = torch.get_num_threads(), os.getloadavg()[0]
    chosen = os.environ.get("OMP_NUM_THREADS")
    found = f"{threads} of torch on {counted(cores(), 'core')}, load {load:.1f}"
    found += f", OMP_NUM_THREADS={chosen}" if chosen else ""
    if threads > cores() or (threads > 1 and load > cores()):
        return Finding(
            "threads",
            found,
            ATTENTION,
            "threads that wait for each other are many times slower than one: stop what else computes here, "
            f"or set OMP_NUM_THREADS={max(1, cores() // 2)}",
        )
    return Finding("threads", found)


def _arithmetic() -> Finding:
    import torch

    if torch.cuda.is_available():
        device = torch.cuda.get_device_name()
        total = torch.cuda.get_device_properties(0).total_memory
        return Finding(
            "computes on", f"{device}, {size(total)}, bf16 {'yes' if torch.cuda.is_bf16_supported() else 'no'}"
        )
    known = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-bf16", "bf16": "Arm bf16"}
    present = [name for flag, name in known.items() if flag in _processor_flags()]
    if present:
        return Finding("computes on", f"CPU, bf16 by {' and '.join(present)}")
    advice = "bf16 is emulated here: everything works, at a fraction of the speed"
    return Finding("computes on", "CPU without bf16 instructions", ATTENTION, advice)


def _kernels() -> Finding:
    import torch

    from everlearn.model.kernels.library import library

    if torch.cuda.is_available():
        return Finding("kernels", "those of torch, on the GPU")
    if library():
        return Finding("kernels", "compiled for this processor")
    return Finding(
        "kernels", "plain torch, some times slower", ATTENTION, "install gcc (Linux): kernels are compiled on first use"
    )


def _processor_flags() -> set[str]:
    listing = Path("/proc/cpuinfo")
    if not listing.is_file():
        return set()
    lines = listing.read_text(encoding="utf-8", errors="replace").splitlines()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return set(flags.partition(":")[2].split())


def _memory() -> Finding:
    free = free_memory()
    if free is None:
        return Finding("memory", "unknown on this system")
    if free < LITTLE_MEMORY:
        return Finding("memory", f"{size(free)} free", ATTENTION, "`--set weights=lora` needs least")
    return Finding("memory", f"{size(free)} free")


def _disk(what: str, folder: Path) -> Finding:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < LITTLE_DISK:
        return Finding(what, f"{folder}: {size(free)} free", ATTENTION, "`everlearn gc` may free some")
    return Finding(what, f"{folder}: {size(free)} free")


def _cache() -> Finding:
    folder = cache_directory() / "models"
    kept = {name: any(folder.glob(f"{model.wheel.sha256[:16]}-*/config.json")) for name, model in ALIASES.items()}
    states = [
        f"{name} {'is there' if there else 'will be fetched when it is first used'}" for name, there in kept.items()
    ]
    words = f"wordnet/{WORDNET.sha256[:16]}-*/relatives.json"
    there = any(cache_directory().glob(words))
    states.append(f"WordNet {'is there' if there else 'will be fetched when a document is first studied'}")
    return Finding("cache", f"{cache_directory()}: {', '.join(states)}")
