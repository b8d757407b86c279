"""Is scoring replies (is each the most likely one?) at least 5 times as fast as lm-eval's?

    .venv/bin/python benchmarks/scoring_answers.py

128 short requests, each with one reply.
"""

from __future__ import annotations

from scoring import compare

if __name__ == "__main__":
    compare("Scoring, short requests", {"count": 128}, [4, 16, 64, 128], 5.0)
