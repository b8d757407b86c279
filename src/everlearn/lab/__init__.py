"""The lab model: a causal language model of two million weights that knows procedures and no stream's words.

It is small enough for a method to be tried on a stream of twelve stages within a minute on two cores, and it ships with
its recipe (`recipe`), which makes the same weights again.
"""

from __future__ import annotations

from pathlib import Path

from everlearn.errors import ModelError

WEIGHTS = Path(__file__).parent / "weights"

SHA256 = "f35da6d32c71902368a8be227921eccfbb22b1528bc01267f7c172095bfc7cbd"
"""Of `model.safetensors` as the recipe made it, with two threads."""


def model_folder() -> Path:
    """The directory of the lab model, as transformers saves one.

    Raises:
        ModelError: the package was built without it.
    """
    if not (WEIGHTS / "model.safetensors").is_file():
        raise ModelError("the lab model is not in this installation", "make it: python -m everlearn.lab.recipe FOLDER")
    return WEIGHTS
