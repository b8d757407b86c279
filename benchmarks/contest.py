"""Contestants in, figures of alternating turns out: A B A B in one process tree, never two at once.

Machines are shared and their speed changes, so only ratios of neighbouring turns are kept, with their spread.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import everlearn
from everlearn.model.cache import DEFAULT_MODEL

HERE = Path(__file__).parent
MODEL = os.environ.get("BENCHMARK_MODEL", DEFAULT_MODEL)
"""What everyone works with; another directory where the default's weights cannot be had."""
THREADS = 2
FINALISTS = 3
"""Settings of a peer that reach the final."""
FINAL = 3
"""Turns of each in the final."""
KEEPING = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(32 << 20),
}


@dataclass(frozen=True)
class Contestant:
    """A script of `contestants/` with the settings it gets, and the Python it runs in."""

    name: str
    script: str
    python: Path
    job: dict[str, Any] = field(default_factory=dict)
    keep_memory: bool = True
    """Whether glibc is told to keep freed memory, which is faster and may be more."""

    def start(self) -> Player:
        """Begin to prepare, in a process of its own."""
        return Player(self)


class Turn(NamedTuple):
    """What one turn took and did."""

    seconds: float
    units: float
    flops: float
    peak: int
    more: dict[str, Any]

    @property
    def speed(self) -> float:
        """Units per second."""
        return self.units / self.seconds


class ContestantError(Exception):
    """A contestant's process ended; its last words."""


