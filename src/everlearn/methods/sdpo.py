"""Questions with right answers in, a model that answers as it would having been told what was wrong out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.errors import SettingsError
from everlearn.methods._self_distillation import ANSWER, QUESTION, Asked, SelfDistillation, filled, require_answer
from everlearn.methods._verifying import Task, Verifier, by_prompt
from everlearn.methods.contract import Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Message
from everlearn.train.beliefs import Pair, behind
from everlearn.train.run import Run
from everlearn.train.sampling import Sampled, sample

AGAIN = "Correctly solve the original question."
SOLUTION = f"{QUESTION}\n\nCorrect solution:\n\n{ANSWER}\n\n{AGAIN}"
FEEDBACK = (
    f"{QUESTION}\n\nThe following is feedback from your unsuccessful earlier attempt:\n\n"
    f"Wrong. The right answer is: {ANSWER}\n\n{AGAIN}"
)
"""The authors' words, with the feedback of a verifier that knows the answer."""


@dataclass(frozen=True)
class SDPO(SelfDistillation):
    """Self-distilled policy optimisation (Hübotter et al. 2601.20802): the model tries each question several times, and
    each try moves to what the model would have said with another try that was right, or with the verifier's feedback,
    in its prompt."""

    cost: ClassVar[str] = "about 5× with 2 tries at each question"

    teacher: str = "ema"
    """whose weights teach: `frozen` (the start model's), `ema` (follow the model's slowly, from where the stage begins)
    or `live` (the model's own)"""
    rate: float = 0.05
    """share of the way to the model that the teacher goes after every step, where teacher is `ema`"""
    alpha: float = 0.5
    """0: KL(teacher ‖ model), 1: KL(model ‖ teacher), between them a Jensen-Shannon divergence"""
    top: int = 100
    """most likely tokens at each place that are compared one by one; all others count as one"""
    samples: int = 2
    """tries at each question in a step"""
    feedback: bool = True
    """whether a wrong try without a right one beside it is told the right answer; otherwise it teaches nothing"""
    solution: str = SOLUTION
    """what the teacher is asked with a right try before it; {question} and {answer} stand for the question and that"""
    correction: str = FEEDBACK
    """what it is asked where only wrong ones are; {answer} stands for what is right"""
    check: str = "equals"
    """what is right: `equals` the given answer (but for case, space, last full stop), or `contains` it as words"""

    def __post_init__(self) -> None:
        super().__post_init__()
        Verifier(self.check)
        require_answer("solution", self.solution)
        require_answer("correction", self.correction)
        if self.samples < 1:
            raise SettingsError(f"samples is {self.samples}", "give at least one try")

    def view(self, example: Example, task: Task, memory: Memory) -> tuple[Message, ...]:
        """The question with what is said of a wrong try."""
        return filled(self.correction, example, task.answer)

    def pairs(
        self, model: LanguageModel, asked: Sequence[Asked], memory: Memory, seed: int, run: Run
    ) -> Sequence[Pair]:
        """The tries about which there is something to say."""
        prompts, limits = [one.task.prompt for one in asked], [one.task.limit for one in asked]
        tries = sample(model, prompts, limits, seed, run.meter, each=self.samples)
        groups = zip(asked, by_prompt(tries, len(asked)), strict=True)
        return [pair for one, group in groups for pair in self._told(model, one, group)]

    def _told(self, model: LanguageModel, one: Asked, group: Sequence[Sampled]) -> list[Pair]:
        """Each try behind a right one that is not itself; if there is none, behind feedback if it is wrong."""
        verifier = Verifier(self.check)
        right = [at for at, said in enumerate(group) if verifier.reward(model, one.task, said) == 1.0]
        found = []
        for at, said in enumerate(group):
            others = [other for other in right if other != at]
            if others:
                text = model.chat.text(list(group[others[0]].answer))
                seen = model.chat.prompt(filled(self.solution, one.example, text))
            elif at in right or not self.feedback:
                continue
            else:
                seen = one.seen
            found.append(behind(said.row, seen, self.skip))
        return [pair for pair in found if len(pair.teacher.ids) <= model.context]
