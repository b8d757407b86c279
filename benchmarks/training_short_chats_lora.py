"""Is training a LoRA adapter on short chats at least 3 times as fast as TRL's with PEFT, in 0.6 of its memory?

    .venv/bin/python benchmarks/training_short_chats_lora.py

Rank 16 on all linear layers; 32 chats a step for both. The sweep is that of `training_short_chats.py`.
"""

from __future__ import annotations

from training import short_chats

if __name__ == "__main__":
    short_chats("Training, short chats, LoRA", "lora")
