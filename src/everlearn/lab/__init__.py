"""Nothing in, the lab model's folder out: a causal language model of 1.7 million weights that knows procedures only.

It knows no stream's words, and is small enough for a method to be tried on a stream of twelve stages in one to three
minutes on one core, exams included. How it was made is in `recipe`.
"""

from __future__ import annotations

from pathlib import Path

from everlearn.errors import ModelError

WEIGHTS = Path(__file__).parent / "weights"

SHA256 = "b75080531ac1ff04d37abdfc6c20ac4060f000ec109cc2d4d2932c93ad8ed41d"
"""Of `model.safetensors` as the recipe made it, with two threads."""


def model_folder() -> Path:
    """The directory of the lab model, as transformers saves one.

    Raises:
        ModelError: the package was built without it.
    """
    if not (WEIGHTS / "model.safetensors").is_file():
        raise ModelError("the lab model is not in this installation", "make it: python -m everlearn.lab.recipe FOLDER")
    return WEIGHTS
