"""Examples and a few earlier questions in, a model trained on the ones and on its own answers to the others out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from everlearn.errors import SettingsError
from everlearn.methods._verifying import Task, Verifier, task_of, with_answer
from everlearn.methods.contract import EARLIER, Gradient, Memory, Mixture
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.buffer import evenly, shares_of, with_shares, within_budget
from everlearn.train.run import Run
from everlearn.train.sampling import Sampled, draw_of, sample

SCORES = ("rule", "confidence")
"""By what an answer may be judged."""

ANSWERED = "answered"
"""Where the model's own answers are in the memory while a stage lasts."""

PARTIAL = 0.9
"""What a wrong answer with all words of the taught one counts, in proportion less for less; a right one counts 1."""


NEVER = float("-inf")
"""The score of an answer that is not to be learnt."""


class Asked(NamedTuple):
    """An earlier question that is asked again."""

    share: int
    """Which stage it is of."""
    example: Example
    task: Task


@dataclass(frozen=True)
class OnPolicyReplay(Gradient):
    """On-policy replay (OPR, Chen et al. 2605.29495): before each stage the model, as it is, answers a few stored
    questions of every earlier stage, and the best of its answers are learnt with the stage in the place of the taught
    ones. Its own words move it less, and what it no longer knows is not forced on it."""

    family: ClassVar[str] = "replay"
    keeps: ClassVar[str] = "a few earlier examples"
    cost: ClassVar[str] = "1.25× with 4 earlier rows in each step of 16, and answering what is kept"
    claims: ClassVar[tuple[str, ...]] = (EARLIER,)

    budget: int = 20_000
    """bytes of earlier examples that are kept, as many of each stage"""
    old_per_step: int = 4
    """earlier questions in each step, on top of the new examples"""
    best: float = 0.5
    """share of each stage's answers that are learnt again, those with the highest score"""
    score: str = "rule"
    """what is a good answer: `rule` (it agrees with the taught one; with no word of that it is never learnt), or
    `confidence` (the mean log-probability of its tokens)"""
    temperature: float = 0.1
    """how far the model strays from its most likely answer"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.score not in SCORES:
            raise SettingsError(f"score is {self.score!r}", "choose `rule` or `confidence`")
        if not 0 < self.best <= 1 or self.temperature < 0:
            raise SettingsError(
                f"best is {self.best}, temperature {self.temperature}",
                "give a share above 0 and up to 1, and a temperature of 0 or more",
            )

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Have the model answer what was asked earlier, and keep the best."""
        shares = shares_of(memory)
        answered = run.checkpoints.once("on_policy_replay", list[Example], lambda: self._answered(model, shares, run))
        return {**memory, ANSWERED: answered}

    def examples(self, fresh: Sequence[Example], memory: Memory) -> Mixture:
        """Fresh examples, with the model's answers to earlier questions in each step."""
        return Mixture(fresh, memory.get(ANSWERED, []), self.old_per_step)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Sample the stage's own share; the shares of the earlier ones shrink to make room."""
        new = within_budget([], examples, self.budget, run.seed)
        others = {name: value for name, value in memory.items() if name != ANSWERED}
        return with_shares(others, evenly([*shares_of(memory), new], self.budget))

    def _answered(self, model: LanguageModel, shares: Sequence[Sequence[Example]], run: Run) -> list[Example]:
        """Of each share the best answers; texts, which ask nothing, as they are."""
        found = [(number, example, task_of(model, example)) for number, share in enumerate(shares) for example in share]
        asked = [Asked(number, example, task) for number, example, task in found if task]
        texts = [example for _, example, _ in found if example.messages[0].role == "text"]
        said = sample(
            model,
            [one.task.prompt for one in asked],
            [one.task.limit for one in asked],
            draw_of(run.seed, 0),
            run.meter,
            temperature=self.temperature,
        )
        whole = [one for one in said if one.finished and model.chat.text(list(one.answer))]
        scores = self._scores(model, [asked[one.prompt].task for one in whole], whole, run)
        ranked = sorted(zip(scores, whole, strict=True), key=lambda scored: -scored[0])
        chosen = []
        for number in range(len(shares)):
            own = [one for score, one in ranked if asked[one.prompt].share == number and score > NEVER]
            chosen += own[: max(1, round(self.best * sum(one.share == number for one in asked)))]
        return texts + [with_answer(asked[one.prompt].example, model.chat.text(list(one.answer))) for one in chosen]

    def _scores(self, model: LanguageModel, tasks: Sequence[Task], said: Sequence[Sampled], run: Run) -> list[float]:
        """How good each answer is."""
        if self.score == "confidence":
            rows = [one.row for one in said]
            run.meter.read("study", sum(len(row.ids) for row in rows))
            return [-forced.nll for forced in model.force(rows)]
        verifier = Verifier(partial=PARTIAL)
        rewards = [verifier.reward(model, task, one) for task, one in zip(tasks, said, strict=True)]
        return [reward or NEVER for reward in rewards]
