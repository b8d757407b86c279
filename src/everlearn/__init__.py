"""everlearn: teach a language model new things one after another, in its weights, and prove what it kept."""

from __future__ import annotations

TYPE_CHECKING = False  # known to type checkers by its name; `typing` would take a tenth of the time of `--help`

if TYPE_CHECKING:
    from typing import Any

    from everlearn.learner import Learner
    from everlearn.teaching import Learnt

__all__ = ["Learner", "Learnt"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the learner only when it is asked for: it brings torch with it."""
    if name in __all__:
        from everlearn import learner

        return getattr(learner, name)
    raise AttributeError(f"module 'everlearn' has no attribute {name!r}")
