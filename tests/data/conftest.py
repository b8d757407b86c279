"""Content in, a file in a fresh working directory out, and the error that reading it gives."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from everlearn.data import read_items
from everlearn.errors import DataError


@pytest.fixture
def write(tmp_path, monkeypatch) -> Callable[..., Path]:
    """Writes text, bytes, or a list of rows (as JSON Lines); paths are relative, as a person gives them."""
    monkeypatch.chdir(tmp_path)

    def write_file(name: str, content: str | bytes | list) -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


@pytest.fixture
def fails() -> Callable[..., tuple[str, str]]:
    """Reads a path that must fail; gives back the problem and the hint, each on one line."""

    def read_and_fail(path: Path, read=read_items) -> tuple[str, str]:
        with pytest.raises(DataError) as caught:
            read(path)
        problem, hint = caught.value.problem, caught.value.hint
        assert hint, "every error has a way out"
        assert "\n" not in problem + hint
        return problem, hint

    return read_and_fail
