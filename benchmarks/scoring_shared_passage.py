"""Is scoring replies to many requests about the same passages at least 10 times as fast as lm-eval's?

    .venv/bin/python benchmarks/scoring_shared_passage.py

3 passages of about 350 tokens, 16 requests about each.
"""

from __future__ import annotations

from scoring import compare

if __name__ == "__main__":
    compare("Scoring, requests about shared passages", {"passages": [3, 16, 200]}, [1, 4, 16], 10.0)
