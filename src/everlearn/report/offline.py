"""A folder of templates in, one self-contained page out: what every report needs to be read without a network."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import jinja2

from everlearn.errors import EverlearnError


def templates(folder: Path) -> jinja2.Environment:
    """The templates of a folder; whatever they are given is escaped, and a name that is missing is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def inside(file: Path) -> str:
    """What stands between the tags of `style.html` or `script.html`, to the letter."""
    text = file.read_text(encoding="utf-8")
    return text.partition(f"<{file.stem}>")[2].rpartition(f"</{file.stem}>")[0]


def csp_hash(text: str) -> str:
    """A source expression of a Content Security Policy that allows this text and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def write(path: Path, text: str) -> Path:
    """Write a file that appears whole or not at all, with the folders above it; returns the path.

    Raises:
        EverlearnError: the file cannot be written.
    """
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.parent / f".{path.name}.{secrets.token_hex(4)}"
        try:
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return path


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        said = error.strerror or str(error)
        raise EverlearnError(f"{path}: cannot write the report ({said})", "choose another path") from error
