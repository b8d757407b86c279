"""Is training all weights on short chats at least 3 times as fast as TRL's, in 0.6 of its memory?

    .venv/bin/python benchmarks/training_short_chats.py

A turn is one step of 32 chats for both. TRL is swept over the type of its weights, the size of its batches, and batches
of chats of the same length. Its packing needs FlashAttention, which runs on GPUs alone.
"""

from __future__ import annotations

from training import compare, ours, trl

ITEMS = {"items": "chats", "count": 512}
ROWS, STEPS = 32, 1

if __name__ == "__main__":
    swept = [
        trl(ITEMS, "full", ROWS, STEPS, dtype, micro) for dtype in ("float32", "bfloat16") for micro in (4, 8, 16, 32)
    ]
    swept.append(trl(ITEMS, "full", ROWS, STEPS, "bfloat16", 16, train_sampling_strategy="group_by_length"))
    compare("Training, short chats, all weights", ours(ITEMS, "full", ROWS, STEPS), swept, 3.0, 0.6)
