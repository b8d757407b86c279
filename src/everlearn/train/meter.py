"""Tokens processed in, a `Cost` out."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter

from everlearn.records import Cost


class Meter:
    """Counts tokens by kind and estimates operations: 6·N per learnt token, 4·N where the base is frozen,
    2·N per token that is only read or written (N = parameters of the network; Kaplan et al. 2020, 2001.08361).
    """

    def __init__(self, parameters: int, frozen_base: bool = False) -> None:
        self.parameters = parameters
        self.frozen_base = frozen_base
        self.tokens: Counter[str] = Counter()
        self.flops = 0.0
        self._before = 0.0
        self._begin = time.monotonic()

    def learnt(self, kind: str, tokens: int) -> None:
        """Tokens that went forward and backward; kind is new, replayed or synthetic."""
        self.tokens[kind] += tokens
        self.flops += (4 if self.frozen_base else 6) * self.parameters * tokens

    def read(self, kind: str, tokens: int) -> None:
        """Tokens that only went forward; kind is teacher, generated, study or exam."""
        self.tokens[kind] += tokens
        self.flops += 2 * self.parameters * tokens

    def cost(self, bytes_kept: int = 0) -> Cost:
        """Everything counted since the meter was made."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Cost(dict(self.tokens), self.flops, round(self._seconds(), 2), peak, bytes_kept)

    def state(self) -> str:
        """Everything counted so far, as JSON, to be kept with what it was spent on."""
        return json.dumps({"tokens": self.tokens, "flops": self.flops, "seconds": self._seconds()})

    def restore(self, state: str) -> None:
        """Go on counting from a kept state."""
        kept = json.loads(state)
        self.tokens = Counter(kept["tokens"])
        self.flops = kept["flops"]
        self._before = kept["seconds"]
        self._begin = time.monotonic()

    def _seconds(self) -> float:
        return self._before + time.monotonic() - self._begin
