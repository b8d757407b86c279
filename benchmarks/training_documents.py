"""Is training all weights on documents of up to 512 tokens at least 1.3 times as fast as TRL's?

    .venv/bin/python benchmarks/training_documents.py

4 documents a step for both. TRL's `wrapped` packing fills rows of 512 tokens and lets documents see each other; `bfd`
keeps them apart.
"""

from __future__ import annotations

from training import PACKED, compare, ours, trl

ITEMS = {"items": "documents", "count": 128, "words": 275}
ROWS = 4

if __name__ == "__main__":
    wrapped = {"packing": True, "packing_strategy": "wrapped", "max_length": 512}
    swept = [
        trl(ITEMS, "full", ROWS, "float32", 2, autocast=True),
        *(trl(ITEMS, "full", ROWS, "bfloat16", micro) for micro in (1, 2, 4)),
        trl(ITEMS, "full", ROWS, "bfloat16", 2, autocast=True),
        *(trl(ITEMS, "full", ROWS, "bfloat16", micro, **wrapped) for micro in (1, 4)),
        trl(ITEMS, "full", ROWS, "bfloat16", 1, **PACKED, max_length=512),
        trl(ITEMS, "full", ROWS, "bfloat16", 2, padding_free=True, max_length=None),
    ]
    compare("Training, documents of 512 tokens", ours(ITEMS, "full", ROWS, 1), swept, 1.3, None)
