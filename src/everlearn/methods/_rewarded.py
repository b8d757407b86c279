"""Questions in, a model trained on its own answers to them, each weighed by how much better than expected it was, out.

What `grpo` and `reinforce` have in common; no method by itself. Every answer is written by the model as it is and used
for one step, so that the policy that wrote it is the one that is moved: ratios of the two are 1, and there is nothing
to clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from everlearn.methods._own_steps import WARM, OwnSteps
from everlearn.methods._verifying import Task, Verifier, by_prompt, task_of
from everlearn.methods.contract import Memory
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.loop import Held, Step
from everlearn.train.run import Run
from everlearn.train.sampling import Sampled, draw_of, sample


class Weighed(NamedTuple):
    """A row with its weight in the loss."""

    row: Row
    weight: float
    example: Example


@dataclass(frozen=True)
class Rewarded(OwnSteps):
    """The policy gradient: an answer's negative log-likelihood times its advantage, as a mean over tokens."""

    warm: float = 0.5
    """share of the steps, at the beginning, that learn the given answers by cross-entropy: what is never said by chance
    is never rewarded"""
    check: str = "equals"
    """what is right: `equals` the given answer (but for case, space, last full stop), or `contains` it as words"""
    partial: float = 0.0
    """reward of a wrong answer that has all the words of the given one, in proportion less for less (F1); right is 1"""

    def __post_init__(self) -> None:
        super().__post_init__()
        Verifier(self.check, self.partial)

    @property
    def each(self) -> int:
        """How many answers are written to a question in a step."""
        return 1

    def advantages(self, rewards: Sequence[Sequence[float]], memory: Memory) -> list[list[float]]:
        """By how much each answer of each question was better than expected."""
        raise NotImplementedError

    def near(self, model: LanguageModel, rows: Sequence[Row], memory: Memory, run: Run) -> tuple[Held, ...]:
        """What the model is held to on the answers it has just written."""
        return ()

    def live(self, model: LanguageModel, step: Step, number: int, memory: Memory, run: Run) -> Step:
        """A warm step as it was planned; any other with the model's own answers in the place of the given ones.

        Texts, which ask nothing, and what comes from memory stay as they are. Answers without an advantage are not
        computed, but their tokens count in the mean."""
        planned = _planned(step)
        fresh, old = planned[: len(planned) - step.replayed], planned[len(planned) - step.replayed :]
        found = [task_of(model, each.example) for each in fresh]
        tasks = {at: task for at, task in enumerate(found) if task}
        if number < memory[WARM] or not tasks:
            return step
        groups = self._answers(model, list(tasks.values()), draw_of(run.seed, number), run)
        verifier = Verifier(self.check, self.partial)
        rewards = [
            [verifier.reward(model, task, said) for said in group]
            for task, group in zip(tasks.values(), groups, strict=True)
        ]
        written = [
            Weighed(said.row, advantage, fresh[at].example)
            for at, group, gained in zip(tasks, groups, self.advantages(rewards, memory), strict=True)
            for said, advantage in zip(group, gained, strict=True)
        ]
        plain = [each for at, each in enumerate(fresh) if at not in tasks]
        kept = [*plain, *([each for each in written if each.weight] or written[:1]), *old]
        share = self._tokens(kept) / self._tokens([*plain, *written, *old])
        return step._replace(
            rows=tuple(each.row for each in kept),
            weights=tuple(each.weight * share for each in kept),
            examples=tuple(each.example for each in kept),
            held=(*step.held, *self.near(model, [each.row for each in written], memory, run)),
        )

    def _answers(self, model: LanguageModel, tasks: Sequence[Task], seed: int, run: Run) -> list[list[Sampled]]:
        """So many answers to each question, at temperature 1: by any other the policy would not be the model."""
        prompts, limits = [task.prompt for task in tasks], [task.limit for task in tasks]
        return by_prompt(sample(model, prompts, limits, seed, run.meter, each=self.each), len(tasks))

    def _tokens(self, rows: Sequence[Weighed]) -> float:
        """What the loop divides their loss by."""
        return sum(each.row.targets - 1 + self.opening for each in rows)


def _planned(step: Step) -> list[Weighed]:
    weights = step.weights or (1.0,) * len(step.rows)
    return [Weighed(*each) for each in zip(step.rows, weights, step.examples, strict=True)]
