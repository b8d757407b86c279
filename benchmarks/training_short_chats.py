"""Is training all weights on short chats at least 3 times as fast as TRL's, in 0.6 of its memory?

    .venv/bin/python benchmarks/training_short_chats.py

A turn is one step of 32 chats for both. `torch.compile` is left out for both: it takes tens of seconds for each length.
"""

from __future__ import annotations

from training import short_chats

if __name__ == "__main__":
    short_chats("Training, short chats, all weights", "full")
