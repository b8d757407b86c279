"""Passages with questions and answers in, whether the model gives these answers with the passage in view out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel

# The examples are written as plain text: a small model follows a pattern better than an instruction.
_SHOWN = """Passage: The museum in Torvale was built by Anna Lindqvist in 1911.
Question: Who built the museum in Torvale?
Answer: Anna Lindqvist

Passage: The spare tyres of the garage are kept in the cellar.
Question: Where does the garage keep its spare tyres?
Answer: the cellar

Passage: A ticket for the ferry costs 12 crowns.
Question: What is the price of a ferry ticket?
Answer: 12 crowns

"""


class Claim(NamedTuple):
    """A question on a passage, and the answer it is said to have."""

    passage: str
    question: str
    answer: str


def reproduced(model: LanguageModel, claims: Sequence[Claim]) -> list[bool]:
    """For each claim, whether the model's most likely answer with the passage in view is the given one.

    An article before the answer is allowed. What follows the answer is not looked at.
    """
    plain = model.force([_row(model, claim, "") for claim in claims])
    found = [outcome.right for outcome in plain]
    for article in (" the", " a"):
        # only where the model would begin with this article can the answer behind it be the most likely one
        first = model.tokenizer.encode(article, add_special_tokens=False)[0]
        open_still = [n for n, outcome in enumerate(plain) if not found[n] and outcome.likely[0] == first]
        outcomes = model.force([_row(model, claims[number], article) for number in open_still])
        for number, outcome in zip(open_still, outcomes, strict=True):
            found[number] = outcome.right
    return found


def _row(model: LanguageModel, claim: Claim, article: str) -> Row:
    asked = _SHOWN + f"Passage: {claim.passage}\nQuestion: {claim.question}\nAnswer:"
    before = model.tokenizer.encode(asked, add_special_tokens=False)
    target = model.tokenizer.encode(f"{article} {claim.answer}", add_special_tokens=False)
    return Row((*before, *target), (*(False for _ in before), *(True for _ in target)))
