"""What is scored in; our scoring beside lm-eval's and bare matrix products out: for the scoring scripts."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from typing import Any

from contest import THREADS, Contestant, alternate, once, options, quicker, sweep
from environments import OURS, packages, peers
from findings import Finding, write
from limit import LIMIT, YARDSTICK, products, rates, share

from everlearn.model.cache import DEFAULT_MODEL, model_directory
from everlearn.model.language_model import SCORE_TOKENS, LanguageModel
from everlearn.records import Message

SAME, NEAR, ON_AVERAGE = 0.1, 0.08, 0.03
"""How far a request's log-probabilities may lie from each other, from lm-eval's in fp32, and from these on average;
relative to them, or in nats where they are small: in bf16 logits of 16 and more are rounded to eighths."""


def compare(question: str, items: dict[str, Any], batches: list[int], goal: float) -> None:
    """Sweep lm-eval, take turns with the best of it, and write what was found."""
    rounds = options().rounds
    folder = str(model_directory(DEFAULT_MODEL))
    items = {**items, "likely": likely_chats()}
    us = Contestant("everlearn", "everlearn_scoring.py", OURS, {**items, "model": DEFAULT_MODEL, "threads": THREADS})
    swept = [
        Contestant(
            f"lm-eval (HFLM), {dtype}, batches of {batch}",
            "lm_eval_scoring.py",
            peers(),
            {**items, "model": folder, "threads": THREADS, "dtype": dtype, "batch": batch},
        )
        for dtype, batch in [*(("bfloat16", batch) for batch in batches), ("float32", batches[-2])]
    ]
    found = sweep(swept, YARDSTICK)
    rival = found.best
    first = once(us)
    # the tokens come in several passes, and so do the products
    passes = math.ceil(first.more["tokens"] / SCORE_TOKENS)
    bare = products("reading", first.more["tokens"] / passes, first.more["targets"] / passes)
    turns = alternate([us, rival], rounds)
    near = alternate([us, bare], 3 * rounds)
    mine, theirs = turns[us.name], turns[rival.name]
    exact = once(swept[-1]).more["logprobs"]
    apart = {name: _apart(taken[0].more["logprobs"], exact) for name, taken in turns.items()}
    between = max(_apart(mine[0].more["logprobs"], theirs[0].more["logprobs"]))
    right = mine[0].more["right"], theirs[0].more["right"]
    findings = [
        Finding("requests a second", rival.name, quicker(mine, theirs), goal),
        Finding(LIMIT, "bare matrix products", share(*near.values()), 0.8),
    ]
    notes: dict[str, object] = {
        **found.notes,
        "tokens computed": mine[0].more["tokens"],
        "replies found the most likely": f"{right[0]} by everlearn, {right[1]} by lm-eval",
        f"log-probabilities of a request differ from those of {swept[-1].name}": {
            name: f"{statistics.mean(each):.2%}, at most {max(each):.2%}" for name, each in apart.items()
        },
        "10¹² operations a second, at best": rates(near),
        "requests a second": {
            name: round(statistics.median(t.speed for t in taken), 2) for name, taken in turns.items()
        },
    }
    write(question, findings, notes, packages(), list(_faults(between, apart, right, len(items["likely"]))))


def _faults(between: float, apart: dict[str, list[float]], right: tuple[int, int], likely: int) -> Iterator[str]:
    """What must hold of both sides' answers, and does not."""
    if between >= SAME:
        yield f"the two disagree about a log-probability by {between:.1%} (bound {SAME:.0%})"
    for name, each in apart.items():
        if max(each) >= NEAR:
            yield f"{name}: a log-probability lies {max(each):.1%} from the exact one (bound {NEAR:.0%})"
        if statistics.mean(each) >= ON_AVERAGE:
            yield f"{name}: log-probabilities are {statistics.mean(each):.1%} off (bound {ON_AVERAGE:.0%})"
    if min(right) < likely - 1 or max(right) > min(right) + 1:
        yield f"{right[0]} and {right[1]} of {likely} likely replies are the most likely"


def _apart(found: list[float], exact: list[float]) -> list[float]:
    return [abs(one - other) / max(1.0, abs(other)) for one, other in zip(found, exact, strict=True)]


def likely_chats() -> list[list[str]]:
    """Requests and what the model itself replies to them, so that some replies are the most likely."""
    model = LanguageModel.load(DEFAULT_MODEL)
    chats = []
    for country in ("France", "Italy", "Japan", "Egypt", "Norway", "Spain", "Poland", "Greece", "Peru", "Austria"):
        request = f"What is the capital of {country}?"
        (reply,) = model.generate([model.chat.prompt([Message("user", request)])], 24)
        text = model.chat.text(list(reply.ids))
        if reply.end == model.chat.end and model.chat.tokenizer.encode(text) == list(reply.ids):
            chats.append([request, text])
    assert chats, "the model ends no reply within 24 tokens"
    return chats
