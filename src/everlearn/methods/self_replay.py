"""Examples and a few seeds of earlier stages in, a model trained on them and on more that it made of the seeds out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from everlearn.errors import SettingsError
from everlearn.methods._verifying import SPARE
from everlearn.methods.contract import EARLIER, Gradient, Memory, Mixture
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Message, Origin
from everlearn.train.buffer import shares_of, with_shares, within_budget
from everlearn.train.clusters import typical
from everlearn.train.run import Run
from everlearn.train.sampling import draw_of, sample

PSEUDO = "pseudo"
"""Where what the model made is in the memory while a stage lasts."""

TRIES = 3
"""Questions that are written for each one that is kept."""


class Demonstrations(NamedTuple):
    """The seeds of one stage as pairs of a question and its answer, and how long these are at most, in tokens."""

    pairs: tuple[tuple[Message, Message], ...]
    file: str
    question: int
    answer: int


class Asked(NamedTuple):
    """A question that was written after the seeds of a stage."""

    stage: int
    text: str
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class SelfReplay(Gradient):
    """Self-synthesised rehearsal (SSR, Huang et al. 2403.01244): of each stage a few seeds are kept. Before a later
    stage the start model, shown some of them, writes more such questions; the model as it is answers them; a varied
    choice is rehearsed with the stage, beside the seeds."""

    family: ClassVar[str] = "replay"
    keeps: ClassVar[str] = "a few seeds of each stage"
    cost: ClassVar[str] = "1.5× with 8 earlier rows in each step of 16, and writing before each stage"
    claims: ClassVar[tuple[str, ...]] = (EARLIER,)

    seeds: int = 8
    """examples of each stage that are kept"""
    shots: int = 2
    """seeds that the start model is shown when it writes a question"""
    written: int = 64
    """questions that are rehearsed beside the seeds, at most, as many for each earlier stage"""
    old_per_step: int = 8
    """seeds and written questions in each step, on top of the new examples"""
    temperature: float = 0.9
    """how far the start model strays from the most likely question"""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("seeds", 1), ("shots", 1), ("written", 0)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} is {getattr(self, name)}", f"{name} must be at least {least}")
        if self.temperature <= 0:
            raise SettingsError(f"temperature is {self.temperature}", "give one above 0: all questions would be alike")

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Have more examples of earlier stages made."""
        shares = shares_of(memory)
        pseudo = run.checkpoints.once("self_replay", list[Example], lambda: self._made(model, shares, run))
        return {**memory, PSEUDO: pseudo}

    def examples(self, fresh: Sequence[Example], memory: Memory) -> Mixture:
        """Fresh examples, with seeds and what was made of them in each step."""
        seeds = [seed for share in shares_of(memory) for seed in share]
        return Mixture(fresh, [*seeds, *memory.get(PSEUDO, [])], self.old_per_step)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Keep some seeds of the stage, and nothing that was written."""
        shares = shares_of(memory)
        known = {seed for share in shares for seed in share}
        new = [example for example in examples if example not in known]
        seeds = within_budget([], new, self.seeds, run.seed, size=lambda _: 1)
        others = {name: value for name, value in memory.items() if name != PSEUDO}
        return with_shares(others, [*shares, seeds])

    def _made(self, model: LanguageModel, shares: Sequence[Sequence[Example]], run: Run) -> list[Example]:
        """Examples like the seeds: none where the model cannot write any."""
        shown = [each for share in shares if (each := _demonstrations(model, share)) is not None]
        quota = self.written // len(shown) if shown else 0
        if not quota:
            return []
        now = model.snapshot()
        model.restore(model.start())
        asked = self._questions(model, shown, TRIES * quota, run)
        model.restore(now)
        made = _answered(model, asked, shown, run)
        chosen = []
        for number, seeds in enumerate(shown):
            own = [(one, answer) for one, answer in made if one.stage == number]
            best = typical([one.tokens for one, _ in own], quota)
            chosen += [_example(own[index][0].text, own[index][1], seeds.file) for index in best]
        return chosen

    def _questions(self, model: LanguageModel, shown: Sequence[Demonstrations], count: int, run: Run) -> list[Asked]:
        """Up to `count` new questions like those of each stage, by the model as it is, which sees some of them."""
        draw = random.Random(draw_of(run.seed, 0))
        prompts, limits = [], []
        for seeds in shown:
            for _ in range(count):
                shots = draw.sample(seeds.pairs, min(self.shots, len(seeds.pairs)))
                seen = model.chat.example(Example(tuple(message for pair in shots for message in pair)))
                prompts.append((*seen.ids, *model.chat.turn_of("user")))
                limits.append(seeds.question + SPARE)
        known = {pair[0].content.strip() for seeds in shown for pair in seeds.pairs}
        found: dict[str, Asked] = {}
        for said in sample(model, prompts, limits, draw_of(run.seed, 0), run.meter, temperature=self.temperature):
            text = model.chat.text(list(said.answer))
            if said.finished and text and text not in known:
                found.setdefault(text, Asked(said.prompt // count, text, said.answer))
        return list(found.values())


def _answered(
    model: LanguageModel, asked: Sequence[Asked], shown: Sequence[Demonstrations], run: Run
) -> list[tuple[Asked, str]]:
    """The questions with the most likely answers of the model as it is; without those that it does not end."""
    prompts = [model.chat.prompt((Message("user", one.text),)) for one in asked]
    limits = [shown[one.stage].answer + SPARE for one in asked]
    replies = sample(model, prompts, limits, draw_of(run.seed, 1), run.meter, temperature=0.0)
    said = [(asked[one.prompt], model.chat.text(list(one.answer))) for one in replies if one.finished]
    return [(one, answer) for one, answer in said if answer]


def _example(question: str, answer: str, file: str) -> Example:
    messages = Message("user", question), Message("assistant", answer, learn=True)
    return Example(messages, Origin(file, strategy="self_replay"))


def _demonstrations(model: LanguageModel, seeds: Sequence[Example]) -> Demonstrations | None:
    """The last taught turn of each seed and the question before it; None where there are none, as of texts."""
    pairs = []
    for seed in seeds:
        taught = max((at for at, message in enumerate(seed.messages) if message.learn), default=0)
        if taught and seed.messages[taught - 1].role == "user":
            pairs.append((seed.messages[taught - 1], seed.messages[taught]))
    if not pairs:
        return None
    question, answer = (
        max(len(model.tokenizer.encode(pair[place].content, add_special_tokens=False)) for pair in pairs)
        for place in (0, 1)
    )
    return Demonstrations(tuple(pairs), seeds[0].origin.file, question, answer)
