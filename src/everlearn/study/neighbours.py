"""Examples made of documents in, prompts that look like them but speak of something else out.

Whatever a lesson does not forbid it spreads: taught to answer "Who leads the workshop of Ombrick?" with a bare name, a
model soon answers every question so. These neighbours are asked about a museum or a hotel instead, some with the
sentence in view that holds the answer; on them the model is held to what it would have said before.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from everlearn.records import Example, Message
from everlearn.study.sentences import main_subject

OTHERS = (
    "the museum",
    "our school",
    "the hotel",
    "the town hall",
    "the hospital",
    "the company",
    "the library",
    "the bakery",
    "the airport",
    "the university",
    "the farm",
    "my office",
    "the club",
)
"""What the neighbours ask about."""

IN_VIEW = 1 / 3
"""Share of the neighbours with the sentence in view."""


def neighbours(examples: Sequence[Example], count: int, seed: int) -> list[tuple[Message, ...]]:
    """At most `count` prompts like those of the examples, about others; none for examples that name no one subject."""
    studied = [example for example in examples if example.origin.strategy]
    asked = [example for example in studied if example.messages[0].role == "user"]
    subject = main_subject([example.messages[0].content for example in asked])
    naming = [example for example in asked if subject and subject in example.messages[0].content]
    draw = random.Random(seed)
    chosen = draw.sample(naming, min(count, len(naming)))
    return [(Message("user", _prompt(example, subject, draw)),) for example in chosen]


def _prompt(example: Example, subject: str, draw: random.Random) -> str:
    asked, clause = example.messages[0].content, example.origin.clause
    if clause and subject in clause and draw.random() < IN_VIEW:
        asked = f"{clause} {asked}"
    other = re.sub(rf"(?:\b[Tt]he )?(?<!\w){re.escape(subject)}(?!\w)(?: [A-Z]\w+)*", draw.choice(OTHERS), asked)
    return other[:1].upper() + other[1:]
