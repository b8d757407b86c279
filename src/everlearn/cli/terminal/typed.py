"""A word of the command line in, the value that it stands for out; a wrong one is a usage error."""

from __future__ import annotations

import argparse


def listed(text: str) -> tuple[str, ...]:
    """`a,b` as its parts."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def rates(text: str) -> tuple[float, ...]:
    """`1e-3,3e-3` as numbers."""
    return tuple(float(word) for word in listed(text))


def positive(text: str) -> int:
    """A whole number above zero."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


def counts(text: str) -> tuple[int, ...]:
    """`4,16,64` as whole numbers above zero."""
    return tuple(positive(word) for word in listed(text))


def setting(text: str) -> tuple[str, str]:
    """`replay.budget=10000` as a key and a value."""
    name, equals, value = text.partition("=")
    if not equals or "." not in name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form ARM.KEY=VALUE, such as replay.budget=10000")
    return name, value


def add_warmup(parser: argparse.ArgumentParser) -> None:
    """`--warmup` and `--no-warmup`: true, false, or None for what the tier does."""
    parser.add_argument(
        "--warmup",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="teach the model first how questions are put, on worlds of its own (default on smollm2 and any)",
    )
