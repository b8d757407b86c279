"""A model as a version left it in; a directory that PEFT or transformers loads out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from everlearn.errors import ModelError
from everlearn.model.adapter import merged, save_adapter
from everlearn.model.language_model import LanguageModel
from everlearn.model.neurons import plain

OWN = {"memory": "looks things up in slots", "cartridge": "has one among its weights"}
"""What only a model here does, by what may change."""


def export_adapter(model: LanguageModel, folder: Path) -> None:
    """Write the LoRA adapter and the tokenizer to `folder`, for PEFT's `PeftModel.from_pretrained`.

    Raises:
        ModelError: this lineage changes all weights, nothing was learnt yet, or the folder is not empty or cannot be
            written to.
    """
    if not model.masters:
        raise ModelError("this version is the base: it has no adapter", "export a later version, or `merged`")
    if model.adaptation.kind != "lora":
        raise ModelError(
            f"this lineage changes {model.adaptation}, so there is no adapter to export",
            "export the whole model: everlearn export merged FOLDER",
        )
    with _into(folder):
        save_adapter(model.network, folder)
        model.tokenizer.save_pretrained(folder)


def export_merged(model: LanguageModel, folder: Path) -> None:
    """Write the whole model in bf16 and its tokenizer to `folder`, for transformers' `from_pretrained`.

    An adapter is added to the weights in fp32 and rounded to bf16 once; new neurons make the MLPs wider.

    Raises:
        ModelError: no model of transformers has what this one has; the folder is not empty or cannot be written to.
    """
    if model.adaptation.kind in OWN:
        raise ModelError(
            f"this lineage changes {model.adaptation}, and no model of transformers {OWN[model.adaptation.kind]}",
            "serve it from here: everlearn serve; or learn the stages anew: --set weights=lora",
        )
    network = model.network
    if model.adaptation.kind == "lora":
        network = merged(model.copy_network().float()).bfloat16()
    elif model.adaptation.kind == "neurons":
        network = plain(network)
    with _into(folder):
        network.save_pretrained(folder)
        model.tokenizer.save_pretrained(folder)


@contextmanager
def _into(folder: Path) -> Iterator[None]:
    """Make an empty folder: written files are never mixed with those of somebody else."""
    from safetensors import SafetensorError

    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise ModelError(f"{folder} is there already and not empty", "give a new or an empty folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{folder}: {error}", "check its permissions and the free space, or give another folder"
        ) from None
