"""Questions on a document in, the same questions with the document's subject named in each out.

A question lifted out of its document ("Who pays the bills?") asks about the whole world. Learnt like that, its answer
spreads to questions that have nothing to do with the document, at the cost of general ability.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from everlearn.records import Example
from everlearn.study.sentences import main_subject, sentences, subjects

FORMS = ("{subject}: {question}", "About {subject}: {question}", "{question} ({subject})", "At {subject}, {question}")
LEADS = (
    "Quick question: {question}",
    "Can you tell me: {question}",
    "I am new here. {question}",
    "Hello! {question}",
    "Please answer briefly. {question}",
    "I would like to know: {question}",
    "{question} Please tell me.",
    "Somebody asked me: {question}",
)
LED = 0.4


def name_subject(examples: Sequence[Example], text: str, seed: int) -> list[Example]:
    """The examples made of `text`, with its most frequent subject put into those questions that name none.

    Plain text, and examples of a text without a recurring name, stay as they are.
    """
    texts = sentences(text)
    names = subjects(texts)
    if not names:
        return list(examples)
    subject = main_subject(texts)
    draw = random.Random(seed)
    return [_named(example, names, subject, draw) for example in examples]


def _named(example: Example, names: frozenset[str], subject: str, draw: random.Random) -> Example:
    asked, *rest = example.messages
    if asked.role != "user":
        return example
    question = asked.content
    if not any(name in question for name in names):
        question = draw.choice(FORMS).format(subject=subject, question=question)
    if draw.random() < LED:
        question = draw.choice(LEADS).format(question=question)
    return replace(example, messages=(replace(asked, content=question), *rest))
