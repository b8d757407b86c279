"""Questions with answers in, a model that answers as it would with the given answer before it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from everlearn.methods._self_distillation import ANSWER, QUESTION, SelfDistillation, filled, require_answer
from everlearn.methods._verifying import Task
from everlearn.methods.contract import Memory
from everlearn.records import Example, Message

SHOWN = (
    f"{QUESTION}\n\nThis is an example for a response to the question:\n{ANSWER}\n\n"
    "Now answer with a response of your own."
)
"""The paper's words, but for its last ones, which ask for the thinking process too."""


@dataclass(frozen=True)
class SDFT(SelfDistillation):
    """Self-distillation fine-tuning (Shenfeld et al. 2601.19897): the model answers by itself, and moves to what it
    would say at each token if the given answer stood in its prompt as an example."""

    cost: ClassVar[str] = "about 3×: each answer is written, judged by the teacher, and learnt"

    shown: str = SHOWN
    """what the teacher is asked; {question} and {answer} stand for the example's own"""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_answer("shown", self.shown)

    def view(self, example: Example, task: Task, memory: Memory) -> tuple[Message, ...]:
        """The question with its answer as an example."""
        return filled(self.shown, example, task.answer)
