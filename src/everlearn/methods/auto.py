"""Examples in, a model taught by another method with the settings that did best in short trials out.

Before each stage, candidates are trained on a part of it and compared by what they know of a held-out slice of the
stage and by what they left of the start model's habits and of earlier stages; the better half goes on with twice the
budget, until one is left (successive halving, Jamieson and Talwalkar 1502.07943). The stage is then learnt whole, from
where it began, by that one.
"""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import START, Gradient, Memory, Method
from everlearn.model.language_model import LanguageModel
from everlearn.plugins import find
from everlearn.records import Example, digest
from everlearn.settings import with_values
from everlearn.train.anchors import Anchors, by_start, kl_to, write_anchors
from everlearn.train.buffer import within_budget
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.run import Progress, Run

INNER, TEXTS, ROWS = "inner", "probe_texts", "probe.examples"
"""Where the memory of the method that is tried is, and what retention is judged by."""

LENGTH = 32
"""Tokens of each text that retention is judged by, at most."""


class Held(NamedTuple):
    """What candidates are judged by."""

    new: list[Example]
    """The held-out slice of the stage."""
    old: list[Example]
    """A sample of earlier stages."""
    habits: Anchors


@dataclass(frozen=True)
class Auto(Gradient):
    """Another method, with settings chosen for each stage by successive halving on held-out rows and what is kept."""

    family: ClassVar[str] = "meta"
    keeps: ClassVar[str] = "what the chosen method keeps, some texts and rows to judge by"
    cost: ClassVar[str] = "that of the method, and the budget of the search"
    claims: ClassVar[tuple[str, ...]] = (START,)

    method: str = "replay"
    """the method whose settings are chosen; settings that all methods have are given to it"""
    tries: str = "learning_rate=0.25x,0.5x,1x,2x"
    """what is tried: settings and their values, an `x` behind a factor of the setting; `;` between settings"""
    search: float = 6.0
    """what the search may cost, in passes over the stage's rows"""
    slice: float = 0.15
    """share of the stage's rows that candidates are not shown, and judged by"""
    texts: int = 32
    """texts of the start model by which it is judged what of its habits is left"""
    rows: int = 20_000
    """bytes of earlier examples by which it is judged what is left of them"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.search <= 0 or not 0 < self.slice < 1:
            raise SettingsError(
                f"search is {self.search} and slice {self.slice}", "give search above zero, and slice between 0 and 1"
            )
        for candidate in self.candidates():
            if candidate.chooses() or isinstance(candidate, Auto):
                raise SettingsError(
                    f"auto cannot choose settings for {self.method}", "name a method that trains by itself"
                )

    def candidates(self) -> list[Gradient]:
        """The method with each combination of the settings that are tried.

        Raises:
            SettingsError: no such setting, a value that is none, or a method that does not train by gradients.
        """
        kind = find("methods", self.method, Method)
        if not issubclass(kind, Gradient):
            raise SettingsError(f"{self.method} does not train by gradients", "name one that does: everlearn methods")
        shared = {field.name: getattr(self, field.name) for field in fields(Gradient)}
        usual = {field.name: field.default for field in fields(Gradient)}
        own = {name: value for name, value in shared.items() if value != usual[name]}
        plain: Gradient = with_values(kind, own)
        axes = [[(name, value) for value in values] for name, values in _tried(self.tries, plain).items()]
        return [with_values(kind, {**own, **dict(chosen)}) for chosen in itertools.product(*axes)]

    def learn(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Choose, then learn the stage whole."""
        candidates = self.candidates()
        model.adapt(candidates[0].adaptation)
        inner = {key.removeprefix(f"{INNER}."): value for key, value in memory.items() if key.startswith(f"{INNER}.")}
        texts = memory.get(TEXTS) or run.checkpoints.tensors_once(TEXTS, lambda: self._texts(model, run))
        ranked = sorted(examples, key=lambda example: digest([example, run.seed]))
        count = round(self.slice * len(ranked))
        held, shown = Held(ranked[:count], memory.get(ROWS, []), Anchors.of(texts)), ranked[count:]
        place = run.checkpoints.once("chosen", int, lambda: self._search(model, candidates, (shown, held), inner, run))
        inner = candidates[place].learn(model, examples, inner, run)
        kept = within_budget(memory.get(ROWS, []), examples, self.rows, run.seed)
        return {**{f"{INNER}.{key}": value for key, value in inner.items()}, TEXTS: texts, ROWS: kept}

    def _texts(self, model: LanguageModel, run: Run) -> dict[str, torch.Tensor]:
        return by_start(model, lambda: write_anchors(model, self.texts, LENGTH, run.seed), run.meter).tensors()

    def _search(
        self,
        model: LanguageModel,
        candidates: list[Gradient],
        material: tuple[list[Example], Held],
        inner: Memory,
        run: Run,
    ) -> int:
        """The number of the best candidate; the model ends as it was."""
        (shown, held), before = material, model.snapshot()
        left = list(range(len(candidates)))
        for passes in self._rungs(len(left)):
            if len(left) == 1 or not held.new or not shown:
                break
            scores = {}
            for number in left:
                run.tell(Progress(f"trying {self.method}, {passes:.2g} passes", left.index(number), len(left)))
                _try(model, _shortened(candidates[number], passes), shown[: math.ceil(passes * len(shown))], inner, run)
                scores[number] = _score(model, held, run)
                model.restore(before)
            left = sorted(left, key=lambda number: -scores[number])[: math.ceil(len(left) / 2)]
        return left[0]

    def _rungs(self, candidates: int) -> Iterator[float]:
        """Passes of each candidate in each round: all rounds cost the same, as half as many are left each time."""
        rounds = max(1, math.ceil(math.log2(candidates)))
        for number in range(rounds):
            yield self.search / rounds / math.ceil(candidates / 2**number)


