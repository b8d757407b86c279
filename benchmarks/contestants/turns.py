"""The referee's word to start in, figures of one turn out: how every contestant takes its turns.

A contestant is a process of its own. It prepares, then works only between `wait` and `done`; while it waits it computes
nothing, so that the other one has the machine for itself.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from typing import Any

JOB: dict[str, Any] = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
"""What to do: the settings that the question's script chose."""

_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # libraries may print what they like; figures go to the referee alone


class Turns:
    """One contestant's clock."""

    def __init__(self) -> None:
        self._begin = 0.0

    def wait(self) -> None:
        """Wait for one's turn; the process ends when there is none any more."""
        _say({"ready": True, "peak": _peak()})
        if not sys.stdin.readline():
            os._exit(0)
        self._begin = time.perf_counter()

    def done(self, units: float, flops: float = 0.0, **more: Any) -> None:
        """Report the turn: how many units (examples, requests, answers) were done, and floating-point operations."""
        torch = sys.modules.get("torch")
        if torch and torch.cuda.is_initialized():  # what was asked of a GPU may not be done yet
            torch.cuda.synchronize()
        seconds = time.perf_counter() - self._begin
        _say({"seconds": seconds, "units": units, "flops": flops, "peak": _peak(), **more})


def _say(figures: dict[str, Any]) -> None:
    print(json.dumps(figures), file=_answers, flush=True)


def _peak() -> int:
    """Largest resident memory of this process so far, in bytes; where a GPU computes, the largest in use there."""
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
