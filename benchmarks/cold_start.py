"""Does `everlearn --help` take at most twice the time of a bare Python, and `everlearn ask` at most 1.2 times that of
loading the model by transformers?

    .venv/bin/python benchmarks/cold_start.py

Whole processes, with everything in the disk's cache.
"""

from __future__ import annotations

import tempfile

from contest import alternate_commands, options, ratio
from environments import OURS
from findings import Finding, write

from everlearn.learner import Learner
from everlearn.model.cache import DEFAULT_MODEL, model_directory

LOAD = """
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
AutoModelForCausalLM.from_pretrained({folder!r}, dtype=torch.bfloat16)
AutoTokenizer.from_pretrained({folder!r})
"""


def main() -> None:
    """Take turns and write."""
    rounds = options().rounds
    command = str(OURS.parent / "everlearn")
    with tempfile.TemporaryDirectory() as folder:
        Learner(folder, model=DEFAULT_MODEL).base()
        ask = [command, "--store", folder, "ask", "What is the capital of France?", "--at", "base"]
        load = [str(OURS), "-c", LOAD.format(folder=str(model_directory(DEFAULT_MODEL)))]
        helped, bare = alternate_commands([[command, "--help"], [str(OURS), "-c", "pass"]], 5 * rounds)
        asked, loaded = alternate_commands([ask, load], rounds)
    findings = [
        Finding("time of `everlearn --help`", "python -c pass", ratio(helped, bare), 2.0, True),
        Finding("time of `everlearn ask`", "import transformers, load", ratio(asked, loaded), 1.2, True),
    ]
    seconds = {"--help": min(helped), "python -c pass": min(bare), "ask": min(asked), "load": min(loaded)}
    write("Cold start", findings, {"least seconds": {name: round(least, 3) for name, least in seconds.items()}})


if __name__ == "__main__":
    main()