def _tried(tries: str, method: Gradient) -> Mapping[str, list[Any]]:
    """By setting, the values to try."""
    found: dict[str, list[Any]] = {}
    for part in tries.split(";"):
        name, equals, values = (word.strip() for word in part.partition("="))
        if not equals or not hasattr(method, name):
            raise SettingsError(f"{part.strip()!r} names no setting to try", "write learning_rate=0.5x,1x,2x")
        now = getattr(method, name)
        try:
            found[name] = [float(word[:-1]) * now if word.endswith("x") else word for word in values.split(",")]
        except (TypeError, ValueError):
            raise SettingsError(f"{values!r} are no values for {name}", "write learning_rate=0.5x,1x,2x") from None
    return found


def _shortened(method: Gradient, passes: float) -> Gradient:
    """The method for a trial of so many passes."""
    share = min(1.0, passes / method.epochs)
    return replace(method, epochs=max(1, round(passes)), least_steps=max(1, round(share * method.least_steps)))


def _try(model: LanguageModel, method: Gradient, shown: Sequence[Example], memory: Memory, run: Run) -> None:
    """Learn a part of the stage; what it came to stays in the model alone. A crash begins the search anew."""
    with tempfile.TemporaryDirectory(prefix="everlearn-") as scratch:
        method.learn(model, shown, memory, Run(run.seed, run.meter, Checkpoints(Path(scratch), run.meter, None)))
    model.forget()


@torch.inference_mode()
def _score(model: LanguageModel, held: Held, run: Run) -> float:
    """Harmonic mean of how likely the held-out rows are and how little was lost, each between 0 and 1: the mean
    probability of a token, and exp(−KL) from the start model times the earlier rows' mean probability of a token."""
    read = model.tokens_read
    new, old = _likely(model, held.new), _likely(model, held.old)
    habits = math.exp(-float(kl_to(model, held.habits, range(len(held.habits.rows)))))
    run.meter.read("study", model.tokens_read - read + sum(len(row.ids) for row in held.habits.rows))
    return 2 / (1 / max(new, 1e-9) + 1 / max(habits * old, 1e-9))


def _likely(model: LanguageModel, examples: Sequence[Example]) -> float:
    """Geometric mean of the probability of a target; 1 where there is none."""
    outcomes = model.force([model.chat.example(example) for example in examples])
    return math.exp(-sum(outcome.nll for outcome in outcomes) / len(outcomes)) if outcomes else 1.0
