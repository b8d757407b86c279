"""An exception in, the two lines that a person reads about it out."""

from __future__ import annotations

import re
import sys
import traceback

from everlearn.errors import EverlearnError, ModelError

NO_MEMORY = re.compile(r"can't allocate memory|out of memory", re.IGNORECASE)
"""How torch words it, on CPU and on GPU."""

WANTED = re.compile(r"tried to allocate ([\d.]+ ?\w+)", re.IGNORECASE)


def explain(error: Exception) -> EverlearnError | None:
    """The error with a way out; None where it is a fault of ours, which deserves a traceback."""
    if isinstance(error, EverlearnError):
        return error
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and NO_MEMORY.search(str(error))):
        return _no_memory(str(error))
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return EverlearnError(f"{place}{error.strerror.lower()}", "check the path, its permissions and the free space")
    return None


def report(error: EverlearnError, cause: Exception | None = None) -> None:
    """Write the problem and the hint to stderr, one line each; with a cause, its traceback before them."""
    if cause is not None:
        traceback.print_exception(cause, file=sys.stderr)
    print(f"error: {_one_line(error.problem)}", file=sys.stderr)
    if error.hint:
        print(f"hint: {_one_line(error.hint)}", file=sys.stderr)


def _no_memory(text: str) -> ModelError:
    wanted = WANTED.search(text)
    needed = f": {wanted[1]} more were needed at once" if wanted else ""
    return ModelError(
        f"there is not enough memory{needed}",
        "train less at once: --set weights=lora, or fewer rows: --set rows_per_step=8",
    )


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))