class Player:
    """A contestant's process."""

    def __init__(self, contestant: Contestant) -> None:
        self.name = contestant.name
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": str(THREADS),
            "MKL_NUM_THREADS": str(THREADS),
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
        if contestant.keep_memory:  # as everlearn tells glibc by itself (model/allocation.py)
            environment |= KEEPING
        self.words = tempfile.TemporaryFile("w+")  # noqa: SIM115  it lives as long as the process
        self.process = subprocess.Popen(
            [str(contestant.python), str(HERE / "contestants" / contestant.script), json.dumps(contestant.job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.words,
            text=True,
            env=environment,
        )
        self._ready = False

    def wait(self) -> None:
        """Until it is ready to take turns."""
        if not self._ready:
            self._hear()
            self._ready = True

    def turn(self) -> Turn:
        """Let it work once."""
        self.wait()
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        heard = self._hear()
        self._hear()  # that it is ready again
        return Turn(*(heard.pop(name) for name in ("seconds", "units", "flops", "peak")), more=heard)

    def stop(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.words.seek(0)
            raise ContestantError("\n".join(self.words.read().strip().splitlines()[-12:]))
        heard: dict[str, Any] = json.loads(line)
        return heard


class Sweep(NamedTuple):
    """What was found of a peer's settings."""

    best: Contestant
    relative: dict[str, object]
    """The speed of each relative to the yardstick's beside it, or why it failed."""
    final: dict[str, float]
    """Units a second of the best few, in turns."""

    @property
    def notes(self) -> dict[str, object]:
        """For the page."""
        return {
            "swept, speed relative to that of a yardstick beside it": self.relative,
            "the best of these in turns, units a second": self.final,
        }


def sweep(contestants: Sequence[Contestant], yardstick: Contestant) -> Sweep:
    """The fastest of some settings of a peer.

    Settings are tried minutes apart, in which the machine's speed changes, so each is measured beside turns of the
    yardstick that take at least half as long. The best three go on to a final, in turns.
    """
    measure = yardstick.start()
    measure.turn()
    relative: dict[str, float] = {}
    told: dict[str, object] = {}
    for contestant in contestants:
        try:
            turn, yard = _beside(contestant, measure)
            relative[contestant.name] = turn.speed / yard
            told[contestant.name] = round(relative[contestant.name], 3)
        except ContestantError as failure:
            told[contestant.name] = f"failed: {str(failure).splitlines()[-1] if str(failure) else 'no words'}"
        tell(f"  {contestant.name}: {told[contestant.name]}")
    measure.stop()
    if not relative:
        raise ContestantError("no setting of the peer works; install it again by removing .peers")
    finalists = sorted(relative, key=relative.__getitem__)[-FINALISTS:]
    final = alternate([contestant for contestant in contestants if contestant.name in finalists], FINAL)
    speeds = {name: round(statistics.median(turn.speed for turn in taken), 3) for name, taken in final.items()}
    return Sweep(best_of(contestants, speeds), told, speeds)


def best_of(contestants: Sequence[Contestant], speeds: Mapping[str, object]) -> Contestant:
    """The fastest by figures of their names; who has none is not in it."""
    measured = {name: speed for name, speed in speeds.items() if isinstance(speed, float)}
    return max(contestants, key=lambda contestant: measured.get(contestant.name, 0.0))


def _beside(contestant: Contestant, measure: Player) -> tuple[Turn, float]:
    """A turn of a contestant, and the yardstick's speed right behind it."""
    player = contestant.start()
    try:
        turns = player.turn(), player.turn()  # the first is to warm up
    finally:
        player.stop()
    behind: list[Turn] = []
    while sum(turn.seconds for turn in behind) < turns[1].seconds / 2:
        behind.append(measure.turn())
    return turns[1], sum(turn.units for turn in behind) / sum(turn.seconds for turn in behind)


def alternate(contestants: Sequence[Contestant], rounds: int) -> dict[str, list[Turn]]:
    """Turns of each by name, A B A B; one turn of each before them is not counted."""
    players = [contestant.start() for contestant in contestants]
    for player in players:
        player.wait()
    for player in players:
        player.turn()
    turns: dict[str, list[Turn]] = {player.name: [] for player in players}
    for number in range(rounds):
        for player in players:
            turns[player.name].append(player.turn())
        tell(f"  round {number + 1}: " + ", ".join(f"{name} {taken[-1].speed:.3g}/s" for name, taken in turns.items()))
    for player in players:
        player.stop()
    return turns


def alternate_commands(commands: Sequence[Sequence[str]], rounds: int) -> list[list[float]]:
    """Seconds that whole processes take, each in turn; one of each before them is not counted."""
    seconds: list[list[float]] = [[] for _ in commands]
    # what is installed has its bytecode; a checkout must be allowed to write it in the turns that are not counted
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["OMP_NUM_THREADS"] = str(THREADS)
    for number in range(rounds + 1):
        for command, taken in zip(commands, seconds, strict=True):
            begin = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=environment)
            if number:
                taken.append(time.perf_counter() - begin)
    return seconds


def once(contestant: Contestant) -> Turn:
    """One turn by itself."""
    player = contestant.start()
    turn = player.turn()
    player.stop()
    return turn


class Ratio(NamedTuple):
    """The median of ratios of neighbouring turns, and the smallest and largest one."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


def ratio(above: Sequence[float], below: Sequence[float]) -> Ratio:
    """Turn by turn."""
    each = [first / second for first, second in zip(above, below, strict=True)]
    return Ratio(statistics.median(each), min(each), max(each))


def quicker(ours: Sequence[Turn], others: Sequence[Turn]) -> Ratio:
    """How many times more units a second we do."""
    return ratio([turn.speed for turn in ours], [turn.speed for turn in others])


def peak_ratio(ours: Sequence[Turn], others: Sequence[Turn]) -> Ratio:
    """Our largest resident memory over theirs."""
    return ratio([turn.peak for turn in ours], [turn.peak for turn in others])


def options() -> argparse.Namespace:
    """How many rounds a question's script is to take.

    Raises:
        SystemExit: it would measure another everlearn than the one that it lies beside.
    """
    if HERE.parent not in Path(everlearn.__file__).parents:
        raise SystemExit(f"this would measure {everlearn.__file__}; install the checkout: pip install -e {HERE.parent}")
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    return parser.parse_args()


def tell(line: str) -> None:
    """To whoever watches."""
    print(line, file=sys.stderr, flush=True)
