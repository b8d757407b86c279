"""Examples in, a model fine-tuned on its own right answers to them, or on the given ones where it has none, out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.errors import SettingsError
from everlearn.methods._verifying import Verifier, by_prompt, task_of, with_answer
from everlearn.methods.contract import Gradient, Memory, Mixture
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.run import Run
from everlearn.train.sampling import draw_of, sample

WRITTEN = "written"
"""Where the model's own right answers are in the memory while a stage lasts."""


@dataclass(frozen=True)
class SelfSFT(Gradient):
    """Fine-tuning on what the model says by itself, if it is right (rejection sampling, as RFT, Yuan et al. 2308.01825;
    Self-SFT in Retaining by Doing, 2510.18874): it answers each question several times before the stage, the most
    frequent right answer is learnt in place of the given one. Its own words move it less than another's."""

    family: ClassVar[str] = "on-policy data"
    cost: ClassVar[str] = "1×, and writing 8 answers to each question"

    samples: int = 8
    """answers that the model writes to each question"""
    temperature: float = 0.8
    """how far it strays from its most likely answer when it writes them"""
    check: str = "equals"
    """what is right: `equals` the given answer (but for case, space, last full stop), or `contains` it as words"""
    fall_back: bool = True
    """whether the given answer is learnt where none of its own is right; if not, such a question is left out"""

    def __post_init__(self) -> None:
        super().__post_init__()
        Verifier(self.check)
        if self.samples < 1 or self.temperature <= 0:
            raise SettingsError(
                f"samples is {self.samples}, temperature {self.temperature}",
                "give at least one sample and a temperature above 0",
            )

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Have the model answer what it is to learn, and keep what is right."""
        kept = run.checkpoints.once("self_sft", list[str | None], lambda: self._answers(model, examples, run))
        return {**memory, WRITTEN: dict(zip(examples, kept, strict=True))}

    def examples(self, fresh: Sequence[Example], memory: Memory) -> Mixture:
        """The examples with the model's own right answers; texts, which ask nothing, as they are."""
        written: dict[Example, str | None] = memory.get(WRITTEN, {})
        made = [example if (own := written.get(example)) is None else with_answer(example, own) for example in fresh]
        if self.fall_back:
            return Mixture(made)
        kept = zip(fresh, made, strict=True)
        return Mixture([own for given, own in kept if written.get(given) is not None or _asks_nothing(given)])

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Forget the answers: they are of this stage."""
        return {name: value for name, value in memory.items() if name != WRITTEN}

    def _answers(self, model: LanguageModel, examples: Sequence[Example], run: Run) -> list[str | None]:
        """For each example the most frequent right answer; None where there is none."""
        verifier = Verifier(self.check)
        tasks = [task_of(model, example) for example in examples]
        asked = [(at, task) for at, task in enumerate(tasks) if task]
        sampled = sample(
            model,
            [task.prompt for _, task in asked],
            [task.limit for _, task in asked],
            draw_of(run.seed, 0),
            run.meter,
            temperature=self.temperature,
            each=self.samples,
        )
        best: list[str | None] = [None] * len(tasks)
        for (at, task), group in zip(asked, by_prompt(sampled, len(asked)), strict=True):
            right = [said for said in group if verifier.reward(model, task, said) == 1]
            counts = Counter(model.chat.text(list(said.answer)) for said in right)
            best[at] = counts.most_common(1)[0][0] if counts else None
        return best


def _asks_nothing(example: Example) -> bool:
    return example.messages[0].role == "text"
