"""Is training all weights on documents of up to 512 tokens at least 1.3 times as fast as TRL's?

    .venv/bin/python benchmarks/training_documents.py

4 documents a step for both. TRL's `wrapped` packing fills rows of 512 tokens without padding and lets documents see
each other; its other packing needs FlashAttention.
"""

from __future__ import annotations

from training import compare, ours, trl

ITEMS = {"items": "documents", "count": 128, "words": 275, "max_length": 512}
ROWS, STEPS = 4, 1

if __name__ == "__main__":
    wrapped = {"packing": True, "packing_strategy": "wrapped"}
    swept = [
        trl(ITEMS, "full", ROWS, STEPS, dtype, micro, **more)
        for dtype in ("float32", "bfloat16")
        for micro, more in ((2, {}), (4, {}), (4, wrapped))
    ]
    compare("Training, documents of 512 tokens", ours(ITEMS, "full", ROWS, STEPS), swept, 1.3, None)
