"""Is training a LoRA adapter on short chats at least 3 times as fast as TRL's with PEFT, in 0.6 of its memory?

    .venv/bin/python benchmarks/training_short_chats_lora.py

Rank 16 on all linear layers; 32 chats a step for both. The sweep is that of `training_short_chats.py`.
"""

from __future__ import annotations

from training import compare, ours, trl

ITEMS = {"items": "chats", "count": 512}
ROWS, STEPS = 32, 1

if __name__ == "__main__":
    swept = [
        trl(ITEMS, "lora", ROWS, STEPS, dtype, micro) for dtype in ("float32", "bfloat16") for micro in (4, 8, 16, 32)
    ]
    swept.append(trl(ITEMS, "lora", ROWS, STEPS, "bfloat16", 16, train_sampling_strategy="group_by_length"))
    compare("Training, short chats, LoRA", ours(ITEMS, "lora", ROWS, STEPS), swept, 3.0, 0.6)
