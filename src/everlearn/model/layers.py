"""A weight's name in; the layer that it is in, or whether it is a table of tokens, out."""

from __future__ import annotations

import re

IN_A_LAYER = re.compile(r"\.(?:layers|h|blocks)\.(\d+)\.")

TABLES = ("embed", "wte", "wpe", "lm_head")
"""What the names of embeddings and of the head hold: both may be one matrix."""


def layer_of(name: str) -> int | None:
    """The number of the layer, counted from the input; None for what is in no layer."""
    found = IN_A_LAYER.search(name)
    return int(found.group(1)) if found else None


def is_table(name: str) -> bool:
    """Whether it holds a row for each token (or place), as embeddings and the head do."""
    return any(word in name for word in TABLES)
