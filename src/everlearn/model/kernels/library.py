"""The C source beside this file in, its functions out; None where it cannot be compiled.

It is compiled once for each processor, in about a second, and kept in the user's cache. It shares its threads with
torch: two pools would wait for each other.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from everlearn.packages import cache_directory

SOURCE = Path(__file__).with_name("source.c")
FLAGS = (
    "-O3 -march=native -std=gnu11 -fopenmp -shared -fPIC "
    # sums may be reordered, so that they fill vectors; NaN and infinity keep their meaning
    "-fno-math-errno -fno-trapping-math -fassociative-math -fno-signed-zeros"
).split()


@functools.cache
def library() -> ctypes.CDLL | None:
    """The compiled functions, to be called by `call`; None where they cannot be compiled."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    threads = _threads_of_torch()
    if sys.platform != "linux" or compiler is None or threads is None:
        return None
    try:
        functions = ctypes.CDLL(str(_compiled(compiler, threads)))
    except (OSError, subprocess.SubprocessError):  # no headers, a full disk, an old compiler: plain torch will do
        return None
    for name, kinds in SIGNATURES.items():
        function = getattr(functions, name)
        function.argtypes, function.restype = [TYPES[kind] for kind in kinds], None
    functions.sum_of_squares.restype = ctypes.c_double
    return functions


def usable(*tensors: torch.Tensor) -> bool:
    """Whether the compiled functions can take such tensors: bf16 on a CPU."""
    for tensor in tensors:
        if tensor.dtype is not torch.bfloat16 or not tensor.is_cpu:
            return False
    return library() is not None


SIGNATURES = {
    "rms_norm": "bbbsnnf",
    "rms_norm_backward": "bbbsbsnn",
    "gated": "bbbn",
    "gated_backward": "bbbbbn",
    "rotate": "bbbbnnnf",
    "multiply_row": "bbbnn",
    "transpose": "bbnn",
    "take_heads": "bwbnnnn",
    "give_heads": "bwbnnnn",
    "add_heads": "bwsnnnn",
    "causal_softmax": "bnnnnf",
    "softmax_behind": "bbnnnnnnf",
    "give_sums": "bbwbnnnn",
    "softmax_backward": "bbnnf",
    "attend_newest": "bbbbbwbnnnnnnnf",
    "survey": "bssslnn",
    "most_likely": "blnn",
    "chosen_backward": "bslsbnnn",
    "adamw": "bhbbbnfffffff",
    "sum_of_squares": "bn",
}
"""What each function takes: tensors of bf16 (b), fp32 (s), int16 (h), int32 (w) or int64 (l), counts (n), fp32 numbers
(f)."""

TENSORS = {"b": torch.bfloat16, "s": torch.float32, "h": torch.int16, "w": torch.int32, "l": torch.int64}
TYPES = {**dict.fromkeys(TENSORS, ctypes.c_void_p), "n": ctypes.c_int64, "f": ctypes.c_float}


def call(name: str, *given: torch.Tensor | float | None) -> float:
    """Call one of the functions; None stands for a tensor that is not wanted.

    Raises:
        TypeError: something else than its signature says, or a tensor that is not contiguous on the CPU.
    """
    arguments = list(given)
    for at, (kind, each) in enumerate(zip(SIGNATURES[name], given, strict=True)):
        if isinstance(each, torch.Tensor):
            if each.dtype is not TENSORS.get(kind) or not each.is_cpu or not each.is_contiguous():
                raise TypeError(
                    f"{name} was given {each.dtype} on {each.device} where it takes contiguous {TENSORS.get(kind)}"
                )
            arguments[at] = each.data_ptr()
    returned = getattr(library(), name)(*arguments)
    return 0.0 if returned is None else float(returned)


def _compiled(compiler: str, threads: Path) -> Path:
    """Compile, unless that was done before by the same compiler for the same processor and torch."""
    command = [compiler, *FLAGS, str(SOURCE), str(threads), "-lm"]
    told = (" ".join(command), _processor(), SOURCE.read_text())
    path = cache_directory() / "kernels" / f"{hashlib.sha256(repr(told).encode()).hexdigest()[:16]}.so"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            made = Path(scratch) / path.name
            _run([*command, "-o", str(made)])
            made.rename(path)
    return path


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def _processor() -> str:
    """What tells processors with different instructions apart."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return platform.machine() + next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _threads_of_torch() -> Path | None:
    """The OpenMP library that torch uses: the one it brings along, else one that is loaded."""
    folder = Path(torch.__file__).parent
    for beside in (folder / "lib", folder.parent / "torch.libs"):
        if brought := sorted(beside.glob("libgomp*.so*")):
            return brought[0]
    try:
        mapped = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return None
    return next((Path(line.split(maxsplit=5)[-1]) for line in mapped if "libgomp" in line and ".so" in line), None)
