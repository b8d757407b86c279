"""A method, what it keeps and a question in; what the model is really asked, and by how many tokens that is more, out.

A method that overrides `Method.prompt` may put notes in front of a question. What it keeps is written beside the
weights of each stage, and read again by the examiner; the method is told the words of a question and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from everlearn import memory as memories
from everlearn.bench.recording import write_whole
from everlearn.methods.contract import Memory, Method
from everlearn.model.chat import Chat
from everlearn.records import Question


def prompts(method: Method) -> bool:
    """Whether a method changes what is asked."""
    return type(method).prompt is not Method.prompt


def remembers(method: Method) -> bool:
    """Whether its memory has a say in what is answered."""
    return prompts(method) or method.chooses()


def keep_memory(folder: Path, name: str, memory: Memory) -> str:
    """Write each part of a memory as a file of the folder `name`; returns that name."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    for file, data in memories.as_files(memory).items():
        write_whole(folder / name / file, data)
    return name


def kept_memory(folder: Path, name: str) -> Memory:
    """The memory that `keep_memory` wrote; an empty one where `name` is empty: nothing was learnt yet."""
    if not name:
        return {}
    return memories.from_files({path.name: path.read_bytes() for path in sorted((folder / name).iterdir())})


@dataclass(frozen=True)
class Prompting:
    """A method with what it keeps at some moment."""

    method: Method
    memory: Memory

    def ask(self, question: Question) -> Question:
        """The question with the messages that the method makes of its own; right answers and labels are not shown."""
        asked = self.method.prompt(Question(question.messages, ()), self.memory)
        return replace(question, messages=asked.messages)


def added(chat: Chat, own: Sequence[Question], asked: Sequence[Question]) -> float:
    """Tokens by which questions have become longer, mean; below 0 where they are shorter, 0 where there are none."""
    more = [
        len(chat.prompt(one.messages)) - len(chat.prompt(was.messages)) for was, one in zip(own, asked, strict=True)
    ]
    return sum(more) / len(more) if more else 0.0
