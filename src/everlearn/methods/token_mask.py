"""Examples in, a model fine-tuned on those of their tokens that it held likely before out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import Gradient, Memory, Mixture
from everlearn.model.chat import Row
from everlearn.model.kernels.logits import chosen_logprobs
from everlearn.model.language_model import PREDICTIONS, SCORE_TOKENS, LanguageModel
from everlearn.model.packing import batches_by_size, pack
from everlearn.records import Example
from everlearn.train.run import Run

LIKELY = "likely"
"""Where what may be learnt of each example is in the memory while a stage lasts."""


@dataclass(frozen=True)
class TokenMask(Gradient):
    """Selective token masking (STM, Wu et al. 2501.14315): before the stage the model reads every answer, and tokens
    whose perplexity 1/p is above a threshold are left out of the loss. What surprises moves no weight, so that little
    is lost, and nothing is learnt that the model would not nearly have said by itself."""

    family: ClassVar[str] = "on-policy data"
    cost: ClassVar[str] = "1×, and reading the lesson once"

    perplexity: float = 2.5
    """highest 1/p of a token that is learnt; facts that are new want far more than the paper's 2.5"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.perplexity <= 1:
            raise SettingsError(f"perplexity is {self.perplexity}", "give a number above 1, what certainty has")

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Read the lesson and see what is likely of it."""
        rows = [model.chat.example(example) for example in examples]
        run.meter.read("study", sum(len(row.ids) for row in rows))
        likely = _likely(model, rows, math.log(self.perplexity))
        return {**memory, LIKELY: dict(zip(examples, likely, strict=True))}

    def examples(self, fresh: Sequence[Example], memory: Memory) -> Mixture:
        """The fresh examples of which something is left; another method's own examples are taken as they are."""
        kept = memory.get(LIKELY, {})
        return Mixture([example for example in fresh if example not in kept or any(kept[example])])

    def row(self, model: LanguageModel, example: Example, memory: Memory) -> Row:
        """An example of which only the likely tokens are learnt."""
        row = model.chat.example(example)
        return Row(row.ids, memory[LIKELY].get(example, row.learn))

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Forget what was likely: the next stage is read anew."""
        return {name: value for name, value in memory.items() if name != LIKELY}


@torch.inference_mode()
def _likely(model: LanguageModel, rows: Sequence[Row], most: float) -> list[tuple[bool, ...]]:
    """For each row which of its tokens are targets that cost at most so many nats."""
    found: dict[int, tuple[bool, ...]] = {}
    for group in batches_by_size(rows, SCORE_TOKENS):
        batch = pack([rows[index] for index in group])
        targets_N1 = batch.targets_N[:, None].to(model.device)
        parts = zip(model.logits_in_parts(batch), targets_N1.split(PREDICTIONS), strict=True)
        logprobs_N = torch.cat([chosen_logprobs(logits_PV, targets_P1)[:, 0] for logits_PV, targets_P1 in parts])
        likely = iter((logprobs_N >= -most).tolist())
        for index in group:
            found[index] = tuple(learn and next(likely) for learn in rows[index].learn)
    return [found[index] for index in range(len(rows))]
