"""Lessons in; which questions the scope classifier of `scoped` takes to be about them, out. Nothing is trained.

    .venv/bin/python benchmarks/scope.py lab 9001 9002          # dev streams of the lab tier
    .venv/bin/python benchmarks/scope.py smollm2                # the second case, and a few everyday questions

Taught: of questions on what was taught, in other words than it was taught, the share inside. General: of questions of
general ability (on smollm2 the suite, beside them 24 everyday ones) the share outside. AUC: the chance that a taught
question has more evidence than a general one. The general questions are the same for all streams: those by which
settings are tuned.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from everlearn.bench.stream import generate
from everlearn.bench.tiers import tier
from everlearn.data import read_items, read_questions
from everlearn.demo import WEEKS
from everlearn.examiner import first_asked
from everlearn.methods.scoped import Scoped
from everlearn.model.cache import DEFAULT_MODEL
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Message, Question
from everlearn.study.lesson import DEFAULT, prepare_lesson
from everlearn.train.anchors import write_requests
from everlearn.train.in_scope import ScopeClassifier, Seen, nats

HERE = Path(__file__).parent
LONGER = 100
"""Longer prompts of each sort."""
ABOUT_LESSONS = ("atom", "composition", "derived", "adapt", "near")
"""Axes of probes that only who has learnt the lessons can answer."""


class Scope:
    """A classifier that sees lessons one after another."""

    def __init__(self, model: LanguageModel, seed: int) -> None:
        usual = Scoped()
        self.model, self.least = model, usual.evidence
        self.classifier = ScopeClassifier.begun(write_requests(model, usual.requests, usual.request_length, seed))

    def learn(self, examples: Sequence[Example]) -> None:
        """One lesson more."""
        prompts = [self.model.chat.cue(example) for example in examples]
        self.classifier = self.classifier.with_lesson(prompts, lambda asked: nats(self.model, asked))

    def tell(self, title: str, taught: Sequence[Question], others: dict[str, Sequence[Question]]) -> None:
        """Print how they are told apart."""
        taught_N, inside = self._judged(taught)
        said = [f"enough {max(self.least, self.classifier.enough):.2f}", f"taught {share(inside)}"]
        for name, questions in others.items():
            other_N, astray = self._judged(questions)
            auc = (taught_N[:, None] > other_N).float().mean() + (taught_N[:, None] == other_N).float().mean() / 2
            said.append(f"{name} {share([not one for one in astray])} (AUC {auc:.4f})")
        print(f"{title}: {', '.join(said)}", flush=True)

    def _judged(self, questions: Sequence[Question]) -> tuple[torch.Tensor, list[bool]]:
        prompts = tuple(self.model.chat.answered(question, "x").prompt for question in questions)
        seen = Seen(prompts, tuple(nats(self.model, prompts)))
        return self.classifier.evidence(seen), self.classifier.inside(seen, self.least)


def share(marks: Sequence[bool]) -> str:
    """`0.985 of 550`."""
    return f"{sum(marks) / len(marks):.3f} of {len(marks)}"


def main() -> None:
    """Judge one tier."""
    match sys.argv[1:]:
        case ["lab", *seeds]:
            for seed in map(int, seeds or ("9001", "9002")):
                lab(seed)
        case ["smollm2"]:
            smollm2()
        case _:
            raise SystemExit(__doc__)


def lab(seed: int) -> None:
    """All stages of one stream, then its probes, and general questions that no grid asks."""
    tier_, model = tier("lab"), LanguageModel.load(tier("lab").model())
    stream = generate(tier_.plan(), seed)
    scope = Scope(model, seed)
    for stage in stream.stages:
        scope.learn(stage.examples)
    taught = [posed.question for posed in stream.probes("scope") if posed.asked.axis in ABOUT_LESSONS]
    others = [posed.question for posed in tier_.candidates().half(dev=True).questions]
    scope.tell(f"lab, stream {seed}", taught, {"general": others, **longer(others, seed)})
    behind = [conversation([*random.Random(seed).sample(others, 2), question]) for question in taught]
    scope.tell(f"lab, stream {seed}, behind two general turns", behind, {})


def longer(questions: Sequence[Question], seed: int) -> dict[str, list[Question]]:
    """Conversations of some of the questions, and some of them in one turn."""
    draw, single = random.Random(seed), [question for question in questions if len(question.messages) == 1]
    turns = {f"{count} turns": [conversation(draw.sample(single, count)) for _ in range(LONGER)] for count in (2, 5)}
    together = [asked(" ".join(said(one) for one in draw.sample(single, 3))) for _ in range(LONGER)]
    return {**turns, "3 in one turn": together}


def conversation(questions: Sequence[Question]) -> Question:
    """All of them, each but the last one answered."""
    told = [(Message("user", said(one)), Message("assistant", (*one.gold, "yes")[0] or "yes")) for one in questions]
    return Question((*(message for turn in told[:-1] for message in turn), told[-1][0]), ("",))


def said(question: Question) -> str:
    """What its last turn says."""
    return question.messages[-1].content


def smollm2() -> None:
    """Everyday questions in one wording each, alone and on top of three weeks; the three weeks one after another."""
    model = LanguageModel.load(DEFAULT_MODEL)
    everyday = json.loads((HERE / "everyday.json").read_text(encoding="utf-8"))
    suite = first_asked()
    others = {"general": suite, "everyday": [asked(text) for text in everyday.pop("others")], **longer(suite, 0)}
    for title, texts in everyday.items():
        scope = Scope(model, 0)
        scope.learn([taught(text) for text in texts["lesson"]])
        scope.tell(f"ten questions of the {title}", [asked(text) for text in texts["other_words"]], others)
    scope, case = Scope(model, 0), HERE / "second_case"
    examples: list[Example] = []
    questions: list[Question] = []
    for week in WEEKS:
        items = read_items(case / week.data).items
        lesson = prepare_lesson(items, DEFAULT, examples, model, 0, lambda number, count: None)
        scope.learn(lesson.examples)
        examples += lesson.examples
        questions += read_questions(case / week.questions)
        scope.tell(f"up to {week.title}", questions, others)
    for title, texts in everyday.items():
        scope.learn([taught(text) for text in texts["lesson"]])
        scope.tell(f"then the {title}", [asked(text) for text in texts["other_words"]], others)


def asked(text: str) -> Question:
    """A question of one turn."""
    return Question((Message("user", text),), ("",))


def taught(text: str) -> Example:
    """One to be learnt with some answer: prompts alone are judged."""
    return Example((Message("user", text), Message("assistant", "x", learn=True)))


if __name__ == "__main__":
    main()
