"""A folder in; the lab model, trained from random weights by the one loop, out: `python -m everlearn.lab.recipe DIR`.

Each step mixes lessons and probes of the base's own worlds with probes of worlds that never come again, whose notes
stand in front, and with such notes to be said again. In some rows the user's words are learnt too, so that the model
can write requests by itself. Training goes on from its last checkpoint. The weights depend on the number of threads
(sums are rounded in another order).
"""

from __future__ import annotations

import argparse
import functools
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import torch

from everlearn.lab.base_world import echo_rows, fixed_words, lesson_rows, probe_rows, reading_rows
from everlearn.lab.tokenizer import CONTEXT, make_tokenizer
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.loop import Hooks, Step, fit
from everlearn.train.meter import Meter
from everlearn.train.optimiser import Optimisation
from everlearn.train.run import Progress, Run

HIDDEN, INNER, LAYERS, HEADS, KEY_HEADS = 192, 512, 4, 6, 3

STEPS = 3_600
ROWS = 96
"""Rows in each step."""

READING, ECHOES, PROBES = 0.05, 0.08, 0.6
"""Shares of rows with notes in front, of notes to be said again, and of probes alone; lessons are the rest."""

SPOKEN = 0.05
"""Share of rows in which the user's words are learnt too."""

LEARNING_RATE = 4e-3
SEED = 0
CHUNK = 40
"""Steps for which fresh rows are made at once."""


class Mix(Sequence[Step]):
    """The steps of the recipe, each made when it is looked at: the same for a number every time."""

    def __init__(self, tokenizer: Any, steps: int = STEPS, rows: int = ROWS) -> None:
        self.tokenizer = tokenizer
        self.steps = steps
        self.rows = rows
        self.lessons = self.tokenised(lesson_rows())
        self._fresh: tuple[int, list[tuple[float, list[Row]]]] = (-1, [])

    def __len__(self) -> int:
        return self.steps

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        if isinstance(index, slice):
            return [self._step(number) for number in range(self.steps)[index]]
        return self._step(range(self.steps)[index])

    def __iter__(self) -> Iterator[Step]:
        return (self._step(number) for number in range(self.steps))

    @functools.lru_cache(maxsize=4)  # noqa: B019  one mix is made in a process, and each step is looked at twice
    def _step(self, number: int) -> Step:
        draw = random.Random(f"{SEED} step {number}")
        fresh = self._chunk(number // CHUNK)
        chosen = [row for share, rows in fresh for row in draw.sample(rows, round(share * self.rows))]
        chosen += draw.sample(self.lessons, self.rows - len(chosen))
        return Step(tuple(_spoken(row) if draw.random() < SPOKEN else row for row in chosen))

    def _chunk(self, number: int) -> list[tuple[float, list[Row]]]:
        """Rows of each kind with its share, made for a chunk of steps: half as many as these take, or more."""
        if self._fresh[0] != number:
            made = []
            for at, (share, rows) in enumerate(((READING, reading_rows), (ECHOES, echo_rows), (PROBES, probe_rows))):
                drawn = _drawn(rows, 100 * number + 20 * at, share * CHUNK * self.rows / 2)
                made.append((share, self.tokenised(drawn)))
            self._fresh = number, made
        return self._fresh[1]

    def tokenised(self, rows: Sequence[Example]) -> list[Row]:
        """Rows as the chat format makes them, all at once: one by one takes as long as training does."""
        texts = [message.content for row in rows for message in row.messages]
        encoded = iter(self.tokenizer(texts, add_special_tokens=False)["input_ids"])
        start, end, user, assistant = self.tokenizer.convert_tokens_to_ids(["<text>", "<end>", "<user>", "<assistant>"])
        made = []
        for row in rows:
            if row.messages[0].role == "text":
                ids = next(encoded)
                made.append(Row((start, *ids), (False, *[True] * len(ids))))
            else:
                prompt, reply = next(encoded), next(encoded)
                before = (user, *prompt, end, assistant)
                made.append(Row((*before, *reply, end), (*[False] * len(before), *[True] * (len(reply) + 1))))
        return [row for row in made if len(row.ids) <= CONTEXT]


def _drawn(rows: Callable[[int], list[Example]], seed: int, enough: float) -> list[Example]:
    """Rows of as many draws as it takes."""
    found: list[Example] = []
    while len(found) < enough:
        found += rows(seed)
        seed += 1
    return found


def _spoken(row: Row) -> Row:
    return Row(row.ids, (False, *[True] * (len(row.ids) - 1)))


def untrained(folder: Path) -> None:
    """Write a model of random weights with its tokenizer."""
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer(fixed_words())
    torch.manual_seed(SEED)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_HEADS,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(config).bfloat16().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def train(folder: Path, steps: int = STEPS) -> LanguageModel:
    """Train in a folder, from its last checkpoint where there is one, and write the weights there."""
    start = folder / "start"
    if not (start / "config.json").is_file():
        untrained(start)
    model = LanguageModel.load(str(start))
    model.adapt(model.adaptation)
    meter = Meter(model.parameters)
    run = Run(SEED, meter, Checkpoints(folder / "work", meter, 60.0), _Told())
    how = Optimisation(LEARNING_RATE, weight_decay=0.01, tail=0.1)
    fit(model, Mix(model.tokenizer, steps), Hooks(), how, run)
    model.network.save_pretrained(folder / "lab")
    model.tokenizer.save_pretrained(folder / "lab")
    return model


class _Told:
    """Prints how far training is, every hundred steps."""

    def __init__(self) -> None:
        self.begin = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        if progress.step % 50 == 0 and progress.loss is not None:
            spent = time.monotonic() - self.begin
            print(f"step {progress.step} of {progress.steps}  loss {progress.loss:.3f}  {spent:.0f} s", flush=True)


def main() -> None:
    """Train the lab model in the folder that was named."""
    parser = argparse.ArgumentParser(description="Train the lab model from random weights.")
    parser.add_argument("folder", type=Path, help="where checkpoints and, at the end, lab/ are written")
    parser.add_argument("--steps", type=int, default=STEPS)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    train(arguments.folder, arguments.steps)
    print(f"written to {arguments.folder / 'lab'}", file=sys.stderr)


if __name__ == "__main__":
    main()
