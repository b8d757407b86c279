"""Rows of tokens in, changed weights and what they cost out: losses, the one loop, checkpoints, the meter."""
